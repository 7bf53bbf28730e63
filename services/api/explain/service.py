"""Explains: puts one webhook and one event before every rule. Nothing is written and nothing is sent."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from coro_events.contract.envelope import event_id, read_id, read_workspace_id
from coro_events.contract.triggers import Trigger, parse_rest_name
from coro_events.rules.matching import Occurrence, Verdict, matching_verdicts
from coro_events.runtime.clock import Clock
from services.api.access.service import Caller
from services.api.deliveries.rules import instant_of
from services.api.explain import rules
from services.api.explain.ports import Asked, Past, PastDelivery, PastEvent
from services.api.explain.schemas import ExplainedDelivery, ExplainedEvent, Explanation, MadeUpEvent, RuleVerdict
from services.api.refusals import Fault, InvalidInput, NoSuchEvent, NotFound
from services.api.webhooks.view import milliseconds

# An event is filed under tomorrow at the latest, by a clock that may be ahead of ours.
DAYS_AHEAD = 2


class Explain:
    """Answers why an event did, or did not, reach a webhook."""

    def __init__(self, *, past: Past, clock: Clock, retention_days: int) -> None:
        self._past = past
        self._clock = clock
        self._retention_days = retention_days

    async def past(
        self, caller: Caller, webhook_id: uuid.UUID, *, event: str | None, source: str | None, source_id: str | None
    ) -> Explanation:
        """Explain an event on record, named by our id or by its source's.

        Raises:
            InvalidInput: It is named in neither way, or in both.
            NotFound: The workspace has no such webhook.
            NoSuchEvent: There is no such event in the workspace or below, or it is not kept any more.
        """
        wanted = _wanted(event, source, source_id)
        asked = await self._asked(caller, webhook_id)
        found = await self._past.event(caller.workspace_id, wanted, days=self._days())
        if found is None:
            raise NoSuchEvent
        delivery = await self._past.delivery(webhook_id, found)
        then = await self._past.then(asked, found.received_at)
        verdicts = [
            *matching_verdicts(asked.wish, Occurrence(found.type, found.workspace_id, found.path)),
            rules.version_verdict(asked, named=None, at=found.occurred_at),
            rules.time_of_past(asked, found, then),
            rules.duplicate_of_past(found, delivery),
        ]
        return Explanation(
            webhook_id=str(asked.id),
            event=_event(found),
            reaches=delivery is not None,
            sentence=rules.summary_of_past(found, delivery, _broken(verdicts)),
            rules=_views(verdicts),
            delivery=None if delivery is None else _delivery(delivery),
        )

    async def made_up(self, caller: Caller, webhook_id: uuid.UUID, body: MadeUpEvent) -> Explanation:
        """Explain an event that did not happen.

        Raises:
            InvalidInput: There is no such type, or the workspace id is none.
            NotFound: The workspace has no such webhook.
        """
        trigger, version = _type(body.type)
        workspace_id = _workspace(body.workspace_id)
        asked = await self._asked(caller, webhook_id)
        occurred_at = self._clock.now() if body.occurred is None else instant_of(body.occurred)
        path = await self._past.path(workspace_id)
        verdicts = [
            *matching_verdicts(asked.wish, Occurrence(trigger.value, workspace_id, path)),
            rules.version_verdict(asked, named=version, at=occurred_at),
            rules.time_of_made_up(asked, occurred_at),
            rules.duplicate_of_made_up(),
        ]
        broken = _broken(verdicts)
        return Explanation(
            webhook_id=str(asked.id),
            event=_made_up(trigger, workspace_id, occurred_at),
            reaches=not broken,
            sentence=rules.summary_of_made_up(broken),
            rules=_views(verdicts),
            delivery=None,
        )

    async def _asked(self, caller: Caller, webhook_id: uuid.UUID) -> Asked:
        asked = await self._past.webhook(caller.workspace_id, webhook_id)
        if asked is None:
            raise NotFound
        return asked

    def _days(self) -> list[date]:
        """Return the days that an event may be filed under, newest first."""
        newest = self._clock.now().date() + timedelta(days=DAYS_AHEAD)
        return [newest - timedelta(days=back) for back in range(self._retention_days + DAYS_AHEAD + 2)]


def _wanted(event: str | None, source: str | None, source_id: str | None) -> uuid.UUID:
    if event is not None:
        others = [name for name, value in (("source", source), ("sourceId", source_id)) if value is not None]
        if others:
            raise InvalidInput(*(Fault(name, "must be left out beside eventId") for name in others))
        try:
            return uuid.UUID(event)
        except ValueError:
            raise NoSuchEvent from None
    faults = []
    for name, value in (("source", source), ("sourceId", source_id)):
        try:
            read_id(name, value)
        except ValueError as error:
            missing = "is required where eventId is left out"
            faults.append(Fault(name, missing if value is None else str(error).removeprefix(f"{name}: ")))
    if source is None or source_id is None or faults:
        raise InvalidInput(*faults)
    return event_id(source, source_id)


def _type(text: str) -> tuple[Trigger, int | None]:
    if text in set(Trigger):
        return Trigger(text), None
    try:
        return parse_rest_name(text)
    except ValueError:
        example = "workspaceCreated.v1 or workspace-created"
        raise InvalidInput(Fault("type", f"must be the name of a trigger, such as {example}")) from None


def _workspace(text: str) -> str:
    try:
        return read_workspace_id("workspaceId", text)
    except ValueError as error:
        raise InvalidInput(Fault("workspaceId", str(error).removeprefix("workspaceId: "))) from None


def _broken(verdicts: Sequence[Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts if not verdict.holds]


def _views(verdicts: Sequence[Verdict]) -> list[RuleVerdict]:
    return [
        RuleVerdict(rule=verdict.rule.value, holds=verdict.holds, sentence=verdict.sentence) for verdict in verdicts
    ]


def _event(event: PastEvent) -> ExplainedEvent:
    return ExplainedEvent(
        id=str(event.id),
        source=event.source,
        source_id=event.source_id,
        type=event.type,
        workspace_id=event.workspace_id,
        occurred=milliseconds(event.occurred_at),
        received=milliseconds(event.received_at),
    )


def _made_up(trigger: Trigger, workspace_id: str, occurred_at: datetime) -> ExplainedEvent:
    return ExplainedEvent(
        id=None,
        source=None,
        source_id=None,
        type=trigger.value,
        workspace_id=workspace_id,
        occurred=milliseconds(occurred_at),
        received=None,
    )


def _delivery(delivery: PastDelivery) -> ExplainedDelivery:
    return ExplainedDelivery(
        id=str(delivery.hook_id),
        state=delivery.state.value,
        attempts=delivery.attempts,
        created=milliseconds(delivery.created_at),
        finished=None if delivery.finished_at is None else milliseconds(delivery.finished_at),
    )
