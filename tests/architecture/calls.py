"""What may be called only in one place, or not at all."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.sources import Finding, Source

# Kafka's own commit only feeds lag tools; what counts is in the transaction.
MAY_COMMIT = r"libs/coro_events/store/unit\.py|migrations/env\.py|.*/kafka\.py"
# A measurement paces its load by time, and that is what it measures.
MAY_SLEEP = r"tests/support/waiting\.py|tests/bench/.*"
SLEEPS = {"asyncio.sleep", "time.sleep"}


def commits(source: Source) -> Iterator[Finding]:
    """One unit of work, one commit: a helper that commits keeps its callers from putting two steps together."""
    if not source.is_under("libs", "services", "migrations") or re.fullmatch(MAY_COMMIT, source.path):
        return
    for node in source.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit":
            yield Finding(source.path, node.lineno, "commit only in coro_events/store/unit.py; use Database.write()")


def sleeping_tests(source: Source) -> Iterator[Finding]:
    """A test that sleeps is slow when all is well and fails when the machine is busy."""
    if not source.is_under("tests") or re.fullmatch(MAY_SLEEP, source.path):
        return
    rule = "tests do not sleep; use wait_until(condition, what=…) of tests/support/waiting.py"
    for node in source.nodes:
        match node:
            case ast.ImportFrom():
                slept = {f"{node.module}.{alias.name}" for alias in node.names}
            case ast.Attribute():
                slept = {ast.unparse(node)}
            case _:
                continue
        if slept & SLEEPS:
            yield Finding(source.path, node.lineno, rule)


def dotted_patches(source: Source) -> Iterator[Finding]:
    """A patch by dotted string outlives the name it patches; what must be replaced is a port and has a fake."""
    for node in source.nodes:
        if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
            continue
        called = ast.unparse(node.func)
        by_string = isinstance(node.args[0].value, str) and "." in node.args[0].value
        patches = re.search(r"(^|\.)patch(\.\w+)?$", called) or called == "monkeypatch.setattr"
        if by_string and patches:
            yield Finding(source.path, node.lineno, "no patching by dotted string; pass a fake, or patch an object")
