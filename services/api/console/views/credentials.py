"""What the page of API credentials shows."""

from dataclasses import dataclass

from services.api.access.roles import Role, allows
from services.api.console import places
from services.api.console.forms import Form
from services.api.console.texts import common
from services.api.console.texts import credentials as words
from services.api.console.views.paging import Pager, pager
from services.api.console.views.times import Moment, moment
from services.api.console.views.webhooks import Tone
from services.api.console.visitor import Visitor
from services.api.credentials.schemas import CredentialView
from services.api.paging import Page


@dataclass(frozen=True, slots=True)
class TypedCredential:
    """The form of a new credential, as it was filled in."""

    name: str = ""
    role: str = Role.ADMINISTRATOR.value
    expires: str = ""

    @classmethod
    def of_form(cls, form: Form) -> "TypedCredential":
        """Return what a form says."""
        return cls(name=form.text("name"), role=form.text("role"), expires=form.text("expires"))


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """A credential in the list; `revoke` is empty where it cannot be revoked."""

    id: str
    client_id: str
    name: str
    role: str
    status: Tone
    created: Moment
    expires: Moment | None
    last_used: Moment | None
    revoke: str
    is_gray: bool


@dataclass(frozen=True, slots=True)
class CredentialListing:
    """The list."""

    rows: tuple[CredentialRow, ...]
    pager: Pager


def listing_of(found: Page[CredentialView], visitor: Visitor, *, page: int, page_size: int) -> CredentialListing:
    """Return the list."""
    return CredentialListing(
        rows=tuple(_row(one, visitor) for one in found.items),
        pager=pager(
            lambda number: visitor.link(places.CREDENTIALS, page=number or ""),
            page=page,
            page_size=page_size,
            total=found.totalElements,
        ),
    )


def _row(view: CredentialView, visitor: Visitor) -> CredentialRow:
    now = visitor.now
    may = view.status == "active" and allows(visitor.caller.role, Role(view.role))
    return CredentialRow(
        id=view.id,
        client_id=view.client_id,
        name=view.name,
        role=common.ROLES[view.role],
        status=Tone(*words.STATUSES[view.status]),
        created=moment(view.created, now),
        expires=None if view.expires is None else moment(view.expires, now),
        last_used=None if view.last_used is None else moment(view.last_used, now),
        revoke=visitor.link(f"{places.CREDENTIALS}/{view.id}/revoke") if may else "",
        is_gray=view.status != "active",
    )
