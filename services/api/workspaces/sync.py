"""A whole tree in one request: lines are read and checked as they come, then judged and applied in one transaction.

Nothing touches the database before the last line is here, so a slow client holds no transaction.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field

from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from coro_events.errors import StoreUnavailableError
from coro_events.runtime.clock import Clock
from coro_events.runtime.logs import get_logger
from coro_events.store.staging import Staged
from services.api.access.service import Caller
from services.api.faults import faults_of
from services.api.problems import FieldFault
from services.api.refusals import Fault, SyncRunning
from services.api.workspaces.ports import WorkspaceStore
from services.api.workspaces.schemas import SyncProgress, WorkspaceLine

MAX_LINES = 200_000
MAX_LINE_BYTES = 16 * 1024
# Of the faults so many are told one by one; nobody reads more, and a client that only writes must not block us.
MAX_TOLD_FAULTS = 100
STEP_LINES = 10_000
# How long the client may be silent.
PATIENCE_S = 30.0

_log = get_logger("api")


@dataclass
class _Reading:
    """What has been read so far."""

    staged: list[Staged] = field(default_factory=list)
    faults: list[tuple[int, list[Fault]]] = field(default_factory=list)
    fault_count: int = 0
    # Why reading ended early, if it did.
    stopped: str | None = None
    lines: int = 0
    ids: set[str] = field(default_factory=set)

    def fault(self, line: int, *faults: Fault) -> None:
        self.fault_count += 1
        if self.fault_count <= MAX_TOLD_FAULTS:
            self.faults.append((line, list(faults)))


class Syncs:
    """Takes in trees, one at a time in this process."""

    def __init__(self, *, store: WorkspaceStore, clock: Clock, patience_s: float = PATIENCE_S) -> None:
        self._store = store
        self._clock = clock
        self._patience_s = patience_s
        self._is_running = False

    def begin(self, caller: Caller, body: AsyncIterator[bytes]) -> AsyncGenerator[SyncProgress, None]:
        """Return the progress of a sync, which goes on as it is read.

        Raises:
            SyncRunning: Another one is at work in this process.
        """
        if self._is_running:
            raise SyncRunning
        return self._run(caller, body)

    async def _run(self, caller: Caller, body: AsyncIterator[bytes]) -> AsyncGenerator[SyncProgress, None]:
        # Not before it is sure that the end is reached as well.
        if self._is_running:
            yield SyncProgress(event="failed", detail=SyncRunning.__doc__)
            return
        self._is_running = True
        reading = _Reading()
        try:
            async for progress in self._read(reading, body):
                yield progress
            for line, faults in reading.faults:
                yield _fault(line, faults)
            if reading.stopped or reading.fault_count:
                yield SyncProgress(event="refused", faults=reading.fault_count, detail=reading.stopped)
                return
            async for progress in self._write(caller, reading):
                yield progress
        except StoreUnavailableError as error:
            _log.warning("sync.failed", workspace=caller.workspace_id, error=str(error))
            yield SyncProgress(event="failed", detail="The database is away; nothing was changed. Try again.")
        finally:
            self._is_running = False

    async def _read(self, reading: _Reading, body: AsyncIterator[bytes]) -> AsyncIterator[SyncProgress]:
        rest = b""
        told = 0
        while reading.stopped is None:
            try:
                async with asyncio.timeout(self._patience_s):
                    chunk = await anext(body, None)
            except TimeoutError:
                reading.stopped = f"Nothing came for {self._patience_s:g} seconds."
                return
            except ClientDisconnect:
                # Nobody is left to read the answer; it is no failure of ours.
                reading.stopped = "It broke off."
                return
            *lines, rest = (rest + (b"\n" if chunk is None else chunk)).split(b"\n")
            for line in lines:
                _take(reading, line)
            if len(rest) > MAX_LINE_BYTES:
                reading.stopped = f"Line {reading.lines + 1} has more than {MAX_LINE_BYTES} bytes."
            if reading.lines - told >= STEP_LINES:
                told = reading.lines
                yield SyncProgress(event="received", lines=told)
            if chunk is None:
                return

    async def _write(self, caller: Caller, reading: _Reading) -> AsyncIterator[SyncProgress]:
        faults = []
        applied = None
        async with self._store.staging() as staging:
            for start in range(0, len(reading.staged), STEP_LINES):
                step = reading.staged[start : start + STEP_LINES]
                await staging.stage(step)
                yield SyncProgress(event="staged", lines=start + len(step))
            faults = list(await staging.judge(caller.workspace_id))
            if not faults:
                applied = await staging.apply(actor=caller.actor, at=self._clock.now())
        for fault in faults[:MAX_TOLD_FAULTS]:
            yield _fault(fault.line, [Fault(fault.field, fault.message)])
        if applied is None:
            yield SyncProgress(event="refused", faults=len(faults))
        else:
            yield SyncProgress(event="applied", **applied._asdict())


def _take(reading: _Reading, line: bytes) -> None:
    """Read one line; a blank one is passed over."""
    reading.lines += 1
    if reading.stopped is not None or not line.strip():
        return
    if len(reading.ids) >= MAX_LINES:
        reading.stopped = f"At most {MAX_LINES} workspaces are taken at once."
        return
    try:
        wanted = WorkspaceLine.model_validate_json(line)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        broken = errors[0]["type"] == "json_invalid"
        reading.fault(reading.lines, *([Fault("body", "must be a JSON object")] if broken else faults_of(errors)))
        return
    if wanted.id in reading.ids:
        reading.fault(reading.lines, Fault("id", "stands on an earlier line already"))
        return
    reading.ids.add(wanted.id)
    reading.staged.append(
        Staged(
            line=reading.lines,
            id=wanted.id,
            type=wanted.type,
            display_name=wanted.display_name,
            parent_id=wanted.parent_workspace_id,
            status=wanted.status,
            notifications_level=wanted.notifications_level,
        )
    )


def _fault(line: int, faults: list[Fault]) -> SyncProgress:
    return SyncProgress(event="fault", line=line, errors=[FieldFault(**fault._asdict()) for fault in faults])
