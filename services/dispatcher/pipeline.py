"""The units of work: take in a batch, deliver, record, claim what is due.

An event's way: Kafka → intake (one transaction plans a whole batch) → lanes → deliver → record. A retry's way: a due
row → claim → the same lanes. Nothing waits for a receiver but the attempt itself.
"""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from coro_events.errors import (
    BrokerUnavailableError,
    ContractError,
    FenceLostError,
    PublishError,
    StoreUnavailableError,
)
from coro_events.runtime.clock import Clock
from coro_events.runtime.logs import get_logger
from coro_events.runtime.retrying import until_it_works
from coro_events.runtime.tracing import AttributeValue, Tracing
from services.dispatcher.bells import Bells, Progress, first_of
from services.dispatcher.deliver.lanes import Lanes
from services.dispatcher.deliver.outcome import Answer, Outcome
from services.dispatcher.deliver.ports import DueDeliveries, Sender
from services.dispatcher.deliver.request import make_request
from services.dispatcher.intake.ahead import ReadAhead
from services.dispatcher.intake.batch import Decoded
from services.dispatcher.intake.ports import EventSource, Rejects
from services.dispatcher.match.delivery import Delivery
from services.dispatcher.match.plan import Plan
from services.dispatcher.match.ports import Planner
from services.dispatcher.metrics import Metrics
from services.dispatcher.record.effects import Attempt, decide
from services.dispatcher.record.ports import Ledger
from services.dispatcher.record.recorder import Recorder
from services.dispatcher.record.report import Reporter
from services.dispatcher.record.retry import RetrySchedule

_log = get_logger("pipeline")

# Deliveries of one claim, and the least time between two looks that find nothing.
CLAIM_BATCH = 400
CLAIM_PAUSE_S = 0.1

# The time between two claims while there is work.
CLAIM_AGAIN_S = 0.002

# Records of a batch at the least, and the weight of the newest batch in the average fan-out.
SMALLEST_BATCH = 20
FAN_OUT_WEIGHT = 0.3

# Of the free room, what a batch may fill: the fan-out is an average.
ROOM_TO_FILL = 0.9

# How long intake may be held back by a process at its limit before it goes on all the same.
HELD_BACK_S = 0.25


class Pipeline:
    """The loops of a dispatcher; each returns when `stopping` is set and its work is done."""

    def __init__(
        self,
        *,
        source: EventSource,
        rejects: Rejects,
        planner: Planner,
        lanes: Lanes,
        due: DueDeliveries,
        sender: Sender,
        ledger: Ledger,
        schedule: RetrySchedule,
        reporter: Reporter,
        metrics: Metrics,
        tracing: Tracing | None = None,
        clock: Clock,
        bells: Bells,
        progress: Progress,
        stopping: asyncio.Event,
        webhooks_topic: str,
        deadline_s: float,
        claim_interval_s: float,
    ) -> None:
        self._source = source
        self._rejects = rejects
        self._planner = planner
        self._lanes = lanes
        self._due = due
        self._sender = sender
        self._schedule = schedule
        self._metrics = metrics
        self._tracing = tracing
        self._clock = clock
        self._bells = bells
        self._progress = progress
        self._stopping = stopping
        self._webhooks_topic = webhooks_topic
        self._deadline_s = deadline_s
        self._claim_interval_s = claim_interval_s
        self._recorder = Recorder(
            ledger=ledger,
            lanes=lanes,
            reporter=reporter,
            clock=clock,
            progress=progress,
            stopping=stopping,
            release=self._release,
            stop_sending=self._stop_sending,
        )
        # Deliveries an event, on average.
        self._fan_out = 1.0

    # Unit A: a batch of records.

    async def intake(self) -> None:
        """Take in batch after batch; under a backlog the next is read while one is planned."""
        ahead = ReadAhead(self._source, webhooks_topic=self._webhooks_topic, fits=self._records_that_fit)
        try:
            while not self._stopping.is_set():
                self._progress.went_round("intake")
                await self._lanes.until_roomy(HELD_BACK_S)
                await self._take_in_next(ahead)
        except StoreUnavailableError:
            # Only when stopping: nothing of the batch is planned, and whoever comes next begins with it.
            return
        finally:
            await ahead.drop()

    async def _take_in_next(self, ahead: ReadAhead) -> None:
        try:
            decoded = await ahead.next()
            if decoded.spans:
                await self._take_in(decoded)
        except FenceLostError as error:
            _log.info("intake.fence_lost", detail=error.detail)
            self._lanes.forget_batch()
            await ahead.drop()
            await self._source.reposition()
        except BrokerUnavailableError as error:
            _log.warning("intake.broker_unavailable", detail=error.detail)
            await first_of(self._stopping, self._claim_interval_s)

    def _records_that_fit(self, unplanned: int) -> int:
        """Return how many records become about as many deliveries as there is room for, by the fan-out so far.

        What a batch brings beyond that goes to the database and is claimed from there, at several times the cost. Slow
        receivers make this no smaller: little of theirs waits in memory.

        Args:
            unplanned: Records that were read before and take their room first.
        """
        return max(SMALLEST_BATCH, int(self._lanes.free * ROOM_TO_FILL / self._fan_out) - unplanned)

    async def _take_in(self, decoded: Decoded) -> None:
        if decoded.rejections:
            await self._park(decoded)
        plan = await self._plan(decoded)
        self._source.planned(decoded.spans)
        await self._hand_over(plan.claimed)
        self._count(decoded, plan)
        if plan.unclaimed:
            self._bells.work_is_due.set()
        await self._stop_sending(decoded.disabled_webhooks)
        await self._stop_sending(decoded.gone_webhooks, manual_too=True)

    async def _plan(self, decoded: Decoded) -> Plan:
        async def plan() -> Plan:
            if self._tracing is None:
                return await self._planner.plan(decoded, self._lanes.grant)
            with self._tracing.span("batch.plan", attributes={"coro.events": len(decoded.events)}):
                return await self._planner.plan(decoded, self._lanes.grant)

        return await until_it_works(
            self._progress.each_try("intake", plan),
            name="intake.plan",
            errors=(StoreUnavailableError,),
            clock=self._clock,
            stopping=self._stopping,
        )

    async def _park(self, decoded: Decoded) -> None:
        await until_it_works(
            self._progress.each_try("intake", lambda: self._rejects.reject(decoded.rejections)),
            name="intake.reject",
            errors=(PublishError,),
            clock=self._clock,
        )
        for rejection in decoded.rejections:
            record = rejection.record
            _log.warning(
                "record.rejected",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                reason=rejection.reason,
            )

    def _count(self, decoded: Decoded, plan: Plan) -> None:
        records = sum(span.next_offset - span.first_offset for span in decoded.spans)
        self._metrics.records.inc(records)
        self._metrics.rejected.inc(len(decoded.rejections))
        self._metrics.intake_batch.observe(records)
        self._metrics.planned.inc(len(plan.claimed) + len(plan.unclaimed))
        self._metrics.overflowed.inc(len(plan.unclaimed))
        if decoded.events:
            fan_out = (len(plan.claimed) + len(plan.unclaimed)) / len(decoded.events)
            self._fan_out = max(1.0, self._fan_out + FAN_OUT_WEIGHT * (fan_out - self._fan_out))
        self._metrics.homeless.inc(plan.homeless)
        _log.info(
            "batch.planned",
            records=records,
            events=len(decoded.events),
            rejected=len(decoded.rejections),
            deliveries=len(plan.claimed) + len(plan.unclaimed),
            left_to_database=len(plan.unclaimed),
            homeless=plan.homeless,
        )

    async def _hand_over(self, deliveries: Sequence[Delivery], *, claimed: bool = False) -> None:
        refused = self._lanes.offer(deliveries, claimed=claimed)
        if refused:
            await self._release(refused)

    async def _stop_sending(self, webhook_ids: Collection[UUID], *, manual_too: bool = False) -> None:
        """Give back what waits in memory for webhooks that get nothing any more, to be held or discarded."""
        if not webhook_ids:
            return
        withdrawn = self._lanes.withdraw(webhook_ids, manual_too=manual_too)
        if withdrawn:
            await self._release(withdrawn)
        self._bells.webhook_stopped.set()

    # Unit B: one attempt.

    async def deliver(self) -> None:
        """Make attempts, as many at once as may be in flight, until the lanes close."""
        self._recorder.more_may_come = True
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(self._lanes.most_in_flight):
                    group.create_task(self._deliver_one_by_one(), name=f"deliver.{number}")
        finally:
            self._recorder.more_may_come = False
            self._recorder.look_up()

    async def _deliver_one_by_one(self) -> None:
        while (delivery := await self._lanes.take()) is not None:
            await self._attempt(delivery)

    async def _attempt(self, delivery: Delivery) -> None:
        self._progress.went_round("deliver")
        started = self._clock.monotonic()
        if started + self._deadline_s > delivery.leased_until:
            # It waited so long that another replica might take it while we send.
            self._lanes.done(delivery, sent=False)
            self._recorder.give_back(delivery)
            return
        started_at = self._clock.now()
        try:
            answer = await self._send(delivery, started_at)
        finally:
            self._lanes.done(delivery, sent=True)
        attempt = Attempt(
            delivery=delivery,
            number=delivery.attempts + 1,
            started_at=started_at,
            duration_ms=round((self._clock.monotonic() - started) * 1000),
            answer=answer,
        )
        self._recorder.add(decide(attempt, self._schedule, self._clock.chance()))

    async def _send(self, delivery: Delivery, now: datetime) -> Answer:
        if self._tracing is None:
            return await self._exchange(delivery, now, None)
        attributes: dict[str, AttributeValue] = {
            "coro.hook_id": str(delivery.hook_id),
            "coro.webhook_id": str(delivery.target.webhook_id),
            "coro.workspace_id": delivery.happening.workspace_id,
            "coro.type": delivery.happening.type,
            "coro.attempt": delivery.attempts + 1,
        }
        parent = delivery.happening.traceparent
        with self._tracing.span("delivery.attempt", traceparent=parent, attributes=attributes) as span:
            answer = await self._exchange(delivery, now, span.traceparent)
            span.tell({"coro.outcome": answer.outcome.value, "http.response.status_code": answer.status or 0})
            return answer

    async def _exchange(self, delivery: Delivery, now: datetime, traceparent: str | None) -> Answer:
        try:
            return await self._sender.send(make_request(delivery, now, traceparent))
        except (ContractError, ValueError) as error:
            _log.warning("delivery.unsendable", hook_id=str(delivery.hook_id), error=repr(error))
            return Answer(Outcome.UNSENDABLE)

    # The record of what came of it.

    async def record(self) -> None:
        """Write outcomes in batches, until the last attempt is over and written."""
        await self._recorder.run()

    async def _release(self, deliveries: Sequence[Delivery]) -> None:
        try:
            await self._due.release(deliveries)
        except StoreUnavailableError as error:
            _log.warning("claims.not_released", deliveries=len(deliveries), detail=error.detail)
        self._bells.work_is_due.set()

    # Unit C: what is due.

    async def claim(self) -> None:
        """Claim due deliveries again and again: retries, released and left ones, those of a dead replica."""
        while not self._stopping.is_set():
            self._progress.went_round("claim")
            self._bells.work_is_due.clear()
            claimed: Sequence[Delivery] = ()
            try:
                if not self._recorder.is_late():
                    most = self._lanes.reserve(CLAIM_BATCH)
                    claimed = await self._due.claim(self._lanes.room_for_claimed, most)
            except StoreUnavailableError as error:
                _log.warning("claim.store_unavailable", detail=error.detail)
            self._metrics.claimed.inc(len(claimed))
            await self._hand_over(claimed, claimed=True)
            await self._until_due(found=bool(claimed))

    async def _until_due(self, *, found: bool) -> None:
        """Wait for the next look: soon while there is work, else an interval or until somebody knows of some."""
        if found:
            await self._lanes.until_roomy(HELD_BACK_S)
            await first_of(self._stopping, CLAIM_AGAIN_S)
            return
        # A look that found nothing is not repeated at once: receivers that hang leave rows with every batch that nobody
        # has room for, and each would ring.
        await first_of(self._stopping, min(CLAIM_PAUSE_S, self._claim_interval_s))
        await first_of(self._bells.work_is_due, self._claim_interval_s)

    async def drain(self) -> None:
        """Give back what was claimed and not begun; what is in flight goes on."""
        await self._release(self._lanes.close())
        self._bells.ring_all()
        self._recorder.look_up()
