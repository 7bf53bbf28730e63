"""What one reading of Kafka brings: records, and what became of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from coro_events.contract.envelope import Event
from coro_events.contract.fields import WorkspaceStatus
from coro_events.contract.workspaces import WorkspaceCreated


class Record(Protocol):
    """A Kafka record as read; aiokafka's own satisfies this."""

    @property
    def topic(self) -> str: ...  # noqa: D102 - the topic it was read from
    @property
    def partition(self) -> int: ...  # noqa: D102 - of the topic
    @property
    def offset(self) -> int: ...  # noqa: D102 - in the partition
    @property
    def timestamp(self) -> int: ...  # noqa: D102 - milliseconds since 1970
    @property
    def key(self) -> bytes | None: ...  # noqa: D102 - as written
    @property
    def value(self) -> bytes | None: ...  # noqa: D102 - as written
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...  # noqa: D102 - as written


@dataclass(frozen=True, slots=True)
class Span:
    """The records of one partition in a batch: from where we started to behind the last one."""

    topic: str
    partition: int
    first_offset: int
    next_offset: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of the partitions that this replica holds, in order within each partition."""

    records: Sequence[Record]
    spans: Sequence[Span]
    # Whether it holds as many as it may, so that there is more to read.
    is_full: bool = False


@dataclass(frozen=True, slots=True)
class TestRequest:
    """Somebody wants a test delivery of one webhook."""

    __test__ = False  # The name begins with "Test", yet it is none for pytest.

    webhook_id: UUID
    # Names the request, the event and the delivery: a record read twice sends one test.
    test_id: UUID
    workspace_id: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A workspace has got another status."""

    workspace_id: str
    status: WorkspaceStatus
    # Aware, UTC.
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that nobody can use, and why; the reason names field and rule and never a value."""

    record: Record
    reason: str


@dataclass(slots=True)
class Decoded:
    """A batch, read."""

    spans: Sequence[Span]
    # Distinct by id; a repeat within the batch counts once.
    events: dict[UUID, Event] = field(default_factory=dict)
    # Workspaces that the events create, in the order of the events.
    workspaces: list[WorkspaceCreated] = field(default_factory=list)
    # The statuses that the events bring, in the order of the events.
    statuses: list[StatusChange] = field(default_factory=list)
    tests: list[TestRequest] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    # Webhooks that were disabled, and that were removed or have expired: what waits for them is to be held back.
    disabled_webhooks: set[UUID] = field(default_factory=set)
    gone_webhooks: set[UUID] = field(default_factory=set)
