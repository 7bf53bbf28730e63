"""`coro users`: who may sign in to the console."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from coro_events.cli.places import database_url
from coro_events.cli.sql import change_notifications, change_password, create_user, find_user, open_database
from coro_events.cli.told import USAGE, Refused, answer, checked, new_group, say, text_of
from coro_events.contract.envelope import read_id

app = new_group("Users of the console.")

MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 256


class UserRole(StrEnum):
    """What a user may do in the workspace and below."""

    VIEWER = "viewer"
    ADMINISTRATOR = "administrator"
    SUPER_ADMIN = "super_admin"


class Notifications(StrEnum):
    """Which mails a user gets."""

    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done about a user."""

    id: str
    notifications: str
    created: bool = False
    password_changed: bool = False
    notifications_changed: bool = False


@app.callback()
def _users() -> None:
    """Keep the name of the group before its only command."""


@app.command()
def create(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Signs in with it.")],
    *,
    workspace: Annotated[str, typer.Option(help="Sees this workspace and its descendants.")],
    role: Annotated[UserRole, typer.Option(help="What the user may do there.")],
    password_file: Annotated[
        Path | None,
        typer.Option(help="A file with the password; one final line feed is cut. Without, by OpenID Connect only."),
    ] = None,
    notifications: Annotated[
        Notifications | None,
        typer.Option(help="Which mails the user gets, if an administrator. Without, as it is, and `all` of a new one."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Create a user; one that is there already, in the same workspace and role, gets the password and mails given."""
    address = checked(read_id, "EMAIL", email).strip().lower()
    name, at, domain = address.partition("@")
    if not (name and at and domain) or "@" in domain or " " in address:
        raise Refused("EMAIL is no mail address", code=USAGE)
    password = None if password_file is None else text_of(password_file)
    if password is not None and not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise Refused(f"a password must have {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters")
    level = None if notifications is None else notifications.value
    done = asyncio.run(_create(address, password, workspace, role.value, level))
    if as_json:
        answer(
            {
                "id": done.id,
                "email": address,
                "workspace_id": workspace,
                "role": role.value,
                "created": done.created,
                "password_changed": done.password_changed,
                "notifications": done.notifications,
                "notifications_changed": done.notifications_changed,
            }
        )
    else:
        say(f"user {address} {_told(done)}")


def _told(done: Outcome) -> str:
    if done.created:
        return "created"
    given = ["the given password"] if done.password_changed else []
    given += [f"notifications {done.notifications}"] if done.notifications_changed else []
    return f"got {' and '.join(given)}" if given else "was there"


async def _create(email: str, password: str | None, workspace_id: str, role: str, notifications: str | None) -> Outcome:
    hasher = PasswordHasher()
    async with open_database(database_url()) as database, database.write() as connection:
        user = await find_user(connection, email)
        if user is None:
            hashed = None if password is None else hasher.hash(password)
            level = notifications or Notifications.ALL.value
            user_id = await create_user(
                connection,
                email=email,
                password_hash=hashed,
                workspace_id=workspace_id,
                role=role,
                notifications=level,
            )
            return Outcome(str(user_id), notifications=level, created=True)
        if (user.workspace_id, user.role) != (workspace_id, role):
            raise Refused(f"the user {email} is there already, in another workspace or role")
        changed = password is not None and not _is_right(hasher, user.password_hash, password)
        if password is not None and changed:
            await change_password(connection, user, email=email, password_hash=hasher.hash(password))
        level = notifications or user.notifications_level
        changes_level = level != user.notifications_level
        if changes_level:
            await change_notifications(connection, user, email=email, wanted=level)
        return Outcome(str(user.id), level, password_changed=changed, notifications_changed=changes_level)


def _is_right(hasher: PasswordHasher, password_hash: str | None, password: str) -> bool:
    if password_hash is None:
        return False
    try:
        return hasher.verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False
