"""API credentials: the list, a new one whose secret is shown once, and revoking."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from services.api.console import places
from services.api.console.reading import printable, read_minute, read_model
from services.api.console.routes.moving import at, go
from services.api.console.texts import credentials as words
from services.api.console.views.credentials import TypedCredential, listing_of
from services.api.console.views.layout import Layout, Notice, layout_of
from services.api.console.views.webhooks import sentence
from services.api.console.visitor import Sender, SentBySuperAdmin, SuperAdmin, Visitor
from services.api.credentials.schemas import CreatedCredential, CredentialCreate
from services.api.idempotency.ports import KeptAnswer
from services.api.ids import id_of
from services.api.refusals import Fault, InvalidInput, NotFound, TooManyCredentials
from services.api.webhooks.view import milliseconds

router = APIRouter()

PAGE_SIZE = 20
_KEY_BYTES = 18


@router.get(at(places.CREDENTIALS))
async def credentials_page(
    visitor: SuperAdmin,
    page: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    told: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Show the credentials of a workspace, and the form of a new one."""
    text = words.TOLD.get(told)
    return await _list(visitor, TypedCredential(), page=page, notice=None if text is None else Notice(text))


@router.post(at(places.CREDENTIALS))
async def create(sent: SentBySuperAdmin) -> Response:
    """Create a credential, and show its secret: no redirect follows, as no other page could show it."""
    visitor = sent.visitor
    typed = TypedCredential.of_form(sent.form)
    try:
        created = await _created(sent, read_model(CredentialCreate, _body(typed)))
    except (InvalidInput, TooManyCredentials) as error:
        faults = {fault.field: sentence(fault.message) for fault in error.faults}
        other = "" if faults else sentence(str(error.detail or error))
        return await _list(visitor, typed, faults=faults, other=other, status=400)
    layout = _layout(visitor, words.CREATED_TITLE)
    return visitor.pages.page(
        "credential_created.html", layout=layout, created=created, done=visitor.link(places.CREDENTIALS)
    )


async def _created(sent: Sender, body: CredentialCreate) -> CreatedCredential | None:
    """Create a credential; none where the form was sent before, as its secret is shown once."""
    caller, rooms = sent.visitor.caller, sent.visitor.rooms
    key = printable(sent.form.text("key"))[:100] or None
    async with rooms.idempotency.once(caller, key, operation="console createApiCredential", body=body) as once:
        if once.answer is not None:
            return None

        def keep(view: CreatedCredential) -> KeptAnswer:
            # What is kept for a repeat does not hold the secret.
            return once.keep(201, {}, view.model_copy(update={"client_secret": ""}))

        return await rooms.credentials.create(caller, body, keep=keep if once.is_kept else None)


@router.get(at(places.CREDENTIALS) + "/{credential_id}/revoke")
async def revoke_page(credential_id: str, visitor: SuperAdmin) -> Response:
    """Ask before a credential is revoked."""
    credential = await visitor.rooms.credentials.one(visitor.caller, id_of(credential_id, NotFound))
    return visitor.pages.page(
        "credential_revoke.html",
        layout=_layout(visitor, words.REVOKE_TITLE.format(name=credential.name)),
        action=visitor.link(f"{places.CREDENTIALS}/{credential.id}/revoke"),
        cancel=visitor.link(places.CREDENTIALS),
    )


@router.post(at(places.CREDENTIALS) + "/{credential_id}/revoke")
async def revoke(credential_id: str, sent: SentBySuperAdmin) -> Response:
    """Revoke a credential."""
    visitor = sent.visitor
    await visitor.rooms.credentials.revoke(visitor.caller, id_of(credential_id, NotFound))
    return go(visitor.link(places.CREDENTIALS, told="revoked"))


async def _list(
    visitor: Visitor,
    typed: TypedCredential,
    *,
    page: int = 0,
    faults: dict[str, str] | None = None,
    other: str = "",
    status: int = 200,
    notice: Notice | None = None,
) -> Response:
    found = await visitor.rooms.credentials.page(visitor.caller, page=page, page_size=PAGE_SIZE)
    return visitor.pages.page(
        "credentials.html",
        status=status,
        layout=_layout(visitor, words.TITLE, notice=notice),
        listing=listing_of(found, visitor, page=page, page_size=PAGE_SIZE),
        typed=typed,
        faults=faults or {},
        other=other,
        action=visitor.link(places.CREDENTIALS),
        # Names the form, so that sending it twice makes one credential.
        key=secrets.token_urlsafe(_KEY_BYTES),
    )


def _layout(visitor: Visitor, title: str, *, notice: Notice | None = None) -> Layout:
    return layout_of(visitor, title, section="connectors", tab="credentials", notice=notice)


def _body(typed: TypedCredential) -> dict[str, Any]:
    expires = read_minute(typed.expires)
    if typed.expires.strip() and expires is None:
        raise InvalidInput(Fault("expires", words.BAD_TIME))
    return {
        "name": typed.name,
        "role": typed.role,
        "expires": None if expires is None else milliseconds(expires),
    }
