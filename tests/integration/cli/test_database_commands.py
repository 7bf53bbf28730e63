"""`coro workspaces`, `coro users` and `coro credentials` on real PostgreSQL."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import insert, select

from coro_events.runtime.clock import SystemClock
from coro_events.store.tables import activity_log, api_credentials, sessions, users, workspaces
from coro_events.store.unit import Database
from tests.integration.cli.commands import coro, told, why_not
from tests.support.processes import free_port

ROOT = ("workspaces", "create", "msp", "--type", "channel", "--display-name", "The MSP")
CHILD = ("workspaces", "create", "shop", "--type", "child", "--display-name", "A shop", "--parent", "msp")
CREDENTIAL = ("credentials", "create", "--name", "Billing", "--workspace", "msp", "--role", "administrator")

pytestmark = pytest.mark.usefixtures("with_database")


async def everything(database: Database, table: Any) -> list[Any]:
    """Return the rows of a table."""
    async with database.read() as connection:
        return list(await connection.rows(select(table)))


async def activities(database: Database) -> list[tuple[str, str, str, str]]:
    """Return workspace, actor, action and subject of what was written down, in order."""
    log = activity_log.c
    async with database.read() as connection:
        rows = await connection.rows(select(activity_log).order_by(log.id))
    return [(row.workspace_id, row.actor, row.action, row.subject) for row in rows]


async def test_workspaces_make_a_tree_and_stay_as_they_are_when_created_again(database: Database) -> None:
    assert await coro(*ROOT) == [{"id": "msp", "type": "channel", "parent_id": None, "created": True}]
    assert await coro(*CHILD) == [{"id": "shop", "type": "child", "parent_id": "msp", "created": True}]
    assert (await coro(*CHILD))[0]["created"] is False
    assert {row.id: row.path for row in await everything(database, workspaces)} == {
        "msp": ["msp"],
        "shop": ["msp", "shop"],
    }
    assert [one["id"] for one in await coro("workspaces", "list")] == ["msp", "shop"]
    assert [one["id"] for one in await coro("workspaces", "list", "--under", "shop")] == ["shop"]
    assert "  shop" in await told("workspaces", "list")
    assert await activities(database) == [
        ("msp", "system:cli", "workspace.created", "msp"),
        ("shop", "system:cli", "workspace.created", "shop"),
    ]


async def test_a_workspace_is_refused_when_its_place_in_the_tree_is_wrong() -> None:
    await coro(*ROOT)
    await coro(*CHILD)
    below = ("--type", "child", "--display-name", "x", "--parent")
    assert await why_not("workspaces", "create", "a", *below, "nowhere") == "there is no workspace nowhere."
    assert "can hold no others" in await why_not("workspaces", "create", "a", *below, "shop")
    as_root = ("--type", "channel", "--display-name", "A shop")
    assert "with another parent or type" in await why_not("workspaces", "create", "shop", *as_root)


async def test_a_user_can_be_signed_in_with_the_password_of_the_file_and_gets_a_new_one(
    database: Database, tmp_path: Path
) -> None:
    await coro(*ROOT)
    file = tmp_path / "password"
    create = ("users", "create", " Ada@MSP.example", "--workspace", "msp", "--role", "super_admin")
    command = (*create, "--password-file", str(file))
    file.write_text("the first password\n", encoding="utf-8")
    (first,) = await coro(*command)
    now = SystemClock().now()
    async with database.write() as connection:
        times = {"last_seen_at": now, "expires_at": now}
        await connection.execute(insert(sessions).values(token_hash=b"1", user_id=first["id"], csrf="2", **times))
    (same,) = await coro(*command)
    assert len(await everything(database, sessions)) == 1
    file.write_text("the second password", encoding="utf-8")
    (changed,) = await coro(*command)
    assert [(one["created"], one["password_changed"]) for one in (first, same, changed)] == [
        (True, False),
        (False, False),
        (False, True),
    ]
    # Whoever knew the first one is signed out.
    assert await everything(database, sessions) == []
    (user,) = await everything(database, users)
    assert (str(user.id), user.email, user.role) == (first["id"], "ada@msp.example", "super_admin")
    assert PasswordHasher().verify(user.password_hash, "the second password")
    assert await activities(database) == [
        ("msp", "system:cli", "workspace.created", "msp"),
        ("msp", "system:cli", "user.created", "ada@msp.example"),
        ("msp", "system:cli", "user.password_changed", "ada@msp.example"),
    ]
    assert "in another workspace or role" in await why_not(*command[:-3], "viewer", *command[-2:])


async def test_a_user_without_a_password_is_made_for_another_way_of_signing_in(database: Database) -> None:
    await coro(*ROOT)
    create = ("users", "create", "ada@msp.example", "--workspace", "msp", "--role", "viewer")
    (made,), (again,) = await coro(*create), await coro(*create)
    assert (made["created"], again["created"], again["password_changed"]) == (True, False, False)
    (user,) = await everything(database, users)
    assert user.password_hash is None


async def test_a_user_gets_mail_unless_told_otherwise(database: Database) -> None:
    await coro(*ROOT)
    create = ("users", "create", "ada@msp.example", "--workspace", "msp", "--role", "administrator")
    answers = [
        (await coro(*create, *more))[0]
        for more in ((), ("--notifications", "none"), (), ("--notifications", "none"), ("--notifications", "all"))
    ]
    assert [(one["notifications"], one["notifications_changed"]) for one in answers] == [
        ("all", False),
        ("none", True),
        ("none", False),
        ("none", False),
        ("all", True),
    ]
    assert await told(*create, "--notifications", "none") == "user ada@msp.example got notifications none\n"
    (user,) = await everything(database, users)
    assert user.notifications_level == "none"
    assert [action for _, _, action, _ in await activities(database)][2:] == ["user.notifications_changed"] * 3


async def test_a_user_is_created_without_mail(database: Database) -> None:
    await coro(*ROOT)
    create = ("users", "create", "ada@msp.example", "--workspace", "msp", "--role", "administrator")
    (made,) = await coro(*create, "--notifications", "none")
    assert (made["created"], made["notifications"], made["notifications_changed"]) == (True, "none", False)
    (user,) = await everything(database, users)
    assert user.notifications_level == "none"


async def test_a_credentials_secret_is_shown_once_and_kept_as_a_hash(database: Database) -> None:
    await coro(*ROOT)
    (shown,) = await coro(*CREDENTIAL, "--expires-at", "2099-01-01T00:00:00Z")
    (kept,) = await everything(database, api_credentials)
    assert kept.client_id == shown["client_id"]
    assert kept.secret_hash == hashlib.sha256(shown["client_secret"].encode()).digest()
    assert (kept.workspace_id, kept.role, kept.name) == ("msp", "administrator", "Billing")
    assert kept.expires_at == datetime(2099, 1, 1, tzinfo=UTC)
    assert (await activities(database))[1:] == [("msp", "system:cli", "credential.created", shown["client_id"])]
    assert "The secret is not shown again." in await told(*CREDENTIAL)


async def test_nobody_gets_in_when_the_workspace_is_missing(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("long enough", encoding="utf-8")
    user = ("users", "create", "a@b.example", "--workspace", "msp", "--role", "viewer", "--password-file", str(file))
    assert await why_not(*user) == "there is no workspace msp."
    assert await why_not(*CREDENTIAL) == "there is no workspace msp."
    assert await everything(database, users) == await everything(database, api_credentials) == []


async def test_a_command_says_so_when_there_is_no_schema(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORO_DATABASE_URL", empty_database_url)
    assert await why_not(*ROOT) == "the database has no schema yet; run the migrations first."


async def test_a_command_says_so_and_no_password_when_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORO_DATABASE_URL", f"postgresql://coro:hush@127.0.0.1:{free_port()}/coro")
    sentence = await why_not(*ROOT)
    assert sentence.startswith("The database is not available")
    assert "hush" not in sentence
