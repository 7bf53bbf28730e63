"""The audit of the faults notices what is lost, made up or doubled, and excuses what has a reason."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from coro_events.store.partitions import make_partitions
from coro_events.store.unit import Database
from tests.faults.audit import audit, in_flight_at, left_by_the_gone, pending_now, picked_up_s
from tests.faults.judging import judge
from tests.support.makers import insert_webhook, insert_workspace, make_vault
from tests.support.receiver import Receiver
from tests.support.stand import Stand

PATH = "/ok/a"
NUMBERS = range(3)
# A fixed day; the receiver's clock, which is the machine's, is set beside it where instants are compared.
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)

_EVENT = text(
    "insert into events (day, id, source, source_id, workspace_id, type, occurred_at, data)"
    " values (:day, :id, 'coro/bench', :number, 'acme', 'protected-users-added', :at, '{}')"
)
_DELIVERY = text(
    "insert into deliveries (day, webhook_id, event_id, hook_id, workspace_id, state, attempts, due_at, claim,"
    " leased_until, finished_at) values (:day, :webhook_id, :event_id, :hook_id, 'acme', :state, 1, :at,"
    " case when cast(:leased_until as timestamptz) is not null then gen_random_uuid() end, :leased_until, :finished_at)"
)
_ATTEMPT = text(
    "insert into attempts (day, hook_id, number, webhook_id, started_at, duration_ms, outcome, error)"
    " values (:day, :hook_id, :number, :webhook_id, :started_at, 1, 'delivered', :error)"
)


@dataclass
class World:
    """A webhook, and deliveries of events to it as a test wants them."""

    stand: Stand
    receiver: Receiver
    database: Database
    webhook_id: UUID
    hook_ids: dict[int, UUID] = field(default_factory=dict)

    async def plan(self, number: int, **changes: Any) -> str:
        """Insert an event with its delivery, which is recorded as delivered with one attempt; return its hook id."""
        values = {
            "state": "delivered",
            "leased_until": None,
            "finished_at": AT + timedelta(seconds=1),
            "started_ats": [AT],
            "error": None,
        } | changes
        event_id, hook_id = uuid4(), uuid4()
        keys = {"day": AT.date(), "webhook_id": self.webhook_id, "event_id": event_id, "hook_id": hook_id, "at": AT}
        async with self.database.write() as connection:
            await connection.execute(_EVENT, {"day": AT.date(), "id": event_id, "number": str(number), "at": AT})
            await connection.execute(
                _DELIVERY, keys | {name: values[name] for name in ("state", "leased_until", "finished_at")}
            )
            for turn, started_at in enumerate(values["started_ats"]):
                await connection.execute(
                    _ATTEMPT,
                    {
                        "day": AT.date(),
                        "hook_id": hook_id,
                        "number": turn + 1,
                        "webhook_id": self.webhook_id,
                        "started_at": started_at,
                        "error": values["error"],
                    },
                )
        self.hook_ids[number] = hook_id
        return str(hook_id)

    async def arrive(self, number: int, *, hook_id: str = "", at: datetime = AT) -> None:
        """Let a request come to the receiver."""
        headers = {"X-Coro-Hook-Id": hook_id or str(self.hook_ids[number])}
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.post(self.receiver.url(PATH), content=f"n={number};t=1;", headers=headers)
        self.receiver.received[-1].at = at.timestamp()

    async def disable(self) -> None:
        async with self.database.write() as connection:
            await connection.execute(text("update webhooks set state = 'disabled', disabled_reason = 'It failed.'"))


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> AsyncIterator[World]:
    receiver = Receiver()
    await receiver.start()
    await insert_workspace(database, "acme")
    async with database.write() as connection:
        await make_partitions(connection, AT.date(), AT.date())
    webhook = await insert_webhook(database, make_vault(), url=receiver.url(PATH))
    yield World(Stand(database, "", "", "", receiver.port, tmp_path), receiver, database, webhook.id)
    await receiver.stop()


async def two_that_came(world: World) -> None:
    for number in NUMBERS[:2]:
        await world.plan(number)
        await world.arrive(number)


async def test_nothing_is_amiss_when_everything_came_once(world: World) -> None:
    await two_that_came(world)
    audited = await judge(world.stand, NUMBERS[:2], [PATH])
    assert (audited.owed, audited.arrived, audited.lost, audited.strangers, audited.duplicates) == (2, 2, 0, 0, 0)


async def test_an_accepted_event_without_delivery_is_noticed(world: World) -> None:
    await two_that_came(world)
    assert (await audit(world.stand, NUMBERS, [PATH])).unplanned == 1
    with pytest.raises(AssertionError, match="accepted events have no delivery"):
        await judge(world.stand, NUMBERS, [PATH])
    # And each webhook is owed each event.
    assert (await audit(world.stand, NUMBERS[:2], [PATH, "/ok/b"])).unplanned == 2


@pytest.mark.parametrize("state", ["pending", "failed", "held", "discarded", "delivered"])
async def test_a_delivery_that_never_came_is_noticed_when_nothing_says_why(world: World, state: str) -> None:
    await two_that_came(world)
    await world.plan(2, state=state)
    audited = await audit(world.stand, NUMBERS, [PATH])
    assert (audited.unexplained, audited.arrived) == (1, 2)
    assert audited.lost >= 1
    with pytest.raises(AssertionError, match="neither arrived nor have a recorded reason"):
        await judge(world.stand, NUMBERS, [PATH])


async def test_a_delivery_that_never_came_is_excused_when_an_attempt_says_why(world: World) -> None:
    await world.plan(0, state="failed", error="Nobody listens.")
    assert (await judge(world.stand, NUMBERS[:1], [PATH])).lost == 0


async def test_a_delivery_that_never_came_is_excused_when_it_is_held_for_a_disabled_webhook(world: World) -> None:
    await world.plan(0, state="held", started_ats=[])
    await world.disable()
    assert (await judge(world.stand, NUMBERS[:1], [PATH])).lost == 0


async def test_a_delivery_that_is_only_recorded_as_delivered_is_noticed(world: World) -> None:
    await two_that_came(world)
    await world.plan(2, error="An earlier attempt failed.")
    assert (await audit(world.stand, NUMBERS, [PATH])).phantoms == 1
    with pytest.raises(AssertionError, match="recorded as delivered and never arrived"):
        await judge(world.stand, NUMBERS, [PATH])


@pytest.mark.parametrize("number", [0, 7])
async def test_a_request_is_noticed_when_its_hook_id_is_not_its_deliverys(world: World, number: int) -> None:
    await two_that_came(world)
    await world.arrive(number, hook_id=str(uuid4()))
    assert (await audit(world.stand, NUMBERS[:2], [PATH])).strangers == 1
    with pytest.raises(AssertionError, match="not their delivery's"):
        await judge(world.stand, NUMBERS[:2], [PATH])


async def test_a_request_is_a_duplicate_when_no_attempt_of_it_is_recorded(world: World) -> None:
    twice = await world.plan(0)
    await world.plan(1, started_ats=[AT, AT + timedelta(seconds=1)])
    for number in (0, 0, 0, 1, 1):
        await world.arrive(number)
    audited = await judge(world.stand, NUMBERS[:2], [PATH])
    assert audited.duplicated == {twice: 2}
    assert audited.duplicates == 2


async def test_in_flight_is_what_had_come_and_was_not_recorded(world: World) -> None:
    later = AT + timedelta(seconds=2)
    await world.plan(0, finished_at=AT)
    running = await world.plan(1, finished_at=later)
    await world.plan(2, finished_at=later)
    for number, at in zip(NUMBERS, (AT, AT, later), strict=True):
        await world.arrive(number, at=at)
    audited = await judge(world.stand, NUMBERS, [PATH])
    assert in_flight_at(audited, AT) == {running}


async def test_what_a_dispatcher_left_is_told_from_what_the_others_had(world: World) -> None:
    lease_end, soon, late = (AT + timedelta(seconds=seconds) for seconds in (5, 1, 6))
    nobodys = await world.plan(0, state="pending", started_ats=[])
    others = await world.plan(1, state="pending", leased_until=lease_end, started_ats=[])
    held = await world.plan(2, state="pending", leased_until=lease_end, started_ats=[])
    sent = await world.plan(3, state="pending", leased_until=lease_end, started_ats=[])
    await world.plan(4)
    pending = await pending_now(world.stand)
    assert pending == {nobodys: None, others: lease_end, held: lease_end, sent: lease_end}
    for number, started_at in ((0, late), (1, soon), (2, late), (3, late)):
        await _record(world, number, started_at)
        await world.arrive(number, at=started_at)
    await world.arrive(3, at=soon)
    await world.arrive(4)
    audited = await judge(world.stand, range(5), [PATH])
    left = left_by_the_gone(audited, pending)
    assert left.waiting == {nobodys, held, sent}
    assert left.in_flight == {sent} == audited.duplicated.keys()
    assert picked_up_s(audited, left.waiting, AT) == pytest.approx(6)
    assert picked_up_s(audited, [others], AT) == pytest.approx(1)


async def test_recovery_never_ends_when_something_was_not_picked_up(world: World) -> None:
    await world.plan(0)
    await world.plan(1, state="failed", error="Nobody listens.")
    await world.arrive(0)
    audited = await judge(world.stand, NUMBERS[:2], [PATH])
    assert picked_up_s(audited, [str(world.hook_ids[0])], AT) == pytest.approx(0)
    assert picked_up_s(audited, map(str, world.hook_ids.values()), AT) == float("inf")


async def _record(world: World, number: int, started_at: datetime) -> None:
    values = {"day": AT.date(), "hook_id": world.hook_ids[number], "webhook_id": world.webhook_id}
    async with world.database.write() as connection:
        await connection.execute(_ATTEMPT, values | {"number": 1, "started_at": started_at, "error": None})
        await connection.execute(
            text("update deliveries set state = 'delivered', finished_at = :at where hook_id = :hook_id"),
            {"at": started_at, "hook_id": world.hook_ids[number]},
        )
