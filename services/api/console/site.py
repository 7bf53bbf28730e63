"""The console as an application of its own below /portal: its addresses, and a page for everything that goes wrong."""

from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from coro_events.errors import StoreUnavailableError
from coro_events.runtime.logs import get_logger
from services.api.console import paths
from services.api.console.keeping import kept_by
from services.api.console.pages import Pages
from services.api.console.routes import (
    activity,
    credentials,
    deliveries,
    details,
    drafting,
    editing,
    explaining,
    files,
    overview,
    replaying,
    rotating,
    sign_in,
    verifying,
    webhooks,
    workspaces,
)
from services.api.console.routes.moving import go
from services.api.console.texts import common
from services.api.console.visitor import pages_of, session_of
from services.api.edge import wide_of
from services.api.errors import answer_of
from services.api.refusals import ForeignForm, NoSession, Refusal
from services.api.rooms import Rooms
from services.api.sessions.cookies import SESSION

# What a script that fetches a part of a page sends along, so that it is not led to another page.
PART_HEADER = "X-Coro-Part"

_log = get_logger("api")


def make_site(rooms: Rooms) -> FastAPI:
    """Make the console; new pages join here."""
    site = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    site.state.rooms = rooms
    site.state.pages = Pages(https=rooms.front.cookies.secure)
    # `new` is no id: what has a path of its own comes first.
    for room in (files, sign_in, workspaces, editing, webhooks):
        site.include_router(room.router)
    for room in (details, deliveries, replaying, rotating, explaining, verifying, drafting):
        site.include_router(room.router)
    for room in (overview, activity, credentials):
        site.include_router(room.router)
    site.add_exception_handler(NoSession, _to_sign_in)
    site.add_exception_handler(Refusal, _refused)
    site.add_exception_handler(RequestValidationError, _unreadable)
    site.add_exception_handler(HTTPException, _framework_refused)
    site.add_exception_handler(StoreUnavailableError, _postponed)
    site.add_exception_handler(Exception, _failed)
    return site


async def _to_sign_in(request: Request, _: Exception) -> Response:
    """Lead to sign-in, and from there back; after a form, to the page that it was on, with what was typed there."""
    if PART_HEADER in request.headers:
        return _fault(request, 401)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    then = here if request.method == "GET" else _page_before(request)
    rooms: Rooms = request.app.state.rooms
    if (kept := kept_by(request)) is not None:
        return sign_in.sign_in_again(rooms, pages_of(request), kept, then=then)
    had_session = rooms.front.cookies.read(request, SESSION) is not None
    query = {"told": "over" if had_session else "", "then": then if then != paths.HOME else ""}
    target = f"{paths.SIGN_IN}?{urlencode({name: value for name, value in query.items() if value})}"
    return go(target.rstrip("?"))


def _page_before(request: Request) -> str:
    """Return the page of ours that a form was on."""
    before = request.headers.get("referer", "").partition("://")[2].partition("/")[2]
    return f"/{before}" if paths.is_ours(f"/{before}") else paths.HOME


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, Refusal):
        raise TypeError("only refusals are answered here") from error
    headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    if isinstance(error, ForeignForm):
        return await _foreign(request)
    return _fault(request, answer_of(type(error)).status, detail=error.detail, headers=headers)


async def _foreign(request: Request) -> Response:
    """Refuse a form; one from our own page may be sent again, by a person who has seen that it was not taken."""
    kept, session = kept_by(request), await session_of(request, request.app.state.rooms)
    if kept is None or session is None or PART_HEADER in request.headers:
        return _fault(request, 403, words=common.FOREIGN_FORM)
    return sign_in.kept_page(pages_of(request), kept, session, then=_page_before(request), status=403)


async def _unreadable(request: Request, _: Exception) -> Response:
    return _fault(request, 400)


async def _framework_refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 400
    return _fault(request, status)


async def _postponed(request: Request, error: Exception) -> Response:
    _log.warning("request.postponed", trace_id=wide_of(request.scope).trace_id, error=str(error))
    return _fault(request, 503, headers={"Retry-After": "1"})


async def _failed(request: Request, _: Exception) -> Response:
    return _fault(request, 500)


def _fault(
    request: Request,
    status: int,
    *,
    words: tuple[str, str] | None = None,
    detail: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    title, text = words or common.FAULTS.get(status) or common.FAULTS[400 if status < 500 else 500]  # noqa: PLR2004 - statuses are known by their numbers
    trace_id = wide_of(request.scope).trace_id
    page = pages_of(request).page(
        "fault.html", status=status, title=title, text=text, detail=detail or "", trace_id=trace_id
    )
    page.headers.update(headers or {})
    return page
