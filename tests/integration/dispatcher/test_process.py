"""The dispatcher as a real process: from a record on Kafka to a request at the receiver."""

import base64
import signal
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise

import httpx
import pytest
from sqlalchemy import text
from standardwebhooks import Webhook

from coro_events.contract.cloudevents import STRUCTURED_HEADERS
from coro_events.contract.webhook_events import (
    SOURCE_API,
    TestRequested,
    WebhookEvent,
    WebhookEventType,
    encode_webhook_event,
)
from coro_events.runtime.clock import SystemClock
from services.dispatcher.deliver.sign import coro_signature
from tests.contract.dispatcher.test_rejects import records_of
from tests.integration.dispatcher.room import count_updated
from tests.integration.dispatcher.stand import Stand, standing
from tests.support import kafka, postgres
from tests.support.kafka import Topics
from tests.support.processes import Process
from tests.support.receiver import Received
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
async def stand(database_admin_url: str, _template_database: str, kafka_bootstrap: str) -> AsyncIterator[Stand]:
    name, topics = postgres.new_name("process"), kafka.new_topics()
    url = await postgres.create_database(database_admin_url, name, template=_template_database)
    await kafka.create_topics(kafka_bootstrap, topics.all(), partitions=3)
    async with standing(url, kafka_bootstrap, topics) as stand:
        yield stand
    await kafka.delete_topics(kafka_bootstrap, topics.all())
    await postgres.drop_database(database_admin_url, name)


@pytest.fixture(scope="module")
async def process(stand: Stand) -> AsyncIterator[Process]:
    with stand.dispatcher() as process:
        await wait_until(lambda: process.said("intake.assigned"), what="partitions", limit_s=30)
        yield process
        assert process.exit_code is None, process.output()


def verify(request: Received, secret: str) -> None:
    """Verify a request as its receiver would, by code that is not ours."""
    assert request.headers["x-coro-signature"] == coro_signature(secret.encode(), request.hook_id)
    Webhook(f"whsec_{base64.b64encode(secret.encode()).decode()}").verify(request.body, request.headers)


@pytest.mark.usefixtures("process")
async def test_event_becomes_a_signed_recorded_delivery(stand: Stand) -> None:
    hook = await stand.webhook("/ok/signed", "signed")
    await stand.emit(count_updated("signed", occurred_at=SystemClock().now()))
    (request,) = await stand.receiver.until(1, prefix="/ok/signed")
    verify(request, hook.secret)
    body = request.json()
    assert (body["workspaceId"], body["type"], body["data"]) == (
        "signed",
        "workspace-status-updated",
        {"status": "trial"} | {name: None for name in body["data"] if name != "status"},
    )
    assert body["id"] == request.hook_id == request.headers["webhook-id"]
    await stand.until_states(hook, "delivered")
    (attempt,) = await stand.all("select * from attempts where webhook_id = :id", id=hook.id)
    assert (str(attempt.hook_id), attempt.number, attempt.outcome, attempt.status) == (
        request.hook_id,
        1,
        "delivered",
        200,
    )


async def test_unreadable_record_is_parked_and_the_flow_goes_on(stand: Stand, process: Process) -> None:
    hook = await stand.webhook("/ok/flow", "flow")
    await stand.emit(count_updated("flow"))
    for value, key in ((b"{not json", b"flow"), (None, None)):
        await stand.producer.send_and_wait(stand.topics.events, value=value, key=key or b"flow")
    await stand.emit(count_updated("flow"))
    await stand.receiver.until(2, prefix="/ok/flow")
    await stand.until_states(hook, "delivered", "delivered")
    rejected = await records_of(stand.bootstrap, stand.topics.rejected, 2)
    assert {record.value for record in rejected} == {b"{not json", None}
    for record in rejected:
        headers = dict(record.headers)
        assert headers["coro-rejected-reason"]
        assert headers["coro-rejected-topic"] == stand.topics.events.encode()
    assert process.said("record.rejected", topic=stand.topics.events)


@pytest.mark.usefixtures("process")
async def test_receiver_that_fails_is_tried_four_times_with_growing_waits_and_then_disabled(stand: Stand) -> None:
    hook = await stand.webhook("/status/500", "failing")
    await stand.emit(count_updated("failing"))
    requests = await stand.receiver.until(4, prefix="/status/500")
    first, second, third = (b.at - a.at for a, b in pairwise(requests))
    assert first >= 0.18
    assert second >= 0.36
    assert third >= 0.72
    assert len({request.hook_id for request in requests}) == 1
    assert len({request.body for request in requests}) == 1
    await stand.until_states(hook, "failed")
    (row,) = await stand.all("select state, disabled_reason from webhooks where id = :id", id=hook.id)
    assert row.state == "disabled"
    assert row.disabled_reason.startswith("4 of 4 attempts failed.")
    await stand.emit(count_updated("failing"), count_updated("signed"))
    assert len(stand.receiver.of("/status/500")) == 4


@pytest.mark.usefixtures("process")
async def test_what_waits_is_held_when_its_webhook_was_disabled(stand: Stand) -> None:
    hook = await stand.webhook("/status/410", "gone")
    stand.receiver.answers["/status/410"] = "/status/500"
    await stand.emit(*(count_updated("gone") for _ in range(3)))
    await stand.receiver.until(3, prefix="/status/410")
    del stand.receiver.answers["/status/410"]
    await stand.receiver.until(4, prefix="/status/410")

    async def held_back() -> bool:
        rows = await stand.all("select state from deliveries where webhook_id = :id", id=hook.id)
        return {row.state for row in rows} <= {"failed", "held"}

    await wait_until(held_back, what="the other deliveries to be held")


@pytest.mark.usefixtures("process")
async def test_test_is_sent_once_even_to_a_disabled_webhook(stand: Stand) -> None:
    hook = await stand.webhook("/ok/test", "tested")
    async with stand.database.write() as connection:
        await connection.execute(text("update webhooks set state = 'disabled' where url like '%/ok/test'"))
    test_id = uuid.uuid4()
    data = TestRequested(webhook_id=str(hook.id), test_id=str(test_id))
    event = WebhookEvent(uuid.uuid4(), SOURCE_API, WebhookEventType.TEST_REQUESTED, "tested", SystemClock().now(), data)
    for _ in range(2):
        await stand.producer.send_and_wait(
            stand.topics.webhooks, value=encode_webhook_event(event), key=b"tested", headers=list(STRUCTURED_HEADERS)
        )
    (request,) = await stand.receiver.until(1, prefix="/ok/test")
    verify(request, hook.secret)
    assert (request.hook_id, request.json()["type"]) == (str(test_id), "test")
    await stand.until_states(hook, "delivered")
    assert len(stand.receiver.of("/ok/test")) == 1


async def test_metrics_and_health_tell_of_the_work(stand: Stand, process: Process) -> None:
    (started,) = [line for line in process.lines() if line.get("event") == "process.started"]
    port = started["settings"]["CORO_OPS_PORT"]
    assert started["settings"]["CORO_SECRET_KEYS"] == "********"
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 200
        metrics = (await client.get("/metrics")).text
    assert 'coro_attempts_total{outcome="delivered"}' in metrics
    assert "coro_intake_partitions 6.0" in metrics
    assert stand.database_url not in process.output()


async def test_every_event_arrives_when_the_process_is_killed_in_the_middle(
    database_url: str, kafka_bootstrap: str, topics: Topics
) -> None:
    count = 300
    settings = {
        "dispatcher_lease_s": "3",
        "dispatcher_deadline_s": "1",
        "dispatcher_max_in_flight": "4",
        "dispatcher_batch_records": "200",
    }
    async with standing(database_url, kafka_bootstrap, topics) as stand:
        hook = await stand.webhook("/ok/killed", "killed")
        events = [count_updated("killed") for _ in range(count)]
        await stand.emit(*events)
        with stand.dispatcher(**settings) as first:
            await stand.receiver.until(40, prefix="/ok/killed")
            first.kill()
        await stand.receiver.until_alone()
        before = Counter(request.hook_id for request in stand.receiver.of("/ok/killed"))
        recorded = {str(row.hook_id) for row in await stand.all("select hook_id from attempts")}
        assert len(before) < count, "the kill came too late to show anything"
        with stand.dispatcher(**settings) as second:
            await stand.until_states(hook, *["delivered"] * count, limit_s=30)
            second.kill()
        hooks = Counter(request.hook_id for request in stand.receiver.of("/ok/killed"))
        rows = await stand.all("select hook_id, event_id from deliveries")
        assert {row.event_id for row in rows} == {event.id for event in events}
        assert set(hooks) == {str(row.hook_id) for row in rows}, "one hook id an event, on duplicates too"
        repeated = {hook_id for hook_id, times in hooks.items() if times > 1}
        assert repeated <= set(before) - recorded, "only what was not recorded is sent again"


async def test_sigterm_finishes_what_is_in_flight_and_gives_back_the_rest(
    database_url: str, kafka_bootstrap: str, topics: Topics
) -> None:
    async with standing(database_url, kafka_bootstrap, topics) as stand:
        hook = await stand.webhook("/hang", "stopped")
        with stand.dispatcher(
            dispatcher_max_in_flight_per_webhook="1",
            dispatcher_deadline_s="1",
            dispatcher_lease_s="600",
            dispatcher_retry_initial_s="60",
        ) as process:
            await stand.emit(*(count_updated("stopped") for _ in range(5)))
            await stand.receiver.until(1, prefix="/hang")
            process.signal(signal.SIGTERM)
            assert await process.ended() == 0
            assert not process.said("task.died"), process.output()
        (attempt,) = await stand.all("select outcome, webhook_id from attempts")
        assert (attempt.outcome, attempt.webhook_id) == ("timed_out", hook.id)
        rows = await stand.all(
            "select state, claim, attempts, due_at <= now() as due from deliveries order by attempts"
        )
        assert [tuple(row) for row in rows] == [("pending", None, 0, True)] * 4 + [("pending", None, 1, False)]
