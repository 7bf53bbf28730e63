"""`coro workspaces`: the tree."""

import asyncio
from typing import Annotated, Any

import typer

from coro_events.cli.places import database_url
from coro_events.cli.sql import NewWorkspace, create_workspace, list_workspaces, open_database
from coro_events.cli.told import USAGE, Refused, answer, checked, new_group, say, table
from coro_events.contract.envelope import read_id, read_workspace_id
from coro_events.contract.fields import WorkspaceType

app = new_group("The tree of workspaces.")


@app.command()
def create(
    workspace_id: Annotated[str, typer.Argument(metavar="ID", help="The id of the new workspace.")],
    *,
    kind: Annotated[WorkspaceType, typer.Option("--type", help="What it may hold.")],
    display_name: Annotated[str, typer.Option(help="Its name in the console.")],
    parent: Annotated[str | None, typer.Option(help="The workspace above; a root has none.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Create a workspace; one that is there already, with the same parent and type, is left as it is."""
    wanted = NewWorkspace(
        id=checked(read_workspace_id, "ID", workspace_id),
        type=kind.value,
        display_name=checked(read_id, "--display-name", display_name),
        parent_id=parent,
    )
    if kind is WorkspaceType.CHILD and parent is None:
        raise Refused("a child workspace needs --parent", code=USAGE)
    if parent == workspace_id:
        raise Refused("a workspace cannot be its own parent", code=USAGE)
    created = asyncio.run(_create(wanted))
    if as_json:
        answer({"id": wanted.id, "type": wanted.type, "parent_id": parent, "created": created})
    else:
        say(f"workspace {wanted.id} {'created' if created else 'was there'}")


async def _create(wanted: NewWorkspace) -> bool:
    async with open_database(database_url()) as database, database.write() as connection:
        return await create_workspace(connection, wanted)


@app.command("list")
def list_(
    *,
    under: Annotated[str | None, typer.Option(help="Only this workspace and its descendants.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Show at most so many.")] = 1_000,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, one line a workspace.")] = False,
) -> None:
    """List workspaces in the order of the tree."""
    found = asyncio.run(_list(under, limit))
    if as_json:
        for one in found:
            answer(one)
        return
    columns = ["id", "type", "status", "display_name"]
    table(columns, [[_indented(one, column) for column in columns] for one in found])


def _indented(one: dict[str, Any], column: str) -> str:
    return ("  " * (len(one["path"]) - 1) if column == "id" else "") + str(one[column])


async def _list(under: str | None, limit: int) -> list[dict[str, Any]]:
    async with open_database(database_url()) as database, database.read() as connection:
        shown = ("id", "parent_id", "type", "display_name", "status", "path")
        rows = await list_workspaces(connection, under=under, limit=limit)
        return [{name: getattr(row, name) for name in shown} for row in rows]
