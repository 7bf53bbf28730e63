"""The console's cookies: unreadable to scripts, of this host alone, sent over https alone where there is https."""

from typing import NamedTuple

from fastapi import Request, Response

# Browsers keep a cookie of this name only when it is Secure, of this host and for all of its paths.
_HOST_PREFIX = "__Host-"
SESSION = "coro-session"
OPENID = "coro-openid"


class Cookies(NamedTuple):
    """Reads and writes cookies.

    Attributes:
        secure: Whether browsers reach the console over https.
    """

    secure: bool

    def read(self, request: Request, name: str) -> str | None:
        """Return what the browser keeps under a name."""
        return request.cookies.get(self._named(name))

    def write(self, response: Response, name: str, value: str, *, life_s: int) -> None:
        """Let the browser keep something, in seconds from now."""
        response.set_cookie(
            self._named(name),
            value,
            max_age=life_s,
            path="/",
            secure=self.secure,
            httponly=True,
            # Links in mails must open the console signed in, so not `strict`; forms are guarded by their token.
            samesite="lax",
        )

    def forget(self, response: Response, name: str) -> None:
        """Let the browser forget something."""
        response.delete_cookie(self._named(name), path="/", secure=self.secure, httponly=True, samesite="lax")

    def _named(self, name: str) -> str:
        return f"{_HOST_PREFIX}{name}" if self.secure else name
