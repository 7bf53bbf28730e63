"""What was typed into a form whose session was over: pages carry it through sign-in, and nothing else keeps it."""

from dataclasses import dataclass

from fastapi import Request

from services.api.console import paths
from services.api.console.forms import CSRF, Form

ADDRESS = "kept-for"
_PREFIX = "kept."
# The button of a form that was pressed, what it says where it saves, and what it says where the form is only shown.
BUTTON = "do"
_SAVE = "save"
SHOW = "show"


@dataclass(frozen=True, slots=True)
class Kept:
    """A form that was not taken.

    Attributes:
        address: Where it was sent.
        fields: What it held, without the token of its session.
    """

    address: str
    fields: tuple[tuple[str, str], ...]

    def __repr__(self) -> str:
        """Tell nothing: a secret may have been typed."""
        return "Kept(********)"

    @property
    def hidden(self) -> tuple[tuple[str, str], ...]:
        """The fields as a form of sign-in carries them."""
        return ((ADDRESS, self.address), *((f"{_PREFIX}{name}", value) for name, value in self.fields))

    @property
    def can_be_shown(self) -> bool:
        """Whether the form can be shown again, filled in, before it is sent."""
        return (BUTTON, _SAVE) in self.fields

    @property
    def again(self) -> tuple[tuple[str, str], ...]:
        """The fields as they are sent again; a form that can be shown first is shown first."""
        saves = (BUTTON, _SAVE)
        return tuple((BUTTON, SHOW) if field == saves else field for field in self.fields)


def keep(request: Request, form: Form) -> None:
    """Let what answers a request whose session is over know what was typed."""
    fields = tuple((name, value) for name, value in form if name != CSRF)
    # A form of a button alone holds nothing that could be lost.
    if any(value for name, value in fields if name != BUTTON):
        query = request.url.query
        request.state.kept = Kept(request.url.path + (f"?{query}" if query else ""), fields)


def kept_by(request: Request) -> Kept | None:
    """Return what a request whose session is over has sent; none where nothing was typed."""
    kept: Kept | None = getattr(request.state, "kept", None)
    return kept


def carried_by(form: Form) -> Kept | None:
    """Return what a form of sign-in carries; none where it carries nothing, or something for another place."""
    address = form.text(ADDRESS)
    if not paths.is_ours(address):
        return None
    return Kept(address, tuple((name.removeprefix(_PREFIX), value) for name, value in form if name.startswith(_PREFIX)))
