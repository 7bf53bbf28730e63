"""Makes, lists and revokes API credentials; each change in one transaction with its line in the activity log."""

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from coro_events.runtime.clock import Clock
from services.api.access.roles import Role, allows
from services.api.access.service import Caller
from services.api.credentials.ports import ApiCredential, CredentialStore
from services.api.credentials.schemas import CreatedCredential, CredentialCreate, CredentialView
from services.api.idempotency.ports import Keep
from services.api.paging import Page
from services.api.refusals import Fault, InvalidInput, NoSuchCredential, RoleTooLow, TooManyCredentials
from services.api.webhooks.ports import Activity
from services.api.webhooks.view import milliseconds

MAX_ACTIVE_CREDENTIALS = 10
# Bytes of chance: a client id need not be guessed, a secret must not be.
CLIENT_ID_BYTES = 18
SECRET_BYTES = 32
_START = datetime(1970, 1, 1, tzinfo=UTC)


class ApiCredentials:
    """Manages the credentials of one workspace at a time."""

    def __init__(self, *, store: CredentialStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def create(
        self, caller: Caller, body: CredentialCreate, *, keep: Keep[CreatedCredential] | None = None
    ) -> CreatedCredential:
        """Make a credential; its secret is in the answer and nowhere else.

        Args:
            caller: Who makes it, and in which workspace.
            body: As it was read.
            keep: Makes the answer to keep, where the request has an idempotency key.

        Raises:
            RoleTooLow: It would have a higher role than the caller.
            InvalidInput: It would expire in the past.
            TooManyCredentials: The workspace has as many as it may.
        """
        now, role = self._clock.now(), Role(body.role)
        if not allows(caller.role, role):
            raise RoleTooLow(f"a credential with the role {role.value} takes that role")
        expires_at = None if body.expires is None else _START + timedelta(milliseconds=body.expires)
        if expires_at is not None and expires_at <= now:
            raise InvalidInput(Fault("expires", "must be in the future"))
        secret = secrets.token_urlsafe(SECRET_BYTES)
        credential = ApiCredential(
            id=uuid.uuid4(),
            client_id=secrets.token_urlsafe(CLIENT_ID_BYTES),
            name=body.name,
            workspace_id=caller.workspace_id,
            role=role,
            created_at=now,
            expires_at=expires_at,
        )
        created = CreatedCredential(**_fields(credential, now), client_secret=secret)
        async with self._store.change() as change:
            if await change.reserve(caller.workspace_id, now) >= MAX_ACTIVE_CREDENTIALS:
                raise TooManyCredentials(f"{MAX_ACTIVE_CREDENTIALS} in force are the most; revoke one first")
            # 256 bits of chance cannot be tried out, so a quick hash protects them as well as a slow one.
            await change.insert(credential, secret_hash=hashlib.sha256(secret.encode()).digest())
            detail = {"name": credential.name, "role": role.value}
            await change.record(_told(caller, credential, "credential.created", now, detail))
            if keep is not None:
                await change.keep(keep(created))
        return created

    async def one(self, caller: Caller, credential_id: uuid.UUID) -> CredentialView:
        """Return a credential of the workspace.

        Raises:
            NoSuchCredential: The workspace has no such credential.
        """
        credential = await self._store.one(caller.workspace_id, credential_id)
        if credential is None:
            raise NoSuchCredential
        return CredentialView(**_fields(credential, self._clock.now()))

    async def page(self, caller: Caller, *, page: int, page_size: int) -> Page[CredentialView]:
        """Return one page of the workspace's credentials, newest first; those revoked and expired too."""
        credentials, total = await self._store.page(caller.workspace_id, page=page, page_size=page_size)
        now = self._clock.now()
        return Page(items=[CredentialView(**_fields(one, now)) for one in credentials], totalElements=total)

    async def revoke(self, caller: Caller, credential_id: uuid.UUID) -> None:
        """Put a credential out of force, its tokens with it; one that was revoked before stays as it is.

        Raises:
            NoSuchCredential: The workspace has no such credential.
            RoleTooLow: It is an internal service's, which operators manage.
        """
        now = self._clock.now()
        async with self._store.change() as change:
            credential = await change.lock(caller.workspace_id, credential_id)
            if credential is None:
                raise NoSuchCredential
            if not allows(caller.role, credential.role):
                raise RoleTooLow(f"a credential with the role {credential.role.value} takes that role")
            if credential.revoked_at is None:
                await change.revoke(credential_id, now)
                await change.record(_told(caller, credential, "credential.revoked", now, {"name": credential.name}))


def _fields(credential: ApiCredential, now: datetime) -> dict[str, object]:
    return {
        "id": str(credential.id),
        "client_id": credential.client_id,
        "name": credential.name,
        "workspace_id": credential.workspace_id,
        "role": credential.role.value,
        "status": _status(credential, now),
        "created": milliseconds(credential.created_at),
        "expires": _milliseconds_or_none(credential.expires_at),
        "last_used": _milliseconds_or_none(credential.last_used_at),
        "revoked": _milliseconds_or_none(credential.revoked_at),
    }


def _status(credential: ApiCredential, now: datetime) -> str:
    if credential.revoked_at is not None:
        return "revoked"
    return "active" if credential.expires_at is None or now < credential.expires_at else "expired"


def _milliseconds_or_none(instant: datetime | None) -> int | None:
    return None if instant is None else milliseconds(instant)


def _told(
    caller: Caller, credential: ApiCredential, action: str, now: datetime, detail: Mapping[str, object]
) -> Activity:
    return Activity(
        workspace_id=credential.workspace_id,
        at=now,
        actor=caller.actor,
        action=action,
        subject=str(credential.id),
        detail={**detail, "clientId": credential.client_id},
    )
