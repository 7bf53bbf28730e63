"""Where the ports of the dispatcher that keep rows are at home: in memory, and in PostgreSQL."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID, uuid4

from sqlalchemy import text

from coro_events.contract.triggers import Trigger
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.dispatcher.deliver.ports import DueDeliveries
from services.dispatcher.deliver.sql import SqlDueDeliveries
from services.dispatcher.hold.ports import StoppedDeliveries
from services.dispatcher.hold.sql import SqlStoppedDeliveries
from services.dispatcher.intake.ports import ConsumedOffsets
from services.dispatcher.intake.sql import SqlConsumedOffsets, SqlFence, SqlTree
from services.dispatcher.match.delivery import Delivery
from services.dispatcher.match.ports import Planner
from services.dispatcher.match.sql import SqlPlanner
from services.dispatcher.match.targets import Targets
from services.dispatcher.record.ports import Ledger
from services.dispatcher.record.sql import SqlLedger
from tests.support.clock import FakeClock
from tests.support.dispatching import at_most, decoded_of, make_target
from tests.support.fakes import (
    FakeDueDeliveries,
    FakeLedger,
    FakeOffsets,
    FakePlanner,
    FakeStoppedDeliveries,
    FakeStore,
    FakeWebhook,
)
from tests.support.makers import insert_webhook, make_event

LEASE_S = 30.0
WANTED = Trigger.WORKSPACE_CREATED.value


@dataclass(frozen=True)
class Row:
    """A delivery as it is kept."""

    state: str
    attempts: int
    is_claimed: bool
    # Seconds until it is due.
    due_in_s: float


class World(Protocol):
    """The ports, and what a suite needs to set and to see."""

    @property
    def planner(self) -> Planner: ...
    @property
    def due(self) -> DueDeliveries: ...
    @property
    def stopped(self) -> StoppedDeliveries: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def offsets(self) -> ConsumedOffsets: ...

    async def add_webhook(self, *, state: str = "enabled") -> UUID:
        """Add a webhook of `acme` that wants `workspace-created`."""
        ...

    async def set_state(self, webhook_id: UUID, state: str | None) -> None:
        """Change the state of a webhook; none removes it."""
        ...

    async def state(self, webhook_id: UUID) -> str:
        """Return the state of a webhook."""
        ...

    async def make_due(self) -> None:
        """Let so much time pass that every lease and every wait is over."""
        ...

    async def pass_time(self, duration_s: float) -> None:
        """Let so many seconds pass for every row that waits or is leased."""
        ...

    async def rows(self) -> dict[UUID, Row]:
        """Return all deliveries by hook id."""
        ...

    async def attempts(self) -> list[tuple[UUID, int]]:
        """Return hook id and number of all recorded attempts."""
        ...


class FakeWorld:
    """In memory."""

    def __init__(self, clock: FakeClock) -> None:
        self.store = FakeStore(clock)
        self.planner = FakePlanner(self.store, lease_s=LEASE_S)
        self.due = FakeDueDeliveries(self.store, lease_s=LEASE_S)
        self.stopped = FakeStoppedDeliveries(self.store)
        self.ledger = FakeLedger(self.store)
        self.offsets = FakeOffsets(self.store)

    async def add_webhook(self, *, state: str = "enabled") -> UUID:
        target = make_target()
        self.store.webhooks[target.webhook_id] = FakeWebhook(target, frozenset({WANTED}), state)
        return target.webhook_id

    async def set_state(self, webhook_id: UUID, state: str | None) -> None:
        if state is None:
            del self.store.webhooks[webhook_id]
        else:
            self.store.webhooks[webhook_id].state = state

    async def state(self, webhook_id: UUID) -> str:
        return self.store.webhooks[webhook_id].state

    async def make_due(self) -> None:
        for row in self.store.rows.values():
            row.due_at = self.store.clock.monotonic()

    async def pass_time(self, duration_s: float) -> None:
        for row in self.store.rows.values():
            row.due_at -= duration_s

    async def rows(self) -> dict[UUID, Row]:
        now = self.store.clock.monotonic()
        return {
            key: Row(row.state.value, row.attempts, row.claim is not None, row.due_at - now)
            for key, row in self.store.rows.items()
        }

    async def attempts(self) -> list[tuple[UUID, int]]:
        return [(effect.attempt.delivery.hook_id, effect.attempt.number) for effect in self.store.attempts]


class RealWorld:
    """In PostgreSQL."""

    def __init__(self, database: Database, vault: Vault, clock: FakeClock) -> None:
        self._database = database
        self._vault = vault
        targets = Targets(vault)
        self.planner = SqlPlanner(
            database=database, fence=SqlFence(), tree=SqlTree(), targets=targets, clock=clock, lease_s=LEASE_S
        )
        self.due = SqlDueDeliveries(database=database, targets=targets, clock=clock, lease_s=LEASE_S)
        self.stopped = SqlStoppedDeliveries(database)
        self.ledger = SqlLedger(database=database, clock=clock)
        self.offsets = SqlConsumedOffsets(database)

    async def add_webhook(self, *, state: str = "enabled") -> UUID:
        return (await insert_webhook(self._database, self._vault, state=state, name=uuid4().hex)).id

    async def set_state(self, webhook_id: UUID, state: str | None) -> None:
        change = "delete from webhooks" if state is None else "update webhooks set state = :state"
        async with self._database.write() as connection:
            await connection.execute(text(f"{change} where id = :id"), {"id": webhook_id, "state": state})

    async def state(self, webhook_id: UUID) -> str:
        async with self._database.read() as connection:
            return str(await connection.scalar(text("select state from webhooks where id = :id"), {"id": webhook_id}))

    async def make_due(self) -> None:
        async with self._database.write() as connection:
            await connection.execute(text("update deliveries set due_at = now(), leased_until = now()"))

    async def pass_time(self, duration_s: float) -> None:
        move = (
            "update deliveries set due_at = due_at - make_interval(secs => :by),"
            " leased_until = leased_until - make_interval(secs => :by)"
        )
        async with self._database.write() as connection:
            await connection.execute(text(move), {"by": duration_s})

    async def rows(self) -> dict[UUID, Row]:
        query = "select *, extract(epoch from greatest(due_at, leased_until) - now()) as due_in_s from deliveries"
        async with self._database.read() as connection:
            return {
                row.hook_id: Row(row.state, row.attempts, row.claim is not None, float(row.due_in_s))
                for row in await connection.rows(text(query))
            }

    async def attempts(self) -> list[tuple[UUID, int]]:
        query = "select hook_id, number from attempts order by started_at, number"
        async with self._database.read() as connection:
            return [(row.hook_id, row.number) for row in await connection.rows(text(query))]


def roomy(_: UUID) -> int:
    return 1_000


async def leave(world: World, count: int, **event: object) -> list[Delivery]:
    """Plan so many events, and leave their deliveries to everybody."""
    plan = await world.planner.plan(decoded_of(*(make_event(**event) for _ in range(count))), at_most(0))
    return plan.unclaimed


async def forget_everything(database: Database) -> None:
    """Empty the tables that a test of the dispatcher fills, which is quicker than a new database."""
    tables = (
        "attempts",
        "deliveries",
        "events",
        "sequences",
        "consumed",
        "activity_log",
        "outbox",
        "webhooks",
        "workspaces",
    )
    async with database.write() as connection:
        for table in tables:
            await connection.execute(text(f"delete from {table}"))  # noqa: S608 - names from the line above
