"""Both formats from a real dispatcher: numbers without gaps, the place, and what tells that a version ends."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from coro_events.runtime.clock import SystemClock
from tests.integration.dispatcher.room import count_updated
from tests.integration.dispatcher.stand import STATUS, Stand, standing
from tests.support.kafka import Topics
from tests.support.makers import insert_webhook, insert_workspace, make_vault
from tests.support.waiting import wait_until

EVENTS = 40
RELEASE = (
    "update webhook_versions set released_at = '2026-03-01T09:00:00Z' where version = 2",
    "update webhook_versions set expires_at = '2026-09-01T09:00:00Z' where version = 1",
)


@pytest.fixture
async def stand(database_url: str, kafka_bootstrap: str, topics: Topics) -> AsyncIterator[Stand]:
    async with standing(database_url, kafka_bootstrap, topics) as stand:
        yield stand


async def test_each_webhook_gets_its_format_and_the_old_one_tells_its_end(stand: Stand) -> None:
    async with stand.database.write() as connection:
        for statement in RELEASE:
            await connection.execute(text(statement))
    await insert_workspace(stand.database, "msp")
    for name in ("east", "west"):
        await insert_workspace(stand.database, name, "msp")
    for version in (1, 2):
        await insert_webhook(
            stand.database,
            make_vault(),
            workspace_id="msp",
            version=version,
            url=stand.receiver.url(f"/ok/v{version}"),
            triggers=[STATUS],
            apply_to_all_descendants=True,
        )
    with stand.dispatcher() as process:
        await wait_until(lambda: process.said("intake.assigned"), what="partitions", limit_s=30)
        now = SystemClock().now()
        await stand.emit(*(count_updated(("east", "west")[index % 2], occurred_at=now) for index in range(EVENTS)))
        old = await stand.receiver.until(EVENTS, prefix="/ok/v1")
        new = await stand.receiver.until(EVENTS, prefix="/ok/v2")

    assert {one.headers.get("sunset") for one in old} == {"Tue, 01 Sep 2026 09:00:00 GMT"}
    assert {one.headers.get("deprecation") for one in old} == {"@1772355600"}
    assert not any({"sunset", "deprecation"} & set(one.headers) for one in new)
    assert {tuple(one.json()) for one in old} == {("id", "timestamp", "workspaceId", "type", "data")}
    told = [one.json() for one in new]
    for name in ("east", "west"):
        own = [body for body in told if body["workspace"]["id"] == name]
        assert sorted(body["sequence"] for body in own) == list(range(1, EVENTS // 2 + 1))
        place = {"id": name, "displayName": f"Workspace {name}", "type": "child", "path": ["msp", name]}
        assert all(body["workspace"] == place for body in own)
