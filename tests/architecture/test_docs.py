"""What docs/ names is what the code has: states and moves, log events, metrics, signatures, links and verbs."""

import ast
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum

import pytest

from coro_events.rules import deliveries, webhooks
from coro_events.rules.deliveries import DeliveryState
from coro_events.rules.webhooks import WebhookState
from deploy.generate import EXAMPLE_SECRET
from services.dispatcher.record.retry import MAX_ATTEMPTS
from tests.architecture.sources import ROOT, Source, python_sources, repository_files

LIFECYCLE = (ROOT / "docs/lifecycle.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
WIRE = (ROOT / "docs/wire.md").read_text(encoding="utf-8")

LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}
METRIC_TYPES = {
    "Counter": "counter",
    "Gauge": "gauge",
    "gauge": "gauge",
    "Histogram": "histogram",
    "Distribution": "histogram",
}


def section(text: str, title: str) -> str:
    """Return what stands under a heading, up to the next one of its level."""
    level = title.partition(" ")[0]
    found = re.search(rf"^{re.escape(title)}\n(.*?)(?=^{level} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading {title!r}"
    return found[1]


def rows(text: str) -> list[list[str]]:
    """Return the cells of the tables' rows whose first cell is code, without its backticks."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return [[cells[0].strip("`"), *cells[1:]] for cells in lines]


def service_sources() -> Iterator[Source]:
    return (source for source in python_sources() if source.is_under("services", "libs/coro_events"))


def texts_in(node: ast.AST) -> set[str]:
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def logged() -> Iterator[tuple[str, str]]:
    """Return name and level of each log event of the services."""
    for source in service_sources():
        for node in source.nodes:
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="_log"), attr=method), args=[name, *_]):
                    yield from ((text, LEVELS[method]) for text in texts_in(name))
                # The lines that are written without a logger, because there are so many.
                case ast.Dict(keys=keys, values=values):
                    line = {
                        key.value: value.value
                        for key, value in zip(keys, values, strict=True)
                        if isinstance(key, ast.Constant) and isinstance(value, ast.Constant)
                    }
                    if {"room", "event", "level"} <= line.keys():
                        yield str(line["event"]), str(line["level"])


def measured() -> Iterator[tuple[str, str]]:
    """Return name and type of each metric, as it is exported."""
    for source in service_sources():
        for node in source.nodes:
            match node:
                case ast.Call(
                    func=ast.Name(id=made) | ast.Attribute(attr=made), args=[ast.Constant(value=str(name)), *_]
                ) if made in METRIC_TYPES and name.startswith("coro_"):
                    kind = METRIC_TYPES[made]
                    yield (f"{name.removesuffix('_total')}_total" if kind == "counter" else name), kind


def moves(title: str) -> set[tuple[str, str]]:
    """Return the moves of a diagram between states, without those from and to its ends."""
    return set(re.findall(r"^ +(\w+) --> (\w+)", section(LIFECYCLE, title), re.MULTILINE))


@pytest.mark.parametrize(
    ("title", "states", "legal"),
    [
        ("## A delivery", DeliveryState, deliveries.LEGAL_MOVES),
        ("## A webhook", WebhookState, webhooks.LEGAL_MOVES),
    ],
)
def test_states_and_moves_of_the_page_are_those_of_the_rules(
    title: str, states: type[StrEnum], legal: Mapping[StrEnum, frozenset[StrEnum]]
) -> None:
    assert [row[0] for row in rows(section(LIFECYCLE, title))] == [state.value for state in states]
    assert moves(title) == {(before.value, after.value) for before in legal for after in legal[before]}


def test_log_events_of_the_page_are_those_of_the_code() -> None:
    named = {(row[0], row[1]) for row in rows(section(OPERATIONS, "## Log events"))}
    assert named == set(logged())
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", name) for name, _ in named)


def test_metrics_of_the_page_are_those_of_the_code() -> None:
    assert {(row[0], row[1]) for row in rows(section(OPERATIONS, "## Metrics"))} == set(measured())


def test_verification_of_the_page_accepts_the_request_of_the_page_and_no_other() -> None:
    request = re.search(r"```http\n(.*?)\n\n(.*?)\n```", WIRE, re.DOTALL)
    code = re.search(r"```python\n(.*?)```", WIRE, re.DOTALL)
    assert request
    assert code
    lines = [line.split(": ", 1) for line in request[1].splitlines()[1:]]
    headers = {name.lower(): value for name, value in lines}
    body, secret, now_s = request[2].encode(), EXAMPLE_SECRET.decode(), float(headers["webhook-timestamp"])
    told: dict[str, object] = {}
    exec(code[1], told)  # noqa: S102 - the page's own example, which is what is tested
    is_authentic, is_from_coro = told["is_authentic"], told["is_from_coro"]
    assert callable(is_authentic)
    assert callable(is_from_coro)
    assert is_from_coro(headers, secret)
    assert not is_from_coro(headers, "another secret")
    assert is_authentic(headers, body, secret, now_s)
    assert not is_authentic(headers, body + b" ", secret, now_s)
    assert not is_authentic(headers, body, secret, now_s + 301)


def test_pages_count_attempts_as_the_schedule_does() -> None:
    assert MAX_ATTEMPTS == 4
    assert "four attempts at most" in WIRE


def test_links_between_pages_lead_somewhere() -> None:
    dead = []
    for path in (path for path in repository_files() if path.endswith(".md")):
        page = ROOT / path
        links = re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", page.read_text(encoding="utf-8"))
        dead += [f"{path}: {link}" for link in links if not (page.parent / link).exists()]
    assert not dead


def test_verbs_that_pages_name_are_those_of_the_makefile() -> None:
    verbs = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for path in (path for path in repository_files() if path.endswith(".md")):
        named = set(re.findall(r"`make ([a-z-]+)`", (ROOT / path).read_text(encoding="utf-8")))
        assert named <= verbs, path
