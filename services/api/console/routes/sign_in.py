"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.api.console import paths
from services.api.console.forms import read_form, require_own_origin
from services.api.console.keeping import Kept, carried_by
from services.api.console.pages import Pages
from services.api.console.routes.moving import at, go
from services.api.console.texts import sign_in as words
from services.api.console.visitor import PagesHere, SentByAnyone, session_of
from services.api.refusals import ProviderFailed, SignInFailed, TooManyAttempts
from services.api.rooms import Rooms, RoomsHere
from services.api.sessions.cookies import OPENID, SESSION
from services.api.sessions.openid import AWAY_S, Arrival
from services.api.sessions.ports import Session
from services.api.sessions.service import Browser, Opened

router = APIRouter()

_TOLD = {
    "out": words.SIGNED_OUT,
    "everywhere": words.SIGNED_OUT_EVERYWHERE,
    "over": words.SESSION_OVER,
}
_MINUTE_S = 60


@router.get(at(paths.SIGN_IN))
async def sign_in_page(
    request: Request, rooms: RoomsHere, pages: PagesHere, then: str = "", told: str = ""
) -> Response:
    """Show the form, or go on where somebody is signed in already."""
    if await session_of(request, rooms) is not None:
        return go(_target(then))
    return _page(rooms, pages, then=then, told=_TOLD.get(told, ""))


@router.post(at(paths.SIGN_IN))
async def sign_in(request: Request, rooms: RoomsHere, pages: PagesHere) -> Response:
    """Sign in with a password."""
    require_own_origin(request, rooms.front.origin)
    form = await read_form(request)
    email, then, kept = form.text("email"), form.text("then"), carried_by(form)
    try:
        opened = await rooms.sessions.sign_in(
            email=email, password=form.text("password"), browser=_browser(request, rooms)
        )
    except TooManyAttempts as error:
        seconds = error.retry_after_s or 1
        wait = f"{seconds} seconds" if seconds < _MINUTE_S else f"{-(-seconds // _MINUTE_S)} minutes"
        fault = words.TOO_MANY.format(wait=wait)
        page = _page(rooms, pages, email=email, then=then, kept=kept, fault=fault, status=429)
        page.headers["Retry-After"] = str(seconds)
        return page
    except SignInFailed:
        return _page(rooms, pages, email=email, then=then, kept=kept, fault=words.FAILED, status=400)
    if kept is not None:
        return _with_session(rooms, opened, kept_page(pages, kept, opened.session, then=then))
    return _signed_in(rooms, opened, then)


@router.post(at(paths.KEPT))
async def kept(request: Request, rooms: RoomsHere, pages: PagesHere) -> Response:
    """Go on with what was typed, once somebody has signed in in another tab."""
    require_own_origin(request, rooms.front.origin)
    form = await read_form(request)
    then, carried = form.text("then"), carried_by(form)
    if carried is None:
        return go(_target(then))
    session = await session_of(request, rooms)
    if session is None:
        return sign_in_again(rooms, pages, carried, then=then)
    return kept_page(pages, carried, session, then=then)


@router.get(at(paths.OPENID))
async def depart(request: Request, rooms: RoomsHere, pages: PagesHere, then: str = "") -> Response:
    """Lead to the OpenID provider."""
    if rooms.openid is None:
        return go(paths.SIGN_IN)
    try:
        departure = await rooms.openid.depart(redirect_uri=_redirect_uri(request, rooms), then=then)
    except ProviderFailed as error:
        return _page(rooms, pages, then=then, fault=_openid_fault(error), status=503)
    response = go(departure.url)
    rooms.front.cookies.write(response, OPENID, departure.cookie, life_s=AWAY_S)
    return response


@router.get(at(paths.OPENID_BACK))
async def arrive(
    request: Request,
    rooms: RoomsHere,
    pages: PagesHere,
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str, Query(max_length=4096)] = "",
) -> Response:
    """Take in who comes back from the OpenID provider."""
    if rooms.openid is None:
        return go(paths.SIGN_IN)
    cookie = rooms.front.cookies.read(request, OPENID) or ""
    try:
        user, then = await rooms.openid.arrive(Arrival(state, code, cookie, _redirect_uri(request, rooms)))
    except (ProviderFailed, SignInFailed) as error:
        status = 503 if isinstance(error, ProviderFailed) else 400
        response: Response = _page(rooms, pages, fault=_openid_fault(error), status=status)
    else:
        opened = await rooms.sessions.begin(user, browser=_browser(request, rooms), by="openid")
        response = _signed_in(rooms, opened, then)
    rooms.front.cookies.forget(response, OPENID)
    return response


@router.post(at(paths.SIGN_OUT))
async def sign_out(sent: SentByAnyone) -> Response:
    """End this session."""
    visitor = sent.visitor
    await visitor.rooms.sessions.sign_out(visitor.session)
    return _signed_out(visitor.rooms, "out")


@router.post(at(paths.SIGN_OUT_EVERYWHERE))
async def sign_out_everywhere(sent: SentByAnyone) -> Response:
    """End all sessions of whoever asks."""
    visitor = sent.visitor
    await visitor.rooms.sessions.sign_out_everywhere(visitor.session)
    return _signed_out(visitor.rooms, "everywhere")


def sign_in_again(rooms: Rooms, pages: Pages, kept: Kept, *, then: str) -> Response:
    """Return the form of sign-in with what was typed into a form whose session is over."""
    return _page(rooms, pages, then=then, kept=kept, told=words.SESSION_OVER_KEPT, status=401)


def kept_page(pages: Pages, kept: Kept, session: Session, *, then: str, status: int = 200) -> Response:
    """Return the page that sends the form again, by the token of the new session."""
    return pages.page("kept.html", status=status, kept=kept, csrf=session.csrf, then=_target(then))


def _page(
    rooms: Rooms,
    pages: Pages,
    *,
    kept: Kept | None = None,
    email: str = "",
    then: str = "",
    fault: str = "",
    told: str = "",
    status: int = 200,
) -> Response:
    target = then if paths.is_ours(then) else ""
    return pages.page(
        "sign_in.html",
        status=status,
        email=email,
        then=target,
        fault=fault,
        told=told,
        kept=kept,
        openid=rooms.openid is not None,
    )


def _signed_in(rooms: Rooms, opened: Opened, then: str) -> Response:
    return _with_session(rooms, opened, go(_target(then)))


def _with_session(rooms: Rooms, opened: Opened, response: Response) -> Response:
    life_s = int(rooms.sessions.life.whole.total_seconds())
    rooms.front.cookies.write(response, SESSION, opened.token, life_s=life_s)
    return response


def _signed_out(rooms: Rooms, told: str) -> Response:
    response = go(f"{paths.SIGN_IN}?told={told}")
    rooms.front.cookies.forget(response, SESSION)
    return response


def _target(then: str) -> str:
    return then if paths.is_ours(then) else paths.HOME


def _browser(request: Request, rooms: Rooms) -> Browser:
    return Browser(
        address=request.client.host if request.client is not None else "",
        user_agent=request.headers.get("user-agent", ""),
        token=rooms.front.cookies.read(request, SESSION),
    )


def _redirect_uri(request: Request, rooms: Rooms) -> str:
    origin = rooms.front.origin or f"{request.url.scheme}://{request.headers.get('host', '')}"
    return f"{origin}{paths.OPENID_BACK}"


def _openid_fault(error: ProviderFailed | SignInFailed) -> str:
    return words.OPENID_FAILED.format(reason=(error.detail or str(error)).rstrip("."))
