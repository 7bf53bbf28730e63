"""Whose events reach which webhook: the tree, at any depth, and those who join it later."""

from tests.end_to_end.stack import Stack
from tests.end_to_end.workspace import Workspace, counts, is_of, new_id
from tests.support.receiver import Receiver

FAR = {"applyToAllDescendants": True}
NEAR = {"applyToAllDescendants": False}


async def test_an_event_three_children_deep_reaches_the_parent_that_asked_for_it_and_nobody_else(
    workspace: Workspace, receiver: Receiver
) -> None:
    child = await workspace.child()
    sibling = await workspace.child()
    grandchild = await child.child()
    deepest = await grandchild.child(kind="child")
    below = await sibling.child(kind="child")
    await workspace.webhook(receiver.url("/ok/far"), **FAR)
    await workspace.webhook(receiver.url("/ok/near"), **NEAR)
    await sibling.webhook(receiver.url("/ok/sibling"), **FAR)
    await below.webhook(receiver.url("/ok/below"), **FAR)
    await receiver.until(4)

    await deepest.count(3)
    # What follows proves that each of them would have been called by now.
    await workspace.count(4)
    await below.count(5)
    for path, wanted in {"far": [3, 4, 5], "near": [4], "sibling": [5], "below": [5]}.items():
        # One more is the test at creation.
        arrived = await receiver.until(1 + len(wanted), prefix=f"/ok/{path}")
        assert sorted(counts(arrived)) == wanted, path
    senders = {
        one.json()["data"]["protectedCount"]: one.json()["workspaceId"] for one in receiver.received if counts([one])
    }
    assert senders == {3: deepest.id, 4: workspace.id, 5: below.id}


async def test_a_child_created_later_is_told_to_the_parent_and_so_is_what_happens_in_it(
    stack: Stack, workspace: Workspace, receiver: Receiver
) -> None:
    await workspace.webhook(receiver.url("/ok/far"), **FAR)
    await workspace.webhook(receiver.url("/ok/near"), **NEAR)
    await receiver.until(2)

    child = Workspace(stack, new_id())
    # At once, without waiting for the workspace to be known: order within a workspace is all it takes.
    await workspace.announce(child.id)
    await child.count(1)
    await workspace.count(2)
    told = await receiver.until(4, prefix="/ok/far")
    (created,) = [one.json() for one in told if is_of(one, "workspace-created")]
    assert created["workspaceId"] == child.id
    assert (created["data"]["id"], created["data"]["parentWorkspaceId"]) == (child.id, workspace.id)
    assert sorted(counts(told)) == [1, 2]
    assert counts(await receiver.until(2, prefix="/ok/near")) == [2]
