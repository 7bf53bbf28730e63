"""`coro topics` and `coro events` on real Kafka."""

import asyncio
import json
import uuid
from pathlib import Path

import pytest

from coro_events.contract.topics import DEFAULT_PARTITIONS, TOPICS
from coro_events.contract.triggers import Trigger
from tests.integration.cli.commands import coro, told, why_not
from tests.support import confluent
from tests.support.kafka import Topics, delete_topics
from tests.support.processes import free_port

COUNT = Trigger.PROTECTED_USERS_COUNT_UPDATED.value
EMIT = ("events", "emit", COUNT, "--workspace", "acme")
# More than a command on a machine at work needs, less than anybody would wait.
SOON_S = 20


async def test_topics_that_are_missing_are_created_and_the_others_left_as_they_are(
    kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = f"test-{uuid.uuid4().hex[:12]}."
    monkeypatch.setenv("CORO_KAFKA_BOOTSTRAP_SERVERS", kafka_bootstrap)
    monkeypatch.setenv("CORO_KAFKA_TOPIC_PREFIX", prefix)
    names = [prefix + name for name in TOPICS]
    try:
        (first,) = await coro("topics", "create")
        (again,) = await coro("topics", "create", "--partitions", "2")
        there = await confluent.partitions_of(kafka_bootstrap)
    finally:
        await delete_topics(kafka_bootstrap, tuple(names))
    assert sorted(first["created"]) == sorted(names)
    assert again["created"] == []
    assert {name: there[name] for name in names} == dict.fromkeys(names, DEFAULT_PARTITIONS)


async def test_emitted_events_are_on_the_topic_each_with_a_number(with_kafka: str, topics: Topics) -> None:
    shown = await coro(*EMIT, "--data", '{"protectedCount": 3}', "--id", "run-7", "--count", "3", "--source", "a/b")
    records = await confluent.read(with_kafka, topics.events, 3)
    emitted = [json.loads(record.value or b"") for record in records]
    assert [one["id"] for one in emitted] == [one["source_id"] for one in shown] == ["run-7-1", "run-7-2", "run-7-3"]
    assert {(one["source"], one["type"], one["subject"]) for one in emitted} == {("a/b", COUNT, "acme")}
    assert {record.key for record in records} == {b"acme"}


async def test_an_event_is_emitted_from_a_file_and_told_to_people(
    with_kafka: str, topics: Topics, tmp_path: Path
) -> None:
    data = tmp_path / "data.json"
    data.write_text('{"protectedCount": 4}', encoding="utf-8")
    said = await told(*EMIT, "--data-file", str(data), "--id", "run-8", "--time", "2026-03-02T10:00:00Z")
    assert said == f"emitted {COUNT} run-8 of acme\n"
    (record,) = await confluent.read(with_kafka, topics.events, 1)
    emitted = json.loads(record.value or b"")
    assert (emitted["time"], emitted["data"]["protectedCount"]) == ("2026-03-02T10:00:00Z", 4)


async def test_nothing_is_emitted_when_the_data_breaks_its_schema(with_kafka: str, topics: Topics) -> None:
    assert "protectedCount" in await why_not(*EMIT, "--data", '{"protectedCount": -1}', "--count", "5")
    await coro(*EMIT, "--data", '{"protectedCount": 1}', "--id", "proof")
    (record,) = await confluent.read(with_kafka, topics.events, 1)
    assert json.loads(record.value or b"")["id"] == "proof"


@pytest.mark.parametrize(
    "command", [(*EMIT, "--data", '{"protectedCount": 1}'), ("topics", "create"), ("events", "redrive")], ids=" ".join
)
async def test_a_command_says_so_soon_when_no_broker_answers(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORO_KAFKA_BOOTSTRAP_SERVERS", f"127.0.0.1:{free_port()}")
    async with asyncio.timeout(SOON_S):
        assert "bootstrap" in await why_not(*command)


REJECTED_HEADERS = [("coro-rejected-reason", b"no"), ("coro-rejected-offset", b"7"), ("coro-rejected-at", b"now")]


async def test_rejected_records_are_sent_again_once_as_they_were(with_kafka: str, topics: Topics) -> None:
    for number in range(3):
        await confluent.produce(
            with_kafka,
            topics.rejected,
            b"%d" % number,
            key=b"acme",
            headers=[("content-type", b"application/json"), *REJECTED_HEADERS],
        )
    assert await coro("events", "redrive", "--dry-run") == [{"sent": 3, "skipped": 0, "dry_run": True}]
    assert await coro("events", "redrive", "--limit", "2") == [{"sent": 2, "skipped": 0, "dry_run": False}]
    assert await coro("events", "redrive") == [{"sent": 1, "skipped": 0, "dry_run": False}]
    assert await told("events", "redrive") == "0 sent, 0 without key and value skipped\n"

    records = await confluent.read(with_kafka, topics.events, 3)
    assert [record.value for record in records] == [b"0", b"1", b"2"]
    assert {record.key for record in records} == {b"acme"}
    assert all(record.headers == {"content-type": b"application/json"} for record in records)


async def test_a_redrive_names_the_topic_when_it_is_missing(
    kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORO_KAFKA_BOOTSTRAP_SERVERS", kafka_bootstrap)
    monkeypatch.setenv("CORO_KAFKA_TOPIC_PREFIX", "missing.")
    assert await why_not("events", "redrive") == (
        "there is no topic missing.coro.events.rejected; create it with `coro topics create`."
    )
