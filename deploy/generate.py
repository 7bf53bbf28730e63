"""Write the files that are made from code, or check that they are current: `python -m deploy.generate [--check]`.

A generator is a function that returns texts by path, relative to the root of the repository. To add one, write the
function beside what it describes and name it in GENERATORS.
"""

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from coro_events.contract.bodies import VERSIONS
from coro_events.contract.data import DATA_MODELS
from coro_events.contract.place import Place
from coro_events.contract.retirement import retirement_headers
from coro_events.contract.schemas import asyncapi, body_schema, data_schema
from coro_events.contract.triggers import TEST_TYPE, Trigger, rest_name
from coro_events.rules.deliveries import DeliveryKind
from coro_events.runtime.settings import ProcessSettings, SettingRow, describe
from deploy.reference import reference
from services.api.access.overview import overview
from services.api.app import make_routes
from services.api.settings import ApiSettings
from services.dispatcher.deliver.outcome import ADVICE, Answer, Outcome
from services.dispatcher.deliver.request import make_request
from services.dispatcher.match.delivery import Delivery, Happening, Target
from services.dispatcher.record.effects import Attempt, decide
from services.dispatcher.record.retry import MAX_ATTEMPTS, RetrySchedule
from services.dispatcher.settings import DispatcherSettings
from services.scheduler.settings import SchedulerSettings

ROOT = Path(__file__).resolve().parent.parent

Generator = Callable[[], Mapping[str, str]]


def as_json(document: Mapping[str, Any]) -> str:
    """Return a document as the repository keeps it: indented, UTF-8, one line feed at the end."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def in_section(path: str, name: str, text: str, root: Path = ROOT) -> str:
    """Return a hand-written file with the part between its two marks replaced.

    The marks are the lines `<!-- generated: NAME -->` and `<!-- end: NAME -->`.

    Raises:
        ValueError: The file lacks the marks.
    """
    return in_sections(path, {name: text}, root)


def marked(text: str) -> set[str]:
    """Return the names of the sections that a page has marks for."""
    return set(re.findall(r"^<!-- generated: (.+) -->$", text, re.MULTILINE))


def in_sections(path: str, sections: Mapping[str, str], root: Path = ROOT) -> str:
    """Return a hand-written file with the parts between several pairs of marks replaced: all that it has.

    Raises:
        ValueError: The file lacks the marks of one, or has marks of one that is not given. Such a part would stay as it
            is for ever and count as current.
    """
    whole = (root / path).read_text(encoding="utf-8")
    for name, text in sections.items():
        start, end = f"<!-- generated: {name} -->\n", f"<!-- end: {name} -->"
        before, opening, rest = whole.partition(start)
        _, closing, after = rest.partition(end)
        if not opening or not closing:
            raise ValueError(f"{path} lacks the marks of the section {name}")
        whole = f"{before}{start}{text.strip()}\n{end}{after}"
    forgotten = marked(whole) - sections.keys()
    if forgotten:
        raise ValueError(f"{path} has sections that nobody generates: {', '.join(sorted(forgotten))}")
    return whole


def as_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def schemas() -> dict[str, str]:
    """Return the schema of every event's data and of every version's bodies."""
    texts = {f"docs/schemas/events/{one}.json": as_json(data_schema(one)) for one in Trigger}
    for number in VERSIONS:
        for event_type in (*Trigger, TEST_TYPE):
            path = f"docs/schemas/v{number}/{event_type}.json"
            texts[path] = as_json(body_schema(number, str(event_type)))
    return texts


def topics() -> dict[str, str]:
    """Return the AsyncAPI document of the three topics."""
    # Not from the installed package, which tells the version of its installation.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"docs/asyncapi.json": as_json(asyncapi(project["version"]))}


def rest() -> dict[str, str]:
    """Return the OpenAPI document of the REST API, and the page for people with its operations."""
    document, page = make_routes().openapi(), "docs/api.md"
    return {"docs/openapi.json": as_json(document), page: in_section(page, "operations", reference(document))}


# The delivery that docs/wire.md shows; its secret is made up.
EXAMPLE_SECRET = b"0123456789abcdef0123456789abcdef"
_EXAMPLE_AT = datetime(2026, 3, 1, 9, 0, 0, 123000, tzinfo=UTC)


def example_delivery() -> Delivery:
    """Return a delivery of the first trigger's example, not yet attempted."""
    return Delivery(
        day=_EXAMPLE_AT.date(),
        hook_id=UUID("9d3c1f52-7a55-4bb0-8a7e-0a7c5a4f2e90"),
        kind=DeliveryKind.EVENT,
        target=Target(
            webhook_id=UUID(int=1),
            workspace_id="examplemsp_4F8D_b",
            version=1,
            url="https://billing.example.com/coro",
            secret=EXAMPLE_SECRET,
            headers={"Authorization": "Bearer made-up"},
        ),
        happening=Happening(
            event_id=UUID(int=2),
            type=Trigger.WORKSPACE_CREATED.value,
            workspace_id="exampletradecom_7K2P_b",
            occurred_at=_EXAMPLE_AT,
            data=DATA_MODELS[Trigger.WORKSPACE_CREATED].example().to_bytes(),
            traceparent=None,
            place=Place("Example Trade", "child", ("examplemsp_4F8D_b", "exampletradecom_7K2P_b"), sequence=1042),
        ),
        attempts=0,
        claim=UUID(int=3),
        leased_until=0.0,
    )


def wire() -> dict[str, str]:
    """Return the page for receivers: the example as it is sent, the types, the outcomes, the retry times."""
    path = "docs/wire.md"
    sections = {
        "request": _request(),
        "body-2": _body(2),
        "types": _types(),
        "retirement": _retirement(),
        "outcomes": _outcomes(),
        "retries": _retries(),
    }
    return {path: in_sections(path, sections)}


def _request() -> str:
    request = make_request(example_delivery(), _EXAMPLE_AT)
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    return "\n".join(["```http", "POST /coro HTTP/1.1", *lines, "", request.body.decode(), "```"])


def _body(version: int) -> str:
    delivery = example_delivery()
    delivery.target = replace(delivery.target, version=version)
    return "\n".join(["```json", make_request(delivery, _EXAMPLE_AT).body.decode(), "```"])


def _types() -> str:
    rows = [
        (
            f"`{one}`",
            ", ".join(f"[`{rest_name(one, number)}`](schemas/v{number}/{one}.json)" for number in VERSIONS),
            one.description,
        )
        for one in Trigger
    ]
    return as_table(("`X-Coro-Hook-Type`", "trigger in REST, and the schema of its body", "when"), rows)


def _retirement() -> str:
    # The next version is released with the example's event, and six months later this one expires.
    told = retirement_headers(_EXAMPLE_AT, datetime(2026, 9, 1, 9, tzinfo=UTC))
    return "\n".join(["```http", *(f"{name}: {value}" for name, value in told.items()), "```"])


def _outcomes() -> str:
    rows = [
        (f"`{one}`", "yes" if _is_retried(one) else "no", ADVICE.get(one, "The answer was 200 to 299."))
        for one in Outcome
    ]
    return as_table(("outcome", "tried again", "what the history says"), rows)


def _is_retried(outcome: Outcome) -> bool:
    attempt = Attempt(example_delivery(), number=1, started_at=_EXAMPLE_AT, duration_ms=1, answer=Answer(outcome))
    return decide(attempt, RetrySchedule(), 0.5).again_in_s is not None


def _retries() -> str:
    """Return the waits of the default settings, at the least, the middle and the most that chance makes of them."""
    defaults = DispatcherSettings.model_fields
    schedule = RetrySchedule(
        initial_s=defaults["dispatcher_retry_initial_s"].default, factor=defaults["dispatcher_retry_factor"].default
    )
    rows, totals = [], [0.0] * 4
    for attempt in range(1, MAX_ATTEMPTS):
        waits_s = [schedule.next_wait_s(attempt, chance=chance) or 0.0 for chance in (0, 0.5, 1)]
        waits_s.append(schedule.next_wait_s(attempt, chance=1, retry_after_s=float("inf")) or 0.0)
        totals = [total_s + wait_s for total_s, wait_s in zip(totals, waits_s, strict=True)]
        rows.append((str(attempt), *map(_span, waits_s)))
    rows.append(("all together", *map(_span, totals)))
    return as_table(("after attempt", "at the earliest", "on average", "at the latest", "with `Retry-After`"), rows)


def _span(duration_s: float) -> str:
    minutes, seconds = divmod(round(duration_s), 60)
    return " ".join([*([f"{minutes} min"] if minutes else []), *([f"{seconds} s"] if seconds else [])])


def operations() -> dict[str, str]:
    """Return the page for operators with the settings of the three services."""
    path = "docs/operations.md"
    kinds: dict[str, type[ProcessSettings]] = {
        "api": ApiSettings,
        "dispatcher": DispatcherSettings,
        "scheduler": SchedulerSettings,
    }
    rows = {name: describe(kind) for name, kind in kinds.items()}
    shared = [row for row in rows["api"] if all(row in others for others in rows.values())]
    sections = {"settings of every service": _settings(shared)}
    for name, own in rows.items():
        sections[f"settings of the {name}"] = _settings([row for row in own if row not in shared])
    return {path: in_sections(path, sections)}


def _settings(rows: Iterable[SettingRow]) -> str:
    cells = [(f"`{row.variable}`", _default(row.default), row.unit, row.description) for row in rows]
    return as_table(("variable", "default", "unit", "what it says"), cells)


def _default(text: str) -> str:
    """Return a default as one writes it into the environment."""
    if text in {"required", "development only"}:
        return text
    return f"`{text.lower()}`" if text in {"True", "False"} else f"`{text}`" if text not in {"", "None"} else "none"


def access() -> dict[str, str]:
    """Return the page that tells who may call which operation."""
    return {"docs/access.md": overview(make_routes())}


GENERATORS: tuple[Generator, ...] = (
    schemas,
    topics,
    rest,
    wire,
    operations,
    access,
)

# Folders that hold generated files alone: whatever else lies there is left from a thing that is gone.
OWNED_FOLDERS = ("docs/schemas",)

# Pages whose generated parts come from a run and not from the code: `make faults` writes them.
MEASURED_PAGES = ("docs/reliability.md",)


def generated(generators: Sequence[Generator] = GENERATORS) -> dict[str, str]:
    """Return every generated text by its path."""
    texts: dict[str, str] = {}
    for generator in generators:
        texts.update(generator())
    return texts


def stale(texts: Mapping[str, str], root: Path) -> list[str]:
    """Return the paths whose file is missing, differs, or should not be there."""
    differing = [path for path, text in texts.items() if _read(root / path) != text]
    return sorted([*differing, *left_over(texts, root)])


def left_over(texts: Mapping[str, str], root: Path) -> list[str]:
    """Return files in the owned folders that nothing generates any more."""
    found = (file for folder in OWNED_FOLDERS for file in (root / folder).rglob("*") if file.is_file())
    return sorted(path for path in (file.relative_to(root).as_posix() for file in found) if path not in texts)


def forgotten_pages(texts: Mapping[str, str], root: Path) -> list[str]:
    """Return the pages under docs that have marks and no generator any more."""
    pages = ((file.relative_to(root).as_posix(), file) for file in (root / "docs").rglob("*.md"))
    known = {*texts, *MEASURED_PAGES}
    return sorted(path for path, file in pages if path not in known and marked(file.read_text(encoding="utf-8")))


def write(texts: Mapping[str, str], root: Path) -> list[str]:
    """Write what is stale, remove what is left over, and return the paths that changed."""
    changed = stale(texts, root)
    for path in changed:
        file = root / path
        if path in texts:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(texts[path], encoding="utf-8", newline="\n")
        else:
            file.unlink()
    return changed


def _read(file: Path) -> str | None:
    return file.read_bytes().decode() if file.is_file() else None


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write or check; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.generate", description="Generated files.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is stale")
    checking: bool = parser.parse_args(arguments).check
    texts = generated()
    forgotten = forgotten_pages(texts, root)
    for path in forgotten:
        sys.stderr.write(f"{path} has a generated part that nobody generates\n")
    if not checking:
        for path in write(texts, root):
            sys.stdout.write(f"wrote {path}\n")
        return 1 if forgotten else 0
    behind = stale(texts, root)
    for path in behind:
        sys.stderr.write(f"{path} is stale; run python -m deploy.generate\n")
    return 1 if behind or forgotten else 0


if __name__ == "__main__":
    sys.exit(main())
