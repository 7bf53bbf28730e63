"""Where a workspace may stand."""

from datetime import UTC, datetime
from typing import Any

import pytest

from coro_events.store.tree import MAX_DEPTH, Node
from services.api.workspaces.rules import fault_in_depth, fault_in_parent, is_within_reach


def make_node(workspace_id: str, *above: str, **changes: Any) -> Node:
    """Make a channel below others."""
    values = {
        "id": workspace_id,
        "parent_id": above[-1] if above else None,
        "path": (*above, workspace_id),
        "type": "channel",
        "display_name": workspace_id,
        "status": "subscription",
    } | changes
    return Node(**values)


TOP = make_node("top", "root")
ARCHIVED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("node", "within"),
    [
        (TOP, True),
        (make_node("below", "root", "top"), True),
        (make_node("root"), False),
        (make_node("beside", "root"), False),
        (make_node("placeholder", status="unknown"), True),
    ],
)
def test_reach_is_the_workspace_and_what_is_below_it_and_what_is_nobodys(node: Node, within: bool) -> None:  # noqa: FBT001 - a parameter of the cases
    assert is_within_reach(node, "top") is within


@pytest.mark.parametrize(
    ("parent", "message"),
    [
        (TOP, None),
        (make_node("other", "root", "top"), None),
        (None, "must be a workspace within reach"),
        (make_node("root"), "must be a workspace within reach"),
        (make_node("self"), "must not be the workspace itself"),
        (make_node("inner", "root", "top", "self"), "must not be a workspace below this one"),
        (make_node("other", "root", "top", type="child"), "must be a channel; others can hold no workspaces"),
        (make_node("other", "root", "top", archived_at=ARCHIVED), "must not be archived"),
    ],
)
def test_parent_is_refused_with_its_rule(parent: Node | None, message: str | None) -> None:
    fault = fault_in_parent(
        workspace_id="self", present=None, parent_id=parent.id if parent else "nobody", parent=parent, top="top"
    )
    assert (fault and tuple(fault)) == (message and ("parentWorkspaceId", message))


def test_workspace_of_the_request_stays_where_it_is() -> None:
    def fault(parent_id: str | None) -> Any:
        return fault_in_parent(workspace_id="top", present=TOP, parent_id=parent_id, parent=None, top="top")

    assert fault("root") is None
    assert fault(None) == ("parentWorkspaceId", "must stay as it is; the request is about this workspace")
    assert fault("other") == fault(None)


@pytest.mark.parametrize(("height", "fits"), [(0, True), (MAX_DEPTH - 3, True), (MAX_DEPTH - 2, False)])
def test_depth_counts_what_is_below(height: int, fits: bool) -> None:  # noqa: FBT001 - a parameter of the cases
    assert (fault_in_depth(TOP, height) is None) is fits
