"""Which version renders a body how: a new version is a file in versions/ and a line here."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from coro_events.contract.data import TestData
from coro_events.contract.place import Place
from coro_events.contract.versions import v1, v2
from coro_events.errors import ContractError

# The data of every test delivery, in every version.
TEST_DATA: Final = TestData.example().to_bytes()


class Render(Protocol):
    """What a version's module offers."""

    def __call__(  # noqa: D102 - the class says it
        self,
        event_type: str,
        hook_id: str,
        workspace_id: str,
        occurred_at: datetime,
        data: bytes,
        _place: Place | None = None,
        /,
    ) -> bytes: ...


class BodyFormat(NamedTuple):
    """A version: how its bodies are made, and the schema of their properties.

    Attributes:
        placed: Whether a body tells the place in the tree; the place is not looked up where none does.
    """

    render: Render
    properties: Callable[[str, dict[str, Any]], dict[str, Any]]
    placed: bool = True


_FORMATS: Final[Mapping[int, BodyFormat]] = MappingProxyType(
    {
        1: BodyFormat(v1.render, v1.properties, placed=False),
        2: BodyFormat(v2.render, v2.properties),
    }
)

VERSIONS: Final = tuple(sorted(_FORMATS))
# The versions whose bodies tell the place.
PLACED_VERSIONS: Final = frozenset(version for version, form in _FORMATS.items() if form.placed)


def body_format(version: int) -> BodyFormat:
    """Return the format of a version.

    Raises:
        ContractError: There is no such version.
    """
    found = _FORMATS.get(version)
    if found is None:
        known = ", ".join(str(one) for one in VERSIONS)
        raise ContractError(f"webhook version {version} is unknown; known: {known}")
    return found


def render_body(
    version: int,
    *,
    event_type: str,
    hook_id: str,
    workspace_id: str,
    occurred_at: datetime,
    data: bytes,
    place: Place | None = None,
) -> bytes:
    """Return the body that a webhook of this version receives.

    Args:
        version: The webhook's version.
        event_type: The slug, such as `workspace-created`, or `test`.
        hook_id: The id of the delivery, as in its headers.
        workspace_id: Where the event happened.
        occurred_at: When it happened; aware.
        data: JSON, as an event carries it.
        place: Where in the tree it happened; versions from 2 on need it.

    Raises:
        ContractError: There is no such version, or it needs the place and there is none.
    """
    return body_format(version).render(event_type, hook_id, workspace_id, occurred_at, data, place)
