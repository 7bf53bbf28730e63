"""`coro versions`: the lives of webhook versions."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from coro_events.cli.places import database_url
from coro_events.cli.sql import ACTOR, open_database
from coro_events.cli.told import USAGE, Refused, answer, checked, new_group, say, table
from coro_events.contract.envelope import read_time
from coro_events.rules.releasing import Release, Unreleasable, VersionLife, Why, told
from coro_events.runtime.clock import SystemClock
from coro_events.store.releasing import Use, read_lives, read_uses, release_version

app = new_group("Webhook versions.")

SOURCE = "coro/cli"
_UNUSED = Use(webhooks=0, workspaces=0)


@app.command("list")
def list_(
    *, as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, one line a version.")] = False
) -> None:
    """List webhook versions: when each is released, when it expires, and who still uses it."""
    lives, uses = asyncio.run(_list())
    now = SystemClock().now()
    shown = [_shown(life, uses.get(life.version, _UNUSED), now) for life in lives]
    if as_json:
        for one in shown:
            answer(one)
        return
    columns = ["version", "status", "released", "expires", "webhooks", "workspaces"]
    table(columns, [["-" if one[column] is None else str(one[column]) for column in columns] for one in shown])


async def _list() -> tuple[list[VersionLife], Mapping[int, Use]]:
    async with open_database(database_url()) as database, database.read() as connection:
        return await read_lives(connection), await read_uses(connection)


def _shown(life: VersionLife, use: Use, now: datetime) -> dict[str, Any]:
    return {
        "version": life.version,
        "status": life.status(now).value,
        "released": _rfc3339(life.released_at),
        "expires": _rfc3339(life.expires_at),
        "webhooks": use.webhooks,
        "workspaces": use.workspaces,
    }


@app.command()
def release(
    version: Annotated[int, typer.Argument(metavar="VERSION", min=1, max=9999, help="The version to release.")],
    *,
    at: Annotated[
        str | None, typer.Option(help="From when on it counts as released, RFC 3339; now if left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Release a version, so that the one before expires six months later; nothing takes that back."""
    when = None if at is None else checked(read_time, "--at", at)
    released = asyncio.run(_release(version, when))
    if isinstance(released, Unreleasable):
        field = "--at " if released.why is Why.TIME else ""
        raise Refused(f"{field}{released.sentence}", code=USAGE if released.why is Why.TIME else 1)
    if as_json:
        answer(
            {
                "version": released.version,
                "released": _rfc3339(released.released_at),
                "changed": released.is_new,
                "previous_version": released.previous,
                "previous_expires": _rfc3339(released.previous_expires_at),
            }
        )
        return
    again = "" if released.is_new else "; nothing is changed"
    say(f"version {released.version} is released as of {told(released.released_at)}{again}")
    if released.previous_expires_at is not None:
        say(f"version {released.previous} expires at {told(released.previous_expires_at)}")


async def _release(version: int, at: datetime | None) -> Release | Unreleasable:
    now = SystemClock().now()
    async with open_database(database_url()) as database, database.write() as connection:
        return await release_version(connection, version, at=at, now=now, actor=ACTOR, source=SOURCE)


def _rfc3339(instant: datetime | None) -> str | None:
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
