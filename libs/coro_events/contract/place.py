"""Where an event happened: its place in the tree and in the order of its workspace."""

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
