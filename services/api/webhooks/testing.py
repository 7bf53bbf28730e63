"""Tests of a webhook: asked for over Kafka, sent by the dispatcher, read back from the delivery's rows."""

import asyncio
import uuid
from datetime import datetime

from coro_events.contract.webhook_events import SOURCE_API, TestRequested, WebhookEvent, WebhookEventType
from coro_events.rules.deliveries import DeliveryState
from coro_events.runtime.clock import Clock
from services.api.access.service import Caller
from services.api.refusals import NotFound
from services.api.webhooks.ended import require_alive
from services.api.webhooks.ports import (
    Activity,
    ResultsOfTests,
    TestDelivery,
    Webhook,
    WebhookChange,
    WebhookStore,
)

# Well under what a person notices; one look is a primary-key read.
POLL_S = 0.05


async def request_test(change: WebhookChange, webhook: Webhook, *, actor: str, now: datetime) -> uuid.UUID:
    """Ask for a test of a locked webhook within its transaction; return the test's id."""
    test_id = uuid.uuid4()
    await change.record(
        Activity(
            workspace_id=webhook.workspace_id,
            at=now,
            actor=actor,
            action="webhook.test_requested",
            subject=str(webhook.id),
            detail={"name": webhook.name, "testId": str(test_id)},
        )
    )
    await change.publish(
        WebhookEvent(
            id=uuid.uuid4(),
            source=SOURCE_API,
            type=WebhookEventType.TEST_REQUESTED,
            workspace_id=webhook.workspace_id,
            occurred_at=now,
            data=TestRequested(webhook_id=str(webhook.id), test_id=str(test_id), actor=actor),
        )
    )
    return test_id


class Testing:
    """Tests webhooks on demand."""

    __test__ = False  # The name begins with "Test", yet it is none for pytest.

    def __init__(
        self, *, store: WebhookStore, results: ResultsOfTests, clock: Clock, wait_s: float, stopping: asyncio.Event
    ) -> None:
        self._store = store
        self._results = results
        self._clock = clock
        self._wait_s = wait_s
        self._stopping = stopping

    async def run(self, caller: Caller, webhook_id: uuid.UUID) -> TestDelivery:
        """Ask for a test and wait for its result; a pending one when the time is over or the process stops.

        Raises:
            NotFound: The workspace has no such webhook.
            WrongState: The webhook is expired.
        """
        test_id, asked_at = await self.ask(caller, webhook_id)
        return await self._wait(webhook_id, test_id, asked_at)

    async def ask(self, caller: Caller, webhook_id: uuid.UUID) -> tuple[uuid.UUID, datetime]:
        """Ask for a test; return its id and when that was, which `result` looks for.

        Raises:
            NotFound: The workspace has no such webhook.
            WrongState: The webhook is expired.
        """
        now = self._clock.now()
        async with self._store.change() as change:
            webhook = await change.lock(caller.workspace_id, webhook_id)
            if webhook is None:
                raise NotFound
            require_alive(webhook, "nothing is sent to it any more")
            test_id = await request_test(change, webhook, actor=caller.actor, now=now)
        return test_id, now

    async def result(self, webhook_id: uuid.UUID, test_id: uuid.UUID, asked_at: datetime) -> TestDelivery | None:
        """Return what is known of a test; none until the dispatcher has planned it."""
        return await self._results.result(webhook_id, test_id, asked_at)

    async def last(self, webhook_id: uuid.UUID) -> TestDelivery | None:
        """Return the latest test of a webhook."""
        return await self._results.last(webhook_id)

    async def _wait(self, webhook_id: uuid.UUID, test_id: uuid.UUID, asked_at: datetime) -> TestDelivery:
        """Look until the test is over; between two looks no connection is held."""
        end_s = self._clock.monotonic() + self._wait_s
        while True:
            test = await self._results.result(webhook_id, test_id, asked_at)
            if test is not None and test.state is not DeliveryState.PENDING:
                return test
            if self._clock.monotonic() >= end_s or self._stopping.is_set():
                return TestDelivery(id=test_id, state=DeliveryState.PENDING)
            await self._clock.sleep(POLL_S)
