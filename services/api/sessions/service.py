"""Signs people in and out, and says who a browser is."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from coro_events.runtime.clock import Clock
from services.api.access.throttle import FailedAttempts
from services.api.refusals import SignInFailed
from services.api.sessions.passwords import Passwords
from services.api.sessions.ports import Session, SessionStore, Told, User

# Bytes of chance of a session's token and of its forms' token.
TOKEN_BYTES = 32
# When a session was last used is needed to the minute; writing it at every request would make a hot row.
SEEN_STEP = timedelta(minutes=1)
MAX_USER_AGENT_CHARACTERS = 200
MAX_EMAIL_CHARACTERS = 254
MAX_TOKEN_CHARACTERS = 100


class Life(NamedTuple):
    """How long a session lasts: without a request, and at all."""

    idle: timedelta
    whole: timedelta


class Browser(NamedTuple):
    """Where a sign-in comes from.

    Attributes:
        address: The client's, as far as we can see.
        token: Of the session that the browser has already, if any.
    """

    address: str
    user_agent: str
    token: str | None = None


class Opened(NamedTuple):
    """A session just begun, and the token that opens it."""

    session: Session
    token: str


class Sessions:
    """The sessions of the console."""

    def __init__(self, *, store: SessionStore, passwords: Passwords, clock: Clock, life: Life) -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock
        self._life = life
        self._failures = FailedAttempts(clock)

    @property
    def life(self) -> Life:
        """How long sessions last."""
        return self._life

    async def sign_in(self, *, email: str, password: str, browser: Browser) -> Opened:
        """Begin a session with a password.

        Raises:
            TooManyAttempts: The email address or the client's address has failed too often.
            SignInFailed: There is no such user, or the password is another one.
        """
        address = email.strip().lower()
        # What PostgreSQL could not hold is nobody's address.
        known = len(address) <= MAX_EMAIL_CHARACTERS and address.isprintable()
        self._failures.require_few(client_id=f"user:{address}", address=browser.address)
        user = await self._store.user_by_email(address) if known else None
        if not await self._passwords.matches(None if user is None else user.password_hash, password) or user is None:
            self._failures.add(client_id=f"user:{address}", address=browser.address)
            if user is not None:
                await self._store.record(self._told(user, "user.sign_in_failed", {"by": "password"}))
            raise SignInFailed
        return await self.begin(user, browser=browser, by="password")

    async def begin(self, user: User, *, browser: Browser, by: str) -> Opened:
        """Begin a session of a user who has proven who that is; a session that the browser had before ends."""
        now = self._clock.now()
        token = secrets.token_urlsafe(TOKEN_BYTES)
        session = Session(
            token_hash=_hash(token),
            user=user,
            csrf=secrets.token_urlsafe(TOKEN_BYTES),
            created_at=now,
            last_seen_at=now,
            expires_at=now + self._life.whole,
            user_agent=_shown(browser.user_agent),
        )
        before = None if browser.token is None else _hash(browser.token)
        await self._store.open(session, self._told(user, "user.signed_in", {"by": by}), instead_of=before)
        return Opened(session, token)

    async def current(self, token: str | None) -> Session | None:
        """Return the session that a token opens, as long as it lasts."""
        if token is None or len(token) > MAX_TOKEN_CHARACTERS:
            return None
        session = await self._store.find(_hash(token))
        now = self._clock.now()
        if session is None or now >= min(session.expires_at, session.last_seen_at + self._life.idle):
            return None
        if now - session.last_seen_at >= min(SEEN_STEP, self._life.idle / 2):
            await self._store.mark_seen(session, now)
        return session

    async def lasts(self, token: str | None) -> bool:
        """Return whether a session still lasts; an open page that looks does not make it last longer."""
        session = None if token is None else await self._store.find(_hash(token))
        return session is not None and self._clock.now() < lasts_until(session, self._life)

    async def sign_out(self, session: Session) -> None:
        """End a session."""
        await self._store.close(session, self._told(session.user, "user.signed_out", {}))

    async def sign_out_everywhere(self, session: Session) -> int:
        """End all sessions of a session's user; return how many there were."""
        return await self._store.close_all(self._told(session.user, "user.signed_out_everywhere", {}))

    def _told(self, user: User, action: str, detail: Mapping[str, object]) -> Told:
        return Told(user, action, self._clock.now(), detail)


def same_form(session: Session, given: str) -> bool:
    """Return whether a form carries the token of a session."""
    return secrets.compare_digest(session.csrf.encode(), given.encode("utf-8", "replace"))


def lasts_until(session: Session, life: Life) -> datetime:
    """Return when a session ends if nothing more is asked."""
    return min(session.expires_at, session.last_seen_at + life.idle)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _shown(user_agent: str) -> str:
    return "".join(filter(str.isprintable, user_agent))[:MAX_USER_AGENT_CHARACTERS]
