"""The warning of a version's last week: a banner on every visit, a pop-up once per sign-in."""

from fastapi import Request, Response

from services.api.console.views.sunset import Warned, warned_of
from services.api.console.visitor import Visitor

COOKIE = "coro_sunset_seen"
# Enough to tell one session from the next, and nothing to sign in with.
_DIGITS = 16


async def warning_of(request: Request, visitor: Visitor) -> Warned | None:
    """Return the warning; it pops up for those who can do something about it."""
    soon = await visitor.rooms.attention.expiring(visitor.caller)
    seen = visitor.rooms.front.cookies.read(request, COOKIE) == _mark(visitor)
    return warned_of(soon, visitor, pops_up=visitor.may_change and not seen)


def remembered(response: Response, visitor: Visitor, warned: Warned | None) -> Response:
    """Return the page, and keep in the browser that the warning was shown since this sign-in."""
    if warned is not None and warned.pops_up:
        life_s = int(visitor.rooms.sessions.life.whole.total_seconds())
        visitor.rooms.front.cookies.write(response, COOKIE, _mark(visitor), life_s=life_s)
    return response


def _mark(visitor: Visitor) -> str:
    return visitor.session.token_hash.hex()[:_DIGITS]
