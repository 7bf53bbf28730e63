"""The statements of the command line: workspaces, users and credentials, written down in the activity log."""

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from coro_events.cli.told import Refused
from coro_events.contract.fields import WorkspaceStatus
from coro_events.store.access import api_credentials, sessions, users
from coro_events.store.activity import activity_log
from coro_events.store.engine import make_engine
from coro_events.store.tree import Node, find_nodes, insert_node, lock_tree
from coro_events.store.unit import Database, ReadConnection, WriteConnection
from coro_events.store.workspaces import workspaces

APPLICATION_NAME = "coro-cli"
ACTOR = "system:cli"
# SQLSTATE, PostgreSQL documentation, appendix A.
_UNDEFINED_TABLE = "42P01"


@asynccontextmanager
async def open_database(database_url: str) -> AsyncIterator[Database]:
    """Open the database for one command.

    Raises:
        Refused: The address is of another kind, or the database refuses a statement.
        StoreUnavailableError: It cannot be reached.
    """
    try:
        engine = make_engine(database_url, application_name=APPLICATION_NAME, pool_size=0)
    except ValueError as error:
        raise Refused(str(error)) from None
    database = Database(engine)
    try:
        yield database
    except SQLAlchemyError as error:
        # The statement and its parameters stay out: they may hold what nobody else should see.
        cause = getattr(error, "orig", None) or error
        if getattr(cause, "sqlstate", None) == _UNDEFINED_TABLE:
            raise Refused("the database has no schema yet; run the migrations first") from error
        lines = str(cause).splitlines() or [type(cause).__name__]
        raise Refused(f"the database refused: {lines[0]}") from error
    finally:
        await database.dispose()


@dataclass(frozen=True, slots=True)
class NewWorkspace:
    """A workspace to be; the values are checked by the command."""

    id: str
    type: str
    display_name: str
    parent_id: str | None


async def create_workspace(connection: WriteConnection, wanted: NewWorkspace) -> bool:
    """Create a workspace below its parent and write that down; return whether it was not there yet.

    Raises:
        Refused: The parent is missing or can hold none, or the workspace is there and differs.
    """
    # Before the first look, so that the path holds until the commit.
    await lock_tree(connection)
    nodes = await find_nodes(connection, filter(None, (wanted.id, wanted.parent_id)))
    path: tuple[str, ...] = (wanted.id,)
    if wanted.parent_id is not None:
        parent = nodes.get(wanted.parent_id)
        if parent is None:
            raise Refused(f"there is no workspace {wanted.parent_id}")
        if parent.type != "channel":
            raise Refused(f"{wanted.parent_id} is a {parent.type} workspace and can hold no others")
        path = (*parent.path, wanted.id)
    there = nodes.get(wanted.id)
    if there is not None:
        if (there.parent_id, there.type) != (wanted.parent_id, wanted.type):
            raise Refused(f"the workspace {wanted.id} is there already, with another parent or type")
        return False
    new = Node(
        id=wanted.id,
        parent_id=wanted.parent_id,
        path=path,
        type=wanted.type,
        display_name=wanted.display_name,
        status=WorkspaceStatus.NEW.value,
    )
    await insert_node(connection, new)
    detail = {"type": new.type, "displayName": new.display_name, "parentWorkspaceId": new.parent_id}
    await _note(connection, new.id, "workspace.created", new.id, {**detail, "status": new.status})
    return True


async def list_workspaces(connection: ReadConnection, *, under: str | None, limit: int) -> Sequence[Row[Any]]:
    """Return workspaces in the order of the tree, all or those at and under one."""
    statement = select(workspaces).order_by(workspaces.c.path).limit(limit)
    if under is not None:
        statement = statement.where(workspaces.c.path.contains([under]))
    return await connection.rows(statement)


@dataclass(frozen=True, slots=True)
class FoundUser:
    """A console user as the table has it."""

    id: uuid.UUID
    password_hash: str | None
    workspace_id: str
    role: str
    notifications_level: str


async def find_user(connection: ReadConnection, email: str) -> FoundUser | None:
    """Return the user with this address, lower case, and keep the row until the end of the transaction."""
    columns = (users.c.id, users.c.password_hash, users.c.workspace_id, users.c.role, users.c.notifications_level)
    row = await connection.row(select(*columns).where(users.c.email == email).with_for_update())
    if row is None:
        return None
    return FoundUser(row.id, row.password_hash, row.workspace_id, row.role, row.notifications_level)


async def create_user(
    connection: WriteConnection,
    *,
    email: str,
    password_hash: str | None,
    workspace_id: str,
    role: str,
    notifications: str,
) -> uuid.UUID:
    """Create a console user and return its id.

    Raises:
        Refused: There is no such workspace.
    """
    await _require_workspace(connection, workspace_id)
    user_id = uuid.uuid4()
    await connection.execute(
        insert(users).values(
            id=user_id,
            email=email,
            password_hash=password_hash,
            workspace_id=workspace_id,
            role=role,
            notifications_level=notifications,
        )
    )
    await _note(connection, workspace_id, "user.created", email, {"role": role, "notificationsLevel": notifications})
    return user_id


async def change_password(connection: WriteConnection, user: FoundUser, *, email: str, password_hash: str) -> None:
    """Give a user another password, and end all sessions that were begun with the one before."""
    await connection.execute(delete(sessions).where(sessions.c.user_id == user.id))
    await connection.execute(update(users).where(users.c.id == user.id).values(password_hash=password_hash))
    await _note(connection, user.workspace_id, "user.password_changed", email, {})


async def change_notifications(connection: WriteConnection, user: FoundUser, *, email: str, wanted: str) -> None:
    """Change whether a user gets mail."""
    await connection.execute(update(users).where(users.c.id == user.id).values(notifications_level=wanted))
    await _note(connection, user.workspace_id, "user.notifications_changed", email, {"notificationsLevel": wanted})


async def create_credential(
    connection: WriteConnection,
    *,
    client_id: str,
    secret_hash: bytes,
    name: str,
    workspace_id: str,
    role: str,
    expires_at: datetime | None,
) -> None:
    """Create an API credential.

    Raises:
        Refused: There is no such workspace.
    """
    await _require_workspace(connection, workspace_id)
    await connection.execute(
        insert(api_credentials).values(
            id=uuid.uuid4(),
            client_id=client_id,
            secret_hash=secret_hash,
            name=name,
            workspace_id=workspace_id,
            role=role,
            expires_at=expires_at,
        )
    )
    await _note(connection, workspace_id, "credential.created", client_id, {"name": name, "role": role})


async def _require_workspace(connection: ReadConnection, workspace_id: str) -> None:
    if await connection.scalar(select(workspaces.c.id).where(workspaces.c.id == workspace_id)) is None:
        raise Refused(f"there is no workspace {workspace_id}")


async def _note(
    connection: WriteConnection, workspace_id: str, action: str, subject: str, detail: Mapping[str, str | None]
) -> None:
    await connection.execute(
        insert(activity_log).values(
            workspace_id=workspace_id, actor=ACTOR, action=action, subject=subject, detail=dict(detail)
        )
    )
