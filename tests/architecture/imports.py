"""Which file may import which foreign package."""

import ast
import re
import sys
from collections.abc import Iterator

from tests.architecture.sources import Finding, Source

SHIPPED = ("libs", "services", "migrations", "deploy")

# Package to the only files that may import it.
PLACES = {
    "fastapi": r"services/api/.*",
    "starlette": r"services/api/.*",
    "aiokafka": r".*/kafka\.py|libs/coro_events/producer\.py",
    "confluent_kafka": r"(?!)",
    # The benchmark's floor.
    "aiohttp": r"(?!)",
    "aiosmtplib": r"services/scheduler/mail/smtp\.py",
    "httptools": r"services/dispatcher/deliver/connection\.py",
    "aiohappyeyeballs": r"services/dispatcher/deliver/pool\.py",
    "sqlalchemy": r"libs/coro_events/store/.*|libs/coro_events/migrate\.py|migrations/.*|.*/sql\.py",
    "asyncpg": r"libs/coro_events/store/.*|.*/sql\.py",
    "alembic": r"libs/coro_events/migrate\.py|migrations/.*",
    "tenacity": r"libs/coro_events/runtime/retrying\.py|services/dispatcher/record/retry\.py",
}

# Room to the foreign packages that it may import; the standard library is free but for what import-linter forbids.
DIETS = {
    "libs/coro_events/contract": {"coro_events", "pydantic", "pydantic_core"},
    "libs/coro_events/rules": {"coro_events"},
}


def places(source: Source) -> Iterator[Finding]:
    """A foreign package stays where its adapter is, so that it can be changed in one place."""
    if not source.is_under(*SHIPPED):
        return
    for line, package in _imported(source):
        place = PLACES.get(package)
        if place is not None and not re.fullmatch(place, source.path):
            yield Finding(source.path, line, f"{package} may only be imported by {place}")


def diets(source: Source) -> Iterator[Finding]:
    """The contract needs pydantic, the rules need nothing: a producer installs no more than that."""
    for room, allowed in DIETS.items():
        if not source.is_under(room):
            continue
        for line, package in _imported(source):
            if package not in allowed and package not in sys.stdlib_module_names:
                yield Finding(source.path, line, f"{room} may not import {package}")


def _imported(source: Source) -> Iterator[tuple[int, str]]:
    """Return the line and the top package of each import."""
    for node in source.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.partition(".")[0]
