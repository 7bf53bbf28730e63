"""Searches the activity log of what a caller reaches."""

from collections.abc import AsyncIterator, Sequence

from services.api.access.service import Caller
from services.api.activity.ports import ActivityLog, Cursor, Line, Search
from services.api.activity.rules import CSV_HEAD, csv_row, csv_text, write_cursor
from services.api.activity.schemas import ActivityPage, ActivityView
from services.api.refusals import Fault, InvalidInput, OutOfReach
from services.api.webhooks.view import milliseconds

# Rows of an export that are read at once; between two reads no connection is held, however slow the client is.
EXPORT_STEP = 500


class Activities:
    """The activity log as callers may see it."""

    def __init__(self, *, log: ActivityLog) -> None:
        self._log = log

    async def page(self, caller: Caller, search: Search, *, after: Cursor | None, limit: int) -> ActivityPage:
        """Return one page.

        Raises:
            InvalidInput: The search ends before it begins.
            OutOfReach: It is about a workspace outside the one that the request names.
        """
        await self._check(caller, search)
        # One more than asked for tells whether there are more.
        lines = await self._log.lines(search, after=after, limit=limit + 1)
        shown = lines[:limit]
        return ActivityPage(
            items=[_view(line) for line in shown],
            next_cursor=write_cursor(shown[-1].cursor) if len(lines) > limit else None,
        )

    async def export(self, caller: Caller, search: Search, *, after: Cursor | None) -> AsyncIterator[str]:
        """Return all lines as pieces of a CSV file; the first are read before this returns.

        Raises:
            InvalidInput: The search ends before it begins.
            OutOfReach: It is about a workspace outside the one that the request names.
        """
        await self._check(caller, search)
        first = await self._log.lines(search, after=after, limit=EXPORT_STEP)
        return self._pieces(search, first)

    async def _pieces(self, search: Search, lines: Sequence[Line]) -> AsyncIterator[str]:
        yield csv_text([CSV_HEAD])
        while lines:
            yield csv_text(csv_row(line) for line in lines)
            if len(lines) < EXPORT_STEP:
                return
            lines = await self._log.lines(search, after=lines[-1].cursor, limit=EXPORT_STEP)

    async def _check(self, caller: Caller, search: Search) -> None:
        if search.since is not None and search.until is not None and search.until <= search.since:
            raise InvalidInput(Fault("until", "must be after since"))
        if search.workspace_id == caller.workspace_id:
            return
        if not await self._log.is_within(search.workspace_id, caller.workspace_id):
            raise OutOfReach("workspaceId must be the workspace of the request or one below it")


def _view(line: Line) -> ActivityView:
    return ActivityView(
        id=str(line.id),
        at=milliseconds(line.at),
        workspace_id=line.workspace_id,
        actor=line.actor,
        action=line.action,
        subject=line.subject,
        detail=dict(line.detail),
    )
