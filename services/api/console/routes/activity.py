"""The activity log: who did what, page by page or as a file."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from services.api.activity.ports import Search
from services.api.activity.rules import read_cursor
from services.api.console import places
from services.api.console.headers import PAGE
from services.api.console.routes.moving import at
from services.api.console.texts import activity as words
from services.api.console.views.activity import SearchTyped, activity_of
from services.api.console.views.layout import layout_of
from services.api.console.visitor import Viewer, Visitor

router = APIRouter()

PAGE_SIZE = 30

Text = Annotated[str, Query(max_length=300)]


def _typed(
    *,
    action: Text = "",
    actor: Text = "",
    subject: Text = "",
    since: Annotated[Text, Query(alias="from")] = "",
    until: Text = "",
    children: Text = "",
) -> SearchTyped:
    return SearchTyped.of_query(
        action=action, actor=actor, subject=subject, since=since, until=until, children=children
    )


TypedHere = Annotated[SearchTyped, Depends(_typed)]


@router.get(at(places.ACTIVITY))
async def activity_page(visitor: Viewer, typed: TypedHere, cursor: Text = "") -> Response:
    """Show a page of the activity log."""
    try:
        after = read_cursor(cursor) if cursor else None
    except ValueError:
        # An address that was shortened by hand: the newest are shown.
        after = None
    found = await visitor.rooms.activities.page(visitor.caller, _search(visitor, typed), after=after, limit=PAGE_SIZE)
    return visitor.pages.page(
        "activity.html",
        layout=layout_of(visitor, words.TITLE, section="activity"),
        activity=activity_of(found, typed, visitor, is_first=after is None),
    )


@router.get(at(places.ACTIVITY_CSV))
async def activity_file(visitor: Viewer, typed: TypedHere) -> Response:
    """Return all of it as a file."""
    pieces = await visitor.rooms.activities.export(visitor.caller, _search(visitor, typed), after=None)
    headers = {**PAGE, "Content-Disposition": 'attachment; filename="activity-log.csv"'}
    return StreamingResponse(pieces, media_type="text/csv", headers=headers)


def _search(visitor: Visitor, typed: SearchTyped) -> Search:
    return Search(
        workspace_id=visitor.caller.workspace_id,
        with_descendants=typed.with_children,
        action=typed.action or None,
        actor=typed.actor or None,
        subject=typed.subject or None,
        since=typed.since,
        until=typed.until if typed.since is None or typed.until is None or typed.until > typed.since else None,
    )
