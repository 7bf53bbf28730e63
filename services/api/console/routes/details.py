"""One webhook: what it is set to, how it does, and its deliveries as they happen."""

import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from coro_events.contract.triggers import Trigger
from coro_events.rules.deliveries import DeliveryState
from services.api import streams
from services.api.console import paths, places
from services.api.console.headers import SECURITY
from services.api.console.reading import printable, read_minute
from services.api.console.routes.moving import at
from services.api.console.routes.webhooks import webhooks_layout
from services.api.console.texts import details as words
from services.api.console.views.deliveries import row_of as delivery_row_of
from services.api.console.views.details import (
    Details,
    Wanted,
    deliveries_of,
    other_of,
    previous_secret_of,
    tools_of,
)
from services.api.console.views.layout import Notice
from services.api.console.views.plots import figures_of
from services.api.console.views.replays import ReplayPart, replay_of
from services.api.console.views.sunset import DraftCard, card_of_draft, card_of_newer, card_of_published, warning_here
from services.api.console.views.webhooks import choices, row_of
from services.api.console.visitor import Viewer, Visitor
from services.api.ids import id_of
from services.api.pulse.service import SILENCE
from services.api.refusals import InvalidInput, NoSuchDraft, NotFound
from services.api.sessions.cookies import SESSION
from services.api.webhooks.schemas import WebhookView

router = APIRouter()

PAGE_SIZE = 20
DAY_MS = 86_400_000
# An open page is not a request: whether its session still lasts is looked at every so many times.
LOOKS_PER_CHECK = 10

Text = Annotated[str, Query(max_length=200)]


def _wanted(
    state: Text = "",
    trigger: Annotated[Text, Query(alias="type")] = "",
    child: Text = "",
    since: Annotated[Text, Query(alias="from")] = "",
    until: Text = "",
) -> Wanted:
    return Wanted(
        state=next((one for one in DeliveryState if one.value == state), None),
        trigger=next((one for one in Trigger if one.value == trigger), None),
        workspace_id=printable(child)[:128],
        since=read_minute(since),
        until=read_minute(until),
    )


WantedHere = Annotated[Wanted, Depends(_wanted)]


@router.get(at(places.ONE))
async def details_page(
    webhook_id: str,
    visitor: Viewer,
    wanted: WantedHere,
    *,
    cursor: Text = "",
    span: Text = "1",
    told: Text = "",
) -> Response:
    """Show a webhook."""
    _, view = await visitor.rooms.webhooks.one(visitor.caller, id_of(webhook_id, NotFound))
    days = int(span) if span in words.SPANS else 1
    text = words.TOLD.get(told)
    details = await _details(visitor, view, wanted, cursor=cursor, days=days)
    layout = webhooks_layout(visitor, view.name, notice=None if text is None else Notice(text))
    return visitor.pages.page("details.html", layout=layout, details=details)


async def _details(visitor: Visitor, view: WebhookView, wanted: Wanted, *, cursor: str, days: int) -> Details:
    rooms, webhook_id = visitor.rooms, id_of(view.id, NotFound)
    since = int(visitor.now.timestamp() * 1000) - days * DAY_MS
    try:
        statistics = await rooms.histories.statistics(visitor.caller, webhook_id, since)
    except InvalidInput:
        # Deliveries are not kept that long.
        statistics = await rooms.histories.statistics(visitor.caller, webhook_id, None)
    try:
        history = await rooms.histories.of_webhook(
            visitor.caller, webhook_id, wanted.filters, cursor=cursor or None, size=PAGE_SIZE
        )
    except InvalidInput:
        # An address that was shortened by hand: the newest are shown.
        cursor, wanted = "", Wanted(None, None, "", None, None)
        history = await rooms.histories.of_webhook(
            visitor.caller, webhook_id, wanted.filters, cursor=None, size=PAGE_SIZE
        )
    return Details(
        row=row_of(view, SILENCE, visitor),
        tools=tools_of(view, visitor),
        warning=warning_here(view, visitor.now),
        figures=figures_of(statistics),
        spans=choices(words.SPANS, str(days)),
        span_action=paths.webhook(view.id),
        previous_secret=previous_secret_of(view),
        shadow_url=view.shadow_url or "",
        other=other_of(view, visitor),
        draft=await _draft(visitor, view),
        replay=await _replay(visitor, view),
        deliveries=deliveries_of(history, wanted, visitor, view, is_first=not cursor),
    )


async def _draft(visitor: Visitor, view: WebhookView) -> DraftCard | None:
    """Return what can be done about a later version, or about having moved to one."""
    rooms = visitor.rooms
    if view.status == "draft" and view.draft_of is not None:
        _, original = await rooms.webhooks.one(visitor.caller, id_of(view.draft_of, NotFound))
        return card_of_draft(original, view, visitor)
    if view.replaced_by is not None:
        return None
    try:
        _, draft = await rooms.drafts.one(visitor.caller, id_of(view.id, NotFound))
    except NoSuchDraft:
        pass
    else:
        return card_of_draft(view, draft, visitor)
    newest = max((await rooms.webhooks.rules_of_create()).versions, default=view.version)
    if newest > view.version:
        return card_of_newer(view, newest, visitor)
    if view.replaces is not None:
        _, old = await rooms.webhooks.one(visitor.caller, id_of(view.replaces, NotFound))
        return card_of_published(view, old, visitor)
    return None


async def _replay(visitor: Visitor, view: WebhookView) -> ReplayPart | None:
    """Return the replay that is under way."""
    found = await visitor.rooms.replays.page(visitor.caller, id_of(view.id, NotFound), page=0, page_size=1)
    running = [one for one in found.items if one.state == "running"]
    return replay_of(running[0], visitor, webhook_id=view.id) if running else None


@router.get(at(places.ONE) + "/live")
async def deliveries_live(webhook_id: str, request: Request, visitor: Viewer, wanted: WantedHere) -> Response:
    """Tell the newest deliveries as they change, as server-sent events."""
    await visitor.rooms.webhooks.one(visitor.caller, id_of(webhook_id, NotFound))
    token = visitor.rooms.front.cookies.read(request, SESSION)
    stream = _pieces(webhook_id, visitor, wanted, token=token)
    return StreamingResponse(stream, media_type=streams.MEDIA_TYPE, headers={**SECURITY, **streams.HEADERS})


async def _pieces(webhook_id: str, visitor: Visitor, wanted: Wanted, *, token: str | None) -> AsyncIterator[str]:
    looks, seen, shown = 0, "", ""

    async def look() -> str | None:
        nonlocal looks, seen, shown
        looks += 1
        if looks % LOOKS_PER_CHECK == 0 and not await visitor.rooms.sessions.lasts(token):
            return None
        try:
            history = await visitor.rooms.histories.of_webhook(
                visitor.caller, id_of(webhook_id, NotFound), wanted.filters, cursor=None, size=PAGE_SIZE
            )
        except NotFound:
            return None
        # Comparing is cheaper than rendering.
        found = history.model_dump_json()
        if found != seen:
            rows = [delivery_row_of(one, visitor) for one in history.items]
            seen, shown = (
                found,
                json.dumps([[row.id, visitor.pages.part("delivery_row.html", row=row)] for row in rows]),
            )
        return shown

    async for piece in visitor.rooms.live.stream(visitor.session.token_hash, look):
        yield piece
