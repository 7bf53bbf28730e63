"""Replay: counted first, then asked for, then followed."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from services.api.console import paths, places
from services.api.console.reading import read_minute, read_model, write_minute
from services.api.console.routes.moving import at, go
from services.api.console.routes.webhooks import webhooks_layout
from services.api.console.texts import details as words
from services.api.console.views.layout import Notice
from services.api.console.views.replays import counted_of, replay_of
from services.api.console.views.webhooks import sentence
from services.api.console.visitor import Administrator, SentByAdministrator, Viewer, Visitor
from services.api.deliveries.schemas import DEFAULT_RATE, ReplayCounts, ReplayRequest
from services.api.ids import id_of
from services.api.refusals import Fault, InvalidInput, NoSuchReplay, NotFound
from services.api.webhooks.view import milliseconds

router = APIRouter()

DEFAULT_SPAN = timedelta(hours=24)
SHOWN = 10

Text = Annotated[str, Query(max_length=100)]


@router.get(at(places.ONE) + "/replay")
async def replay_page(
    webhook_id: str,
    visitor: Administrator,
    *,
    since: Text = "",
    include: Annotated[list[str] | None, Query(max_length=3)] = None,
    rate: Text = "",
    told: Text = "",
) -> Response:
    """Show the form, and what a replay would send once it was filled in."""
    webhook, view = await visitor.rooms.webhooks.one(visitor.caller, id_of(webhook_id, NotFound))
    chosen = [name for name in words.INCLUDES if include is None or name in include]
    typed: dict[str, Any] = {
        "since": since or write_minute(visitor.now - DEFAULT_SPAN),
        "include": chosen,
        "rate": rate or str(DEFAULT_RATE),
    }
    counts: ReplayCounts | None = None
    faults: list[Fault] = []
    if since:
        try:
            counts = await visitor.rooms.replays.count(visitor.caller, webhook.id, _request(typed))
        except InvalidInput as error:
            faults = list(error.faults)
    recent = await visitor.rooms.replays.page(visitor.caller, webhook.id, page=0, page_size=SHOWN)
    text = words.TOLD.get(told)
    return visitor.pages.page(
        "replay.html",
        status=400 if faults else 200,
        layout=webhooks_layout(
            visitor, words.REPLAY_TITLE.format(name=view.name), notice=None if text is None else Notice(text)
        ),
        typed=typed,
        counted=None if counts is None else counted_of(counts),
        faults={fault.field: sentence(fault.message) for fault in faults},
        is_enabled=view.status == "enabled",
        back=(view.name, visitor.link(paths.webhook(view.id))),
        action=paths.webhook(view.id, "replay"),
        start=visitor.link(paths.webhook(view.id, "replay")),
        replays=[replay_of(one, visitor, webhook_id=view.id) for one in recent.items],
    )


@router.post(at(places.ONE) + "/replay")
async def start_replay(webhook_id: str, sent: SentByAdministrator) -> Response:
    """Ask for a replay."""
    visitor, form = sent.visitor, sent.form
    typed = {"since": form.text("since"), "include": form.all("include"), "rate": form.text("rate")}
    webhook = id_of(webhook_id, NotFound)
    await visitor.rooms.replays.request(visitor.caller, webhook, _request(typed))
    return go(f"{visitor.link(paths.webhook(str(webhook), 'replay'))}#replays")


@router.get(at(places.ONE) + "/replays/{replay_id}")
async def replay_part(webhook_id: str, replay_id: str, visitor: Viewer) -> Response:
    """Return how far a replay has come, as a part of a page."""
    webhook = id_of(webhook_id, NotFound)
    view = await visitor.rooms.replays.one(visitor.caller, webhook, id_of(replay_id, NoSuchReplay))
    replay = replay_of(view, visitor, webhook_id=str(webhook))
    return visitor.pages.page("replay_progress.html", replay=replay, csrf=visitor.session.csrf)


@router.post(at(places.ONE) + "/replays/{replay_id}/cancel")
async def cancel_replay(webhook_id: str, replay_id: str, sent: SentByAdministrator) -> Response:
    """Cancel a replay."""
    visitor = sent.visitor
    webhook = id_of(webhook_id, NotFound)
    await visitor.rooms.replays.cancel(visitor.caller, webhook, id_of(replay_id, NoSuchReplay))
    return go(_replays(visitor, str(webhook), "cancelled"))


def _replays(visitor: Visitor, webhook_id: str, told: str) -> str:
    return visitor.link(paths.webhook(webhook_id, "replay"), told=told)


def _request(typed: dict[str, Any]) -> ReplayRequest:
    since: datetime | None = read_minute(typed["since"])
    if since is None:
        raise InvalidInput(Fault("since", words.NO_SINCE))
    rate = typed["rate"].strip()
    return read_model(
        ReplayRequest,
        {
            "since": milliseconds(since),
            "include": typed["include"],
            "ratePerSecond": int(rate) if rate.isascii() and rate.isdecimal() else rate,
        },
    )
