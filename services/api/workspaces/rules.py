"""Where a workspace may stand: pure, each answering with what is wrong, or nothing."""

from coro_events.store.tree import MAX_DEPTH, PLACEHOLDER_STATUS, Node
from services.api.refusals import Fault

CHANNEL = "channel"
PARENT = "parentWorkspaceId"


def is_within_reach(node: Node, top: str) -> bool:
    """Return whether a service of a workspace may change another one.

    A placeholder, of which only a child was told so far, belongs to nobody yet: whoever announces it gives it a place.
    """
    return top in node.path or node.status == PLACEHOLDER_STATUS


def fault_in_parent(
    *, workspace_id: str, present: Node | None, parent_id: str | None, parent: Node | None, top: str
) -> Fault | None:
    """Return what is wrong with the parent that is wanted for a workspace, or nothing.

    Args:
        workspace_id: The workspace.
        present: As it stands; none where it is new.
        parent_id: The parent that is wanted.
        parent: As it stands; none where there is none.
        top: The workspace of the request, which itself stays where it is.
    """
    message: str | None
    if present is not None and workspace_id == top:
        stays = present.parent_id == parent_id
        message = None if stays else "must stay as it is; the request is about this workspace"
    elif parent_id is None:
        message = "is required; only roots have none, and they are not made here"
    elif parent_id == workspace_id:
        message = "must not be the workspace itself"
    elif parent is None or top not in parent.path:
        message = "must be a workspace within reach"
    else:
        message = _wrong_with(parent, workspace_id)
    return None if message is None else Fault(PARENT, message)


def _wrong_with(parent: Node, workspace_id: str) -> str | None:
    if workspace_id in parent.path:
        return "must not be a workspace below this one"
    if parent.type != CHANNEL:
        return "must be a channel; others can hold no workspaces"
    return "must not be archived" if parent.archived_at is not None else None


def fault_in_depth(parent: Node | None, height: int) -> Fault | None:
    """Return what is wrong with how deep a workspace and those below it would stand, or nothing.

    Args:
        parent: Under which the workspace comes.
        height: How many levels there are below the workspace.
    """
    above = 0 if parent is None else len(parent.path)
    if above + 1 + height > MAX_DEPTH:
        return Fault(PARENT, f"must not lead to more than {MAX_DEPTH} levels")
    return None
