"""`coro credentials`: what OpenAPI clients sign in with."""

import asyncio
import hashlib
import secrets
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from coro_events.cli.places import database_url
from coro_events.cli.sql import create_credential, open_database
from coro_events.cli.told import USAGE, Refused, answer, checked, new_group, say
from coro_events.contract.envelope import read_id, read_time
from coro_events.runtime.clock import SystemClock

app = new_group("API credentials.")

# Bytes of chance: a client id need not be guessed, a secret must not be.
CLIENT_ID_BYTES = 18
SECRET_BYTES = 32


class CredentialRole(StrEnum):
    """What a credential may do in its workspace and below."""

    VIEWER = "viewer"
    ADMINISTRATOR = "administrator"
    SUPER_ADMIN = "super_admin"
    SERVICE = "service"  # internal services: also keeps the tree of workspaces and releases versions


@app.callback()
def _credentials() -> None:
    """Keep the name of the group before its only command."""


@app.command()
def create(
    *,
    name: Annotated[str, typer.Option(help="What it is for.")],
    workspace: Annotated[str, typer.Option(help="It reaches this workspace and its descendants.")],
    role: Annotated[CredentialRole, typer.Option(help="What it may do there.")],
    expires_at: Annotated[str | None, typer.Option(help="RFC 3339; it never expires if left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Create a credential and show its secret, this once."""
    until = None if expires_at is None else checked(read_time, "--expires-at", expires_at)
    if until is not None and until <= SystemClock().now():
        raise Refused("--expires-at is in the past", code=USAGE)
    client_id, client_secret = secrets.token_urlsafe(CLIENT_ID_BYTES), secrets.token_urlsafe(SECRET_BYTES)
    asyncio.run(
        _create(
            client_id=client_id,
            client_secret=client_secret,
            name=checked(read_id, "--name", name),
            workspace_id=workspace,
            role=role.value,
            expires_at=until,
        )
    )
    if as_json:
        answer({"client_id": client_id, "client_secret": client_secret})
    else:
        say(f"client_id      {client_id}")
        say(f"client_secret  {client_secret}")
        say("The secret is not shown again.")


async def _create(
    *, client_id: str, client_secret: str, name: str, workspace_id: str, role: str, expires_at: datetime | None
) -> None:
    # 256 bits of chance cannot be tried out, so a quick hash protects them as well as a slow one.
    secret_hash = hashlib.sha256(client_secret.encode()).digest()
    async with open_database(database_url()) as database, database.write() as connection:
        await create_credential(
            connection,
            client_id=client_id,
            secret_hash=secret_hash,
            name=name,
            workspace_id=workspace_id,
            role=role,
            expires_at=expires_at,
        )
