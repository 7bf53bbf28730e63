"""Replays and retries: asked for in one transaction with a line in the activity log, done by the dispatcher."""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import cast

from coro_events.rules.webhooks import WebhookState
from coro_events.runtime.clock import Clock
from coro_events.store.replaying import INCLUDES
from services.api.access.service import Caller
from services.api.deliveries.ports import Again, Counts, Replay, ReplayState, ReplayStore, RetryStore, Stopped, Subject
from services.api.deliveries.rules import (
    fault_in_since,
    instant_of,
    is_manual,
    never_delivers,
    require_enabled,
    require_resendable,
)
from services.api.deliveries.schemas import Include, ReplayCounts, ReplayRequest, ReplayView, RetriedDelivery
from services.api.idempotency.ports import Keep
from services.api.paging import Page
from services.api.refusals import (
    Fault,
    InvalidInput,
    NoSuchDelivery,
    NoSuchReplay,
    NotFound,
    ReplayOver,
    WrongDeliveryState,
)
from services.api.webhooks.ports import Activity
from services.api.webhooks.view import milliseconds

CANCELLED_BY_HAND = "cancelled by hand"


class Replays:
    """Asks for replays, tells how far they are, and cancels them."""

    def __init__(self, *, store: ReplayStore, clock: Clock, retention_days: int) -> None:
        self._store = store
        self._clock = clock
        self._retention_days = retention_days

    async def count(self, caller: Caller, webhook_id: uuid.UUID, body: ReplayRequest) -> ReplayCounts:
        """Return what a replay would take; nothing is written.

        A disabled webhook may be asked about too: the answer helps to decide whether to enable it.

        Raises:
            NotFound: The workspace has no such webhook.
            InvalidInput: The time is in the future, or events are not kept that long.
            WrongState: The webhook is a draft or expired.
        """
        since = self._since(body)
        subject = await self._subject(caller, webhook_id)
        if subject.state in {WebhookState.DRAFT, WebhookState.EXPIRED}:
            raise never_delivers(subject.state)
        counts = await self._store.count(subject, since=since, include=body.include)
        return ReplayCounts(missed=counts.missed, held=counts.held, failed=counts.failed)

    async def request(
        self, caller: Caller, webhook_id: uuid.UUID, body: ReplayRequest, *, keep: Keep[ReplayView] | None = None
    ) -> ReplayView:
        """Ask for a replay; the dispatcher begins with it at once.

        Raises:
            NotFound: The workspace has no such webhook.
            InvalidInput: The time is in the future, or events are not kept that long.
            WrongState: The webhook is not enabled.
            ReplayRunning: It has a running replay already.
        """
        since = self._since(body)
        subject = await self._subject(caller, webhook_id)
        require_enabled(subject.state, subject.replaced_by)
        # Before the transaction: counting may take seconds, and a locked webhook keeps the dispatcher waiting.
        counts = await self._store.count(subject, since=since, include=body.include)
        replay = _new(subject, body, counts, since=since)
        async with self._store.change() as change:
            locked = await change.lock(caller.workspace_id, webhook_id)
            if locked is None:
                raise NotFound
            require_enabled(locked.state, locked.replaced_by)
            await change.insert(replay)
            detail = {
                "since": body.since,
                "include": list(replay.include),
                "ratePerSecond": replay.rate_per_s,
                "expected": replay.expected,
            }
            await change.record(self._told(caller, replay, "webhook.replay_requested", {"name": locked.name, **detail}))
            if keep is not None:
                await change.keep(keep(_view(replay)))
        return _view(replay)

    async def page(self, caller: Caller, webhook_id: uuid.UUID, *, page: int, page_size: int) -> Page[ReplayView]:
        """Return one page of a webhook's replays, newest first.

        Raises:
            NotFound: The workspace has no such webhook.
        """
        await self._subject(caller, webhook_id)
        replays, total = await self._store.page(webhook_id, page=page, page_size=page_size)
        return Page(items=[_view(replay) for replay in replays], totalElements=total)

    async def one(self, caller: Caller, webhook_id: uuid.UUID, replay_id: uuid.UUID) -> ReplayView:
        """Return a replay and how far it has come.

        Raises:
            NotFound: The workspace has no such webhook.
            NoSuchReplay: The webhook has no such replay.
        """
        return _view(await self._replay(caller, webhook_id, replay_id))

    async def cancel(self, caller: Caller, webhook_id: uuid.UUID, replay_id: uuid.UUID) -> ReplayView:
        """End a running replay; what it has taken is sent all the same. One that is cancelled stays as it is.

        Raises:
            NotFound: The workspace has no such webhook.
            NoSuchReplay: The webhook has no such replay.
            ReplayOver: It is done.
        """
        await self._replay(caller, webhook_id, replay_id)
        async with self._store.change() as change:
            replay = await change.cancel(replay_id, reason=CANCELLED_BY_HAND, at=self._clock.now())
            if replay is not None:
                detail = {"replayed": replay.replayed, "reason": replay.reason}
                await change.record(self._told(caller, replay, "webhook.replay_cancelled", detail))
                return _view(replay)
        replay = await self._replay(caller, webhook_id, replay_id)
        if replay.state is ReplayState.DONE:
            raise ReplayOver("it is done; there is nothing left to cancel")
        return _view(replay)

    def _since(self, body: ReplayRequest) -> datetime:
        since = instant_of(body.since)
        fault = fault_in_since(since, now=self._clock.now(), retention_days=self._retention_days)
        if fault is not None:
            raise InvalidInput(Fault("since", fault))
        return since

    async def _subject(self, caller: Caller, webhook_id: uuid.UUID) -> Subject:
        subject = await self._store.subject(caller.workspace_id, webhook_id)
        if subject is None:
            raise NotFound
        return subject

    async def _replay(self, caller: Caller, webhook_id: uuid.UUID, replay_id: uuid.UUID) -> Replay:
        replay = await self._store.one(caller.workspace_id, webhook_id, replay_id)
        if replay is None:
            await self._subject(caller, webhook_id)
            raise NoSuchReplay
        return replay

    def _told(self, caller: Caller, replay: Replay, action: str, detail: Mapping[str, object]) -> Activity:
        return Activity(
            workspace_id=replay.workspace_id,
            at=self._clock.now(),
            actor=caller.actor,
            action=action,
            subject=str(replay.webhook_id),
            detail={"replayId": str(replay.id), **detail},
        )


class Retries:
    """Tries single deliveries again."""

    def __init__(self, *, store: RetryStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def retry(self, caller: Caller, webhook_id: uuid.UUID, hook_id: uuid.UUID) -> RetriedDelivery:
        """Make a delivery due now.

        What has failed or is held gets one attempt, even where the webhook is disabled, and its failure disables
        nothing. What waits for its next attempt only waits no longer.

        Raises:
            NotFound: The workspace has no such webhook.
            NoSuchDelivery: The webhook has no such delivery.
            WrongState: The webhook is a draft or expired.
            WrongDeliveryState: The delivery is over, or an attempt is under way.
        """
        return await self._once_more(caller, webhook_id, hook_id, is_manual, action="delivery.retry_requested")

    async def resend(self, caller: Caller, webhook_id: uuid.UUID, hook_id: uuid.UUID) -> RetriedDelivery:
        """Send what was delivered once more, with the same hook id: one attempt, which never disables the webhook.

        Raises:
            NotFound: The workspace has no such webhook.
            NoSuchDelivery: The webhook has no such delivery.
            WrongState: The webhook is a draft or expired.
            WrongDeliveryState: The delivery was not delivered.
        """

        def decide(state: WebhookState, stopped: Stopped) -> bool:
            require_resendable(state, stopped)
            return True

        return await self._once_more(caller, webhook_id, hook_id, decide, action="delivery.resend_requested")

    async def _once_more(
        self,
        caller: Caller,
        webhook_id: uuid.UUID,
        hook_id: uuid.UUID,
        decide: Callable[[WebhookState, Stopped], bool],
        *,
        action: str,
    ) -> RetriedDelivery:
        """Make a delivery due if the rule lets it; the rule also says whether that is an attempt of its own."""
        async with self._store.change() as change:
            subject = await change.subject(caller.workspace_id, webhook_id)
            if subject is None:
                raise NotFound
            stopped = await change.stopped(webhook_id, hook_id)
            if stopped is None:
                raise NoSuchDelivery
            manual = decide(subject.state, stopped)
            again = await change.make_due(stopped, manual=manual)
            if again is None:
                raise WrongDeliveryState("it has changed in this very moment; look at it again")
            detail = {"name": subject.name, "hookId": str(hook_id), "was": stopped.state.value}
            await change.record(
                Activity(
                    workspace_id=subject.workspace_id,
                    at=self._clock.now(),
                    actor=caller.actor,
                    action=action,
                    subject=str(webhook_id),
                    detail=detail,
                )
            )
        return _again(again)


def _new(subject: Subject, body: ReplayRequest, counts: Counts, *, since: datetime) -> Replay:
    return Replay(
        id=uuid.uuid4(),
        webhook_id=subject.id,
        workspace_id=subject.workspace_id,
        state=ReplayState.RUNNING,
        since=since,
        include=tuple(kind for kind in INCLUDES if kind in body.include),
        rate_per_s=body.rate_per_second,
        expected=counts.total,
        created_at=counts.until,
    )


def _view(replay: Replay) -> ReplayView:
    return ReplayView(
        id=str(replay.id),
        state=replay.state.value,
        since=milliseconds(replay.since),
        include=cast("list[Include]", list(replay.include)),
        rate_per_second=replay.rate_per_s,
        expected=replay.expected,
        replayed=replay.replayed,
        created=milliseconds(replay.created_at),
        finished=None if replay.finished_at is None else milliseconds(replay.finished_at),
        reason=replay.reason,
    )


def _again(again: Again) -> RetriedDelivery:
    return RetriedDelivery(id=str(again.hook_id), attempts=again.attempts, due=milliseconds(again.due_at))
