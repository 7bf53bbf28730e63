"""Which version renders a body how: a new version is a file in versions/ and a line here."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, Protocol

from coro_events.contract.data import TestData
from coro_events.contract.place import Place
from coro_events.contract.versions import v1
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


RENDERERS: Final[Mapping[int, Render]] = MappingProxyType(
    {
        1: v1.render,
    }
)

VERSIONS: Final = tuple(sorted(RENDERERS))


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
        ContractError: There is no such version.
    """
    render = RENDERERS.get(version)
    if render is None:
        known = ", ".join(str(one) for one in VERSIONS)
        raise ContractError(f"webhook version {version} is unknown; known: {known}")
    return render(event_type, hook_id, workspace_id, occurred_at, data, place)
