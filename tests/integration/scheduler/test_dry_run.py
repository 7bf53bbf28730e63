"""What a run would do is told, for people and for programs, and nothing is done."""

import json

from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from tests.integration.scheduler.world import environ_of
from tests.support.makers import insert_webhook, insert_workspace
from tests.support.processes import running
from tests.support.sunset import REMINDER, insert_admin, release_version_2, rows


async def dry_run(database_url: str, *arguments: str) -> str:
    """Run it as an operator would; return what was written."""
    now = REMINDER.isoformat()
    with running(
        "services.scheduler", "--dry-run", "--now", now, *arguments, environ=environ_of(database_url)
    ) as process:
        assert await process.ended() == 0, process.output()
        return process.output()


async def fill(database: Database, vault: Vault) -> str:
    await insert_workspace(database, "acme")
    await insert_admin(database, "acme", "admin@acme.example.com")
    await release_version_2(database)
    return str((await insert_webhook(database, vault, name="Billing")).id)


async def test_each_thing_is_one_json_line_when_asked_for_json(
    database_url: str, database: Database, vault: Vault
) -> None:
    webhook_id = await fill(database, vault)
    lines = [json.loads(line) for line in (await dry_run(database_url, "--json")).splitlines()]
    steps = [(line["chore"], line["action"], line["subject"]) for line in lines if line["chore"] != "partitions"]
    assert steps == [("reminder", "reminder", webhook_id), ("reminder", "draft", webhook_id)]
    assert {line["action"] for line in lines if line["chore"] == "partitions"} == {"make partitions of"}
    assert all(line["now"] == REMINDER.isoformat() for line in lines)


async def test_table_names_the_webhook_and_nothing_changes(database_url: str, database: Database, vault: Vault) -> None:
    webhook_id = await fill(database, vault)
    before = await rows(database, "select relname from pg_class where relname like 'events_%' order by 1")
    output = await dry_run(database_url)
    assert output.splitlines()[0] == "At 2026-08-02 10:00 UTC this would be done; nothing is changed now."
    row = next(line for line in output.splitlines() if webhook_id in line)
    assert row.split() == ["reminder", "reminder", webhook_id, "acme", "Billing,", "version", "1"]
    for table in ("notices", "mails", "activity_log", "outbox"):
        assert await rows(database, f"select count(*) from {table}") == [(0,)]  # noqa: S608 - names of this test
    assert await rows(database, "select relname from pg_class where relname like 'events_%' order by 1") == before
