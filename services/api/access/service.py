"""Signs clients in, and says who a caller is and what it may do where."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from coro_events.contract.envelope import read_workspace_id
from coro_events.runtime.clock import Clock
from services.api.access.ports import Credential, Credentials, Member
from services.api.access.roles import Role, allows
from services.api.access.throttle import FailedAttempts
from services.api.access.tokens import Tokens
from services.api.limits import Buckets
from services.api.refusals import (
    Fault,
    InvalidInput,
    NotSignedIn,
    OutOfReach,
    RoleTooLow,
    TooManyRequests,
    UnknownClient,
    UnsupportedGrant,
)

GRANT_TYPE = "client_credentials"
# Last use is shown in days; writing it at every request would make a hot row.
LAST_USE_STEP = timedelta(minutes=1)
# Compared with when the client is unknown, so that both cases take the same time.
_NO_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and for which workspace.

    Attributes:
        client_id: Of the credential; a person's email address at the console.
        workspace_id: The one that the request is about; within the credential's reach, or the person's.
    """

    client_id: str
    workspace_id: str
    role: Role
    kind: Literal["credential", "user"] = "credential"

    @property
    def actor(self) -> str:
        """Return the caller as the activity log names it."""
        return f"{self.kind}:{self.client_id}"


class Access:
    """Who may do what where."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        tokens: Tokens,
        clock: Clock,
        requests: Buckets | None,
        audiences: frozenset[str] = frozenset(),
    ) -> None:
        """Make it; `requests` bounds how often each credential may call, none does not."""
        self._credentials = credentials
        self._tokens = tokens
        self._clock = clock
        self._audiences = audiences
        self._requests = requests
        self._failures = FailedAttempts(clock)

    @property
    def token_life_s(self) -> int:
        """Return how long a token is good, in seconds."""
        return self._tokens.life_s

    async def sign_in(self, *, client_id: str, client_secret: str, audience: str, grant_type: str, address: str) -> str:
        """Return an access token for a client; `address` is where it calls from.

        Raises:
            UnsupportedGrant: It asks for another grant than client credentials.
            InvalidInput: The audience is not this service.
            TooManyAttempts: The client id or the address has failed too often.
            UnknownClient: Id and secret do not match, or the credential is revoked or expired.
        """
        if grant_type != GRANT_TYPE:
            raise UnsupportedGrant(Fault("grant_type", f"must be {GRANT_TYPE}"))
        if self._audiences and audience not in self._audiences:
            raise InvalidInput(Fault("audience", "is not the URL of this API"))
        self._failures.require_few(client_id=client_id, address=address)
        found = await self._credentials.find(client_id)
        expected = found.credential.secret_hash if found is not None else _NO_HASH
        given = hashlib.sha256(client_secret.encode()).digest()
        matches = hmac.compare_digest(given, expected)
        now = self._clock.now()
        if found is None or not matches or not found.credential.is_in_force(now):
            self._failures.add(client_id=client_id, address=address)
            raise UnknownClient
        await self._credentials.record_sign_in(found.credential, now)
        return self._tokens.issue(client_id=client_id, audience=audience)

    async def caller(self, *, token: str, workspace_id: str, needed: Role, services_too: bool = False) -> Caller:
        """Return who calls.

        Args:
            token: As the client presents it.
            workspace_id: As the request names it; not yet trusted.
            needed: The role that the operation asks for.
            services_too: Whether internal services may do it as well.

        Raises:
            TooManyRequests: The credential calls more often than it may.
            NotSignedIn: The token is not good, or its credential is no longer in force.
            InvalidInput: No workspace is named.
            OutOfReach: The workspace is neither the credential's nor one below it, or there is none of that id.
            RoleTooLow: The credential's role is not enough.
        """
        client_id = self._tokens.client_of(token)
        self._require_few(client_id)
        # What cannot be an id need not be asked for; PostgreSQL would refuse a NUL.
        asked = _possible(workspace_id)
        found = await self._credentials.find(client_id, asked)
        now = self._clock.now()
        if found is None or not found.credential.is_in_force(now):
            raise NotSignedIn
        credential = found.credential
        await self._keep_last_use(credential, now)
        # Whoever is not signed in is told that and nothing else.
        if not workspace_id:
            raise InvalidInput(Fault("Workspace", "is required, as a header"))
        if found.path is None or credential.workspace_id not in found.path:
            raise OutOfReach
        if not allows(credential.role, needed) and not (services_too and credential.role is Role.SERVICE):
            raise RoleTooLow(f"it takes the role {needed.value}")
        return Caller(client_id=client_id, workspace_id=workspace_id, role=credential.role)

    async def member(self, member: Member, *, workspace_id: str, needed: Role) -> Caller:
        """Return the caller that a person at the console is; the same rules hold as for a credential.

        Args:
            member: Who is signed in.
            workspace_id: As the page's address names it; not yet trusted.
            needed: The role that the page asks for.

        Raises:
            TooManyRequests: The person asks more often than a credential may.
            OutOfReach: The workspace is neither the person's nor one below it, or there is none of that id.
            RoleTooLow: The person's role is not enough.
        """
        self._require_few(f"user:{member.email}")
        asked = _possible(workspace_id)
        path = None if asked is None else await self._credentials.path(asked)
        if path is None or member.workspace_id not in path:
            raise OutOfReach
        if not allows(member.role, needed):
            raise RoleTooLow(f"it takes the role {needed.value}")
        return Caller(client_id=member.email, workspace_id=workspace_id, role=member.role, kind="user")

    def _require_few(self, who: str) -> None:
        wait_s = 0.0 if self._requests is None else self._requests.take(who)
        if wait_s > 0:
            raise TooManyRequests(wait_s)

    async def _keep_last_use(self, credential: Credential, now: datetime) -> None:
        if credential.last_used_at is None or now - credential.last_used_at >= LAST_USE_STEP:
            await self._credentials.mark_used(credential, now)


def _possible(workspace_id: str) -> str | None:
    try:
        return read_workspace_id("Workspace", workspace_id)
    except ValueError:
        return None
