"""Where an event happened: its place in the tree and in the order of its workspace."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """What a body may tell about the workspace, beyond its id: as it was when the event was taken in.

    Attributes:
        display_name: The workspace's name in the console.
        type: `regular`, `channel` or `child`.
        path: Workspace ids from the root to the workspace itself.
        sequence: The event's number in its workspace, without gaps, from 1; none for a test.
    """

    display_name: str
    type: str
    path: tuple[str, ...]
    sequence: int | None


def place_of(
    display_name: str | None, workspace_type: str | None, path: Sequence[str] | None, sequence: int | None
) -> Place | None:
    """Return the place that an event's row tells; none where its workspace was not known yet."""
    if display_name is None or workspace_type is None or path is None:
        return None
    return Place(display_name, workspace_type, tuple(path), sequence)
