"""Reads histories, single deliveries and figures of a workspace's webhooks."""

import json
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from coro_events.contract.envelope import read_workspace_id
from coro_events.errors import SecretUnreadableError
from coro_events.runtime.clock import Clock
from coro_events.store.vault import Vault
from services.api.access.service import Caller
from services.api.deliveries.rules import fault_in_since, instant_of
from services.api.history.cursor import read_cursor
from services.api.history.ports import Detail, Filters
from services.api.history.ports import History as Deliveries
from services.api.history.schemas import DeliveryDetail, History, StatisticsView
from services.api.history.view import view_of_detail, view_of_slice, view_of_statistics
from services.api.refusals import Fault, InvalidInput, NoSuchDelivery, NotFound

# What statistics look back on unless somebody asks for more.
DEFAULT_SPAN = timedelta(hours=24)


class Histories:
    """Answers what was delivered, and how well."""

    def __init__(self, *, deliveries: Deliveries, vault: Vault, clock: Clock, retention_days: int) -> None:
        self._deliveries = deliveries
        self._vault = vault
        self._clock = clock
        self._retention_days = retention_days

    async def of_webhook(
        self, caller: Caller, webhook_id: uuid.UUID, filters: Filters, *, cursor: str | None, size: int
    ) -> History:
        """Return a page of a webhook's deliveries, newest first.

        Raises:
            InvalidInput: A filter or the cursor breaks a rule.
            NotFound: The workspace has no such webhook.
        """
        _check(filters)
        after = None if cursor is None else read_cursor(cursor)
        await self._require(caller, webhook_id)
        return view_of_slice(await self._deliveries.of_webhook(webhook_id, filters, after=after, size=size))

    async def of_workspace(self, caller: Caller, filters: Filters, *, cursor: str | None, size: int) -> History:
        """Return a page of the deliveries of all webhooks of the workspace, newest first.

        Raises:
            InvalidInput: A filter or the cursor breaks a rule.
        """
        _check(filters)
        after = None if cursor is None else read_cursor(cursor)
        part = await self._deliveries.of_workspace(caller.workspace_id, filters, after=after, size=size)
        return view_of_slice(part)

    async def one(self, caller: Caller, webhook_id: uuid.UUID, hook_id: uuid.UUID) -> DeliveryDetail:
        """Return a delivery with its attempts.

        Raises:
            NotFound: The workspace has no such webhook.
            NoSuchDelivery: The webhook has no such delivery.
        """
        await self._require(caller, webhook_id)
        detail = await self._deliveries.one(webhook_id, hook_id)
        if detail is None:
            raise NoSuchDelivery
        return view_of_detail(detail, header_names=self._header_names(detail))

    async def statistics(self, caller: Caller, webhook_id: uuid.UUID, since: int | None) -> StatisticsView:
        """Return how a webhook's deliveries went since a time, or over the last day.

        Raises:
            InvalidInput: The time is in the future, or deliveries are not kept that long.
            NotFound: The workspace has no such webhook.
        """
        now = self._clock.now()
        asked = now - DEFAULT_SPAN if since is None else instant_of(since)
        fault = fault_in_since(asked, now=now, retention_days=self._retention_days)
        if fault is not None:
            raise InvalidInput(Fault("since", fault))
        await self._require(caller, webhook_id)
        statistics = await self._deliveries.statistics(webhook_id, since=asked, until=now)
        return view_of_statistics(statistics, asked=asked, until=now)

    async def _require(self, caller: Caller, webhook_id: uuid.UUID) -> None:
        if not await self._deliveries.has_webhook(caller.workspace_id, webhook_id):
            raise NotFound

    def _header_names(self, detail: Detail) -> Iterable[str]:
        """Return the names of the webhook's own headers; none where they cannot be opened."""
        sealed = detail.sent.headers_sealed
        if sealed is None:
            return ()
        row = str(detail.entry.key.webhook_id)
        try:
            names: dict[str, str] = json.loads(self._vault.open(sealed, row=row, field="headers"))
        except SecretUnreadableError:
            return ()
        return tuple(names)


def span(since: int | None, until: int | None) -> tuple[datetime | None, datetime | None]:
    """Return the times that a caller gave in milliseconds."""
    return None if since is None else instant_of(since), None if until is None else instant_of(until)


def _check(filters: Filters) -> None:
    faults = []
    if filters.since is not None and filters.until is not None and filters.until <= filters.since:
        faults.append(Fault("until", "must be after since"))
    if filters.workspace_id is not None:
        try:
            read_workspace_id("workspaceId", filters.workspace_id)
        except ValueError as error:
            faults.append(Fault("workspaceId", str(error).removeprefix("workspaceId: ")))
    if faults:
        raise InvalidInput(*faults)
