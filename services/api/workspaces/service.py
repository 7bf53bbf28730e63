"""The tree: each change in one transaction with its line in the activity log."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from coro_events.contract.webhook_events import SOURCE_API, WebhookChanged, WebhookEvent, WebhookEventType
from coro_events.runtime.clock import Clock
from coro_events.store.tree import Node
from services.api.access.service import Caller
from services.api.paging import Page
from services.api.refusals import Fault, InvalidInput, NoSuchWorkspace, OutOfReach, WrongWorkspaceState
from services.api.webhooks.ports import Activity
from services.api.webhooks.view import milliseconds
from services.api.workspaces.ports import Stopped, TreeChange, Wanted, Workspace, WorkspaceOrder, WorkspaceStore
from services.api.workspaces.rules import CHANNEL, fault_in_depth, fault_in_parent, is_within_reach
from services.api.workspaces.schemas import WorkspaceView, WorkspaceWrite

ARCHIVED_REASON = "workspace archived"
INACTIVE = "inactive"


class Workspaces:
    """Reads and changes the workspaces at and below the one of a request."""

    def __init__(self, *, store: WorkspaceStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def one(self, caller: Caller, workspace_id: str) -> WorkspaceView:
        """Return a workspace.

        Raises:
            NoSuchWorkspace: There is none of that id within reach.
        """
        workspace = await self._store.one(caller.workspace_id, workspace_id)
        if workspace is None:
            raise NoSuchWorkspace
        return view_of(workspace)

    async def page(self, wanted: Wanted, *, page: int, page_size: int, order: WorkspaceOrder) -> Page[WorkspaceView]:
        """Return one page of workspaces."""
        found, total = await self._store.page(wanted, page=page, page_size=page_size, order=order)
        return Page(items=[view_of(workspace) for workspace in found], totalElements=total)

    async def put(self, caller: Caller, workspace_id: str, body: WorkspaceWrite) -> tuple[WorkspaceView, bool]:
        """Create a workspace or make it what the body says; return it, and whether it is new.

        Raises:
            OutOfReach: There is one of that id elsewhere.
            InvalidInput: It cannot stand where the body puts it, or cannot be what the body says.
        """
        now = self._clock.now()
        parent_id = body.parent_workspace_id
        async with self._store.change() as change:
            nodes = await change.find(filter(None, (workspace_id, parent_id)))
            present = _reached(nodes, workspace_id, caller)
            faults = [
                await _fault_in_place(change, nodes, workspace_id, parent_id, caller),
                await _fault_in_type(change, present, body),
            ]
            if found := [fault for fault in faults if fault is not None]:
                raise InvalidInput(*found)
            wanted = _node(workspace_id, body, nodes, present, now)
            if present is None:
                await change.insert(wanted)
                told = body.model_dump(by_alias=True, exclude_none=True)
                await change.record(_activity(caller, now, "created", workspace_id, told))
            else:
                await self._change(change, caller, present, wanted, now)
            return view_of(await change.view(workspace_id)), present is None

    async def move(self, caller: Caller, workspace_id: str, parent_id: str) -> WorkspaceView:
        """Put a workspace and all below it under another.

        Raises:
            NoSuchWorkspace: There is none of that id within reach.
            InvalidInput: It cannot stand there.
        """
        now = self._clock.now()
        async with self._store.change() as change:
            nodes = await change.find((workspace_id, parent_id))
            present = nodes.get(workspace_id)
            if present is None or caller.workspace_id not in present.path:
                raise NoSuchWorkspace
            if fault := await _fault_in_place(change, nodes, workspace_id, parent_id, caller):
                raise InvalidInput(fault)
            wanted = replace(present, parent_id=parent_id, path=(*nodes[parent_id].path, workspace_id))
            await self._change(change, caller, present, wanted, now)
            return view_of(await change.view(workspace_id))

    async def archive(self, caller: Caller, workspace_id: str) -> WorkspaceView:
        """Archive a workspace: nobody reaches it any more, and its webhooks are disabled.

        Raises:
            NoSuchWorkspace: There is none of that id within reach.
            WrongWorkspaceState: It is not inactive, or there are others below it that are not archived.
        """
        now = self._clock.now()
        async with self._store.change() as change:
            present = (await change.find((workspace_id,))).get(workspace_id)
            if present is None or caller.workspace_id not in present.path:
                raise NoSuchWorkspace
            if present.archived_at is None:
                if present.status != INACTIVE:
                    raise WrongWorkspaceState(f"only inactive workspaces can be archived; it is {present.status}")
                if await change.holds_others(workspace_id, unarchived=True):
                    raise WrongWorkspaceState("archive the workspaces below it first")
                stopped = await change.archive(workspace_id, now)
                await change.record(_activity(caller, now, "archived", workspace_id, {}))
                for webhook in stopped:
                    await _tell_stopped(change, caller, workspace_id, webhook, now)
            return view_of(await change.view(workspace_id))

    async def _change(self, change: TreeChange, caller: Caller, present: Node, wanted: Node, now: datetime) -> None:
        if wanted.parent_id != present.parent_id:
            rows = await change.move(wanted.id, parent_id=wanted.parent_id, above=wanted.path[:-1])
            told = {"from": present.parent_id, "to": wanted.parent_id, "workspaces": rows}
            await change.record(_activity(caller, now, "moved", wanted.id, told))
        if changed := _changed(present, wanted):
            await change.describe(wanted)
            await change.record(_activity(caller, now, "updated", wanted.id, {"changed": changed}))


def view_of(workspace: Workspace) -> WorkspaceView:
    """Return a workspace as it travels."""
    archived_at = workspace.archived_at
    values = {
        "id": workspace.id,
        "type": workspace.type,
        "display_name": workspace.display_name,
        "parent_workspace_id": workspace.parent_id,
        "path": list(workspace.path),
        "status": workspace.status,
        "notifications_level": workspace.notifications_level,
        "archived": None if archived_at is None else milliseconds(archived_at),
        "created": milliseconds(workspace.created_at),
        "updated": milliseconds(workspace.updated_at),
    }
    return WorkspaceView.model_validate(values)


def _reached(nodes: Mapping[str, Node], workspace_id: str, caller: Caller) -> Node | None:
    present = nodes.get(workspace_id)
    if present is not None and not is_within_reach(present, caller.workspace_id):
        raise OutOfReach
    return present


async def _fault_in_place(
    change: TreeChange, nodes: Mapping[str, Node], workspace_id: str, parent_id: str | None, caller: Caller
) -> Fault | None:
    present = nodes.get(workspace_id)
    parent = None if parent_id is None else nodes.get(parent_id)
    if present is not None and workspace_id != caller.workspace_id and present.parent_id == parent_id:
        # It stays where it is.
        return None
    fault = fault_in_parent(
        workspace_id=workspace_id, present=present, parent_id=parent_id, parent=parent, top=caller.workspace_id
    )
    if fault or workspace_id == caller.workspace_id:
        return fault
    return fault_in_depth(parent, 0 if present is None else await change.height(workspace_id))


async def _fault_in_type(change: TreeChange, present: Node | None, body: WorkspaceWrite) -> Fault | None:
    if body.type == "child" and body.parent_workspace_id is None:
        return Fault("type", "must not be child where there is no workspace above")
    if body.type == CHANNEL or present is None or present.type != CHANNEL:
        return None
    holds = await change.holds_others(present.id)
    return Fault("type", "must be channel while it holds other workspaces") if holds else None


def _node(
    workspace_id: str, body: WorkspaceWrite, nodes: Mapping[str, Node], present: Node | None, now: datetime
) -> Node:
    parent_id = body.parent_workspace_id
    above = nodes[parent_id].path if parent_id is not None and parent_id in nodes else ()
    turns = present is None or present.status != body.status
    return Node(
        id=workspace_id,
        parent_id=parent_id,
        path=(*above, workspace_id),
        type=body.type,
        display_name=body.display_name,
        status=body.status,
        status_at=now if turns or present is None else present.status_at,
        notifications_level=body.notifications_level or (None if present is None else present.notifications_level),
    )


def _changed(present: Node, wanted: Node) -> list[str]:
    named = {
        "type": "type",
        "display_name": "displayName",
        "status": "status",
        "notifications_level": "notificationsLevel",
    }
    return [shown for name, shown in named.items() if getattr(present, name) != getattr(wanted, name)]


def _activity(caller: Caller, at: datetime, what: str, workspace_id: str, detail: Mapping[str, object]) -> Activity:
    return Activity(
        workspace_id=workspace_id,
        at=at,
        actor=caller.actor,
        action=f"workspace.{what}",
        subject=workspace_id,
        detail=detail,
    )


async def _tell_stopped(change: TreeChange, caller: Caller, workspace_id: str, webhook: Stopped, at: datetime) -> None:
    told = {"name": webhook.name, "reason": ARCHIVED_REASON}
    await change.record(Activity(workspace_id, at, caller.actor, "webhook.disabled", str(webhook.id), told))
    data = WebhookChanged(
        webhook_id=str(webhook.id),
        name=webhook.name,
        version=webhook.version,
        reason=ARCHIVED_REASON,
        actor=caller.actor,
    )
    await change.publish(WebhookEvent(uuid.uuid4(), SOURCE_API, WebhookEventType.DISABLED, workspace_id, at, data))
