"""`coro events`: emit, validate, list and redrive events."""

import asyncio
import json
import sys
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from coro_events.cli.kafka import redrive as redrive_records
from coro_events.cli.places import kafka_bootstrap, topic
from coro_events.cli.told import USAGE, Refused, answer, checked, new_group, say, table, text_of
from coro_events.contract.codec import decode
from coro_events.contract.data import DATA_MODELS
from coro_events.contract.envelope import Event, read_time
from coro_events.contract.topics import EVENTS
from coro_events.contract.triggers import Trigger, parse_rest_name, rest_name
from coro_events.errors import ContractError
from coro_events.producer import EventProducer
from coro_events.runtime.clock import SystemClock

app = new_group("Events of internal services, as they travel on Kafka.")

# So many are unacknowledged at most: enough to fill Kafka's batches, little enough to hold in memory.
EMITTED_AT_ONCE = 1_000

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON, one line an event.")]


@app.command()
def emit(
    event_type: Annotated[str, typer.Argument(metavar="TYPE", help="Such as workspace-created; `coro events types`.")],
    *,
    workspace: Annotated[str, typer.Option(help="Where it happened.")],
    data: Annotated[str | None, typer.Option(help="The data, as JSON.")] = None,
    data_file: Annotated[Path | None, typer.Option(help="A file with the data, as JSON.")] = None,
    example: Annotated[bool, typer.Option("--example", help="Take the example of the type.")] = False,
    event_id: Annotated[
        str | None, typer.Option("--id", help="The source's own id; random if left out. Numbered with --count.")
    ] = None,
    source: Annotated[str, typer.Option(help="The emitting service.")] = "coro/cli",
    time: Annotated[str | None, typer.Option(help="When it happened, RFC 3339; now if left out.")] = None,
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="Emit so many.")] = 1,
    as_json: Json = False,
) -> None:
    """Check events and put them on coro.events; return once Kafka has them all."""
    trigger = _trigger(event_type)
    document = _document(trigger, workspace, data, data_file, example=example)
    occurred_at = None if time is None else checked(read_time, "--time", time)
    ids = _ids(event_id, count)
    asyncio.run(_emit(trigger, workspace, document, ids=ids, source=source, occurred_at=occurred_at, as_json=as_json))


async def _emit(
    trigger: Trigger,
    workspace: str,
    document: dict[str, Any],
    *,
    ids: Iterator[str],
    source: str,
    occurred_at: datetime | None,
    as_json: bool,
) -> None:
    async with EventProducer(bootstrap_servers=kafka_bootstrap(), source=source, topic=topic(EVENTS)) as producer:
        batch: list[Event] = []
        for event_id in ids:
            batch.append(producer.new_event(trigger, workspace, document, event_id=event_id, occurred_at=occurred_at))
            if len(batch) == EMITTED_AT_ONCE:
                await _send(producer, batch, as_json=as_json)
                batch = []
        await _send(producer, batch, as_json=as_json)


async def _send(producer: EventProducer, batch: list[Event], *, as_json: bool) -> None:
    await producer.emit_many(batch)
    for event in batch:
        if as_json:
            answer(shown(event))
        else:
            say(f"emitted {event.trigger} {event.source_id} of {event.workspace_id}")


def shown(event: Event) -> dict[str, str]:
    """Return an event without its data, as JSON answers show it."""
    return {
        "id": str(event.id),
        "source": event.source,
        "source_id": event.source_id,
        "type": event.trigger.value,
        "workspace_id": event.workspace_id,
        "occurred_at": event.occurred_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "topic": topic(EVENTS),
    }


def _ids(event_id: str | None, count: int) -> Iterator[str]:
    if event_id is None:
        return (str(uuid.uuid4()) for _ in range(count))
    if count == 1:
        return iter([event_id])
    return (f"{event_id}-{number}" for number in range(1, count + 1))


def _trigger(name: str) -> Trigger:
    try:
        return Trigger(name)
    except ValueError:
        pass
    try:
        return parse_rest_name(name)[0]
    except ValueError:
        raise Refused("TYPE is not an event type; `coro events types` lists them", code=USAGE) from None


def _document(
    trigger: Trigger, workspace: str, data: str | None, data_file: Path | None, *, example: bool
) -> dict[str, Any]:
    if (data is not None) + (data_file is not None) + example != 1:
        raise Refused("give exactly one of --data, --data-file and --example", code=USAGE)
    if example:
        document = DATA_MODELS[trigger].example().model_dump(mode="json", by_alias=True)
        # The data of a new workspace names it too.
        return {**document, "id": workspace} if trigger is Trigger.WORKSPACE_CREATED else document
    text = text_of(data_file) if data_file is not None else data or ""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        raise Refused("the data is not JSON", code=USAGE) from None
    if not isinstance(parsed, dict):
        raise Refused("the data must be a JSON object", code=USAGE)
    return parsed


@app.command()
def validate(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Structured records: one, an array, or one a line.")],
    *,
    as_json: Json = False,
) -> None:
    """Check records as the dispatcher would; exit with 1 if any would be rejected."""
    raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    rejected = total = 0
    for total, record in enumerate(_records(raw), start=1):
        verdict = _verdict(record)
        rejected += verdict is not None
        if as_json:
            answer({"record": total, "valid": verdict is None, "reason": verdict})
        else:
            say(f"record {total}: {'valid' if verdict is None else verdict}")
    if not total:
        raise Refused("there are no records")
    if rejected:
        raise Refused(f"{rejected} of {total} would be rejected")


def _records(raw: bytes) -> Iterator[bytes]:
    try:
        whole = json.loads(raw)
    except (ValueError, RecursionError):
        return (line for line in raw.split(b"\n") if line.strip())
    if isinstance(whole, list):
        return (json.dumps(record).encode() for record in whole)
    return iter([raw])


def _verdict(record: bytes) -> str | None:
    try:
        decode(record, (), SystemClock().now())
    except ContractError as error:
        return str(error)
    return None


@app.command()
def types(*, as_json: Json = False) -> None:
    """List the event types."""
    if as_json:
        for one in Trigger:
            answer(
                {"type": one.value, "trigger": rest_name(one, 1), "label": one.label, "description": one.description}
            )
        return
    table(["type", "trigger", "when"], [[one.value, rest_name(one, 1), one.description] for one in Trigger])


@app.command()
def redrive(
    *,
    limit: Annotated[int | None, typer.Option(min=1, help="Send at most so many.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count them.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Send rejected records to coro.events again, each once, up to those rejected before the start."""
    done = asyncio.run(redrive_records(kafka_bootstrap(), limit=limit, dry_run=dry_run))
    if as_json:
        answer({"sent": done.sent, "skipped": done.skipped, "dry_run": dry_run})
    else:
        say(f"{done.sent} {'to send' if dry_run else 'sent'}, {done.skipped} without key and value skipped")
