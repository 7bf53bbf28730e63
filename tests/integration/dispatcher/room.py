"""A dispatcher's database-side parts on one real database, and what it then holds."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.engine import Row

from coro_events.contract.envelope import Event
from coro_events.contract.fields import WorkspaceStatus
from coro_events.contract.triggers import Trigger
from coro_events.contract.workspaces import WorkspaceCreated
from coro_events.store.unit import Database
from coro_events.store.vault import Vault
from services.dispatcher.deliver.sql import SqlDueDeliveries
from services.dispatcher.hold.sql import SqlStoppedDeliveries
from services.dispatcher.intake.batch import Span, StatusChange
from services.dispatcher.intake.sql import SqlConsumedOffsets, SqlFence, SqlTree
from services.dispatcher.match.delivery import Delivery
from services.dispatcher.match.sql import SqlPlanner
from services.dispatcher.match.targets import Targets
from services.dispatcher.record.sql import SqlLedger
from tests.support.clock import FakeClock
from tests.support.dispatching import at_most, decoded_of
from tests.support.makers import make_event

LEASE_S = 30.0


def roomy(_: UUID) -> int:
    return 1_000


@dataclass
class Room:
    """One replica's adapters."""

    database: Database
    vault: Vault
    clock: FakeClock

    def __post_init__(self) -> None:
        self.planner = self.another_planner()
        self.due = self.another_claimer()
        self.stopped = SqlStoppedDeliveries(self.database)
        self.ledger = SqlLedger(database=self.database, clock=self.clock)
        self.offsets = SqlConsumedOffsets(self.database)

    def another_planner(self) -> SqlPlanner:
        """Return the planner of another replica."""
        return SqlPlanner(
            database=self.database,
            fence=SqlFence(),
            tree=SqlTree(),
            targets=Targets(self.vault),
            clock=self.clock,
            lease_s=LEASE_S,
        )

    def another_claimer(self) -> SqlDueDeliveries:
        """Return the due deliveries of another replica."""
        return SqlDueDeliveries(database=self.database, targets=Targets(self.vault), clock=self.clock, lease_s=LEASE_S)

    async def plan(self, *events: Event, spans: tuple[Span, ...] = ()) -> list[Delivery]:
        """Plan a batch of events, with the workspaces that they create."""
        created = [
            WorkspaceCreated.model_validate_json(event.data)
            for event in events
            if event.trigger is Trigger.WORKSPACE_CREATED
        ]
        statuses = [
            StatusChange(event.workspace_id, WorkspaceStatus(json.loads(event.data)["status"]), event.occurred_at)
            for event in events
            if event.trigger is Trigger.WORKSPACE_STATUS_UPDATED
        ]
        decoded = decoded_of(*events, spans=spans, workspaces=created, statuses=statuses)
        return (await self.planner.plan(decoded, at_most(1_000))).claimed

    async def all(self, query: str, **params: object) -> list[Row[Any]]:
        """Return the rows of a query."""
        async with self.database.read() as connection:
            return list(await connection.rows(text(query), params))

    async def change(self, statement: str, **params: object) -> None:
        """Run a statement that changes something."""
        async with self.database.write() as connection:
            await connection.execute(text(statement), params)

    async def paths(self) -> Mapping[str, list[str]]:
        """Return the path of every workspace."""
        return {row.id: row.path for row in await self.all("select id, path from workspaces")}


def created(workspace_id: str, parent: str | None = None, **changes: Any) -> Event:
    """Make the event of a new workspace."""
    values = {
        "id": workspace_id,
        "parent_workspace_id": parent,
        "type": "channel" if parent is None else "child",
        "display_name": f"Workspace {workspace_id}",
    }
    whole = WorkspaceCreated.example().model_dump() | values | changes
    data = WorkspaceCreated.model_validate(whole, by_name=True).to_bytes()
    return make_event(workspace_id=workspace_id, data=data, source_id=uuid.uuid4().hex)


def count_updated(workspace_id: str, **changes: Any) -> Event:
    """Make an event that needs no workspace of its own."""
    values: dict[str, Any] = {
        "trigger": Trigger.WORKSPACE_STATUS_UPDATED,
        "workspace_id": workspace_id,
        "data": b'{"status":"trial"}',
    } | changes
    return make_event(**values)
