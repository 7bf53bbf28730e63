"""Each rule finds what it is for, names file and line, and leaves alone what is allowed."""

import pytest

from tests.architecture import calls, imports, sizes, texts
from tests.architecture.sources import Rule, Source, report

LONG_FILE = "x = 1\n" * 401
LONG_FUNCTION = "\n\ndef far() -> None:\n" + "    x = 1\n" * 60

# Rule, path, text, line of the breach.
BREACHES: tuple[tuple[Rule, str, str, int], ...] = (
    (imports.places, "services/dispatcher/app.py", "import os\nimport fastapi\n", 2),
    (imports.places, "services/dispatcher/app.py", "from starlette.routing import Route\n", 1),
    (imports.places, "services/dispatcher/intake/decode.py", "from aiokafka import structs\n", 1),
    (imports.places, "services/dispatcher/deliver/lanes.py", "import httptools\n", 1),
    (imports.places, "deploy/local/receiver.py", "import aiohttp\n", 1),
    (imports.places, "services/api/webhooks/service.py", "from sqlalchemy import text\n", 1),
    (imports.places, "libs/coro_events/runtime/ops.py", "import sqlalchemy\n", 1),
    (imports.places, "services/api/webhooks/service.py", "import asyncpg\n", 1),
    (imports.places, "services/api/app.py", "import alembic\n", 1),
    (imports.places, "services/scheduler/rounds.py", "from tenacity import retry\n", 1),
    (imports.places, "services/scheduler/mail/sending.py", "import aiosmtplib\n", 1),
    (imports.places, "libs/coro_events/producer.py", "import confluent_kafka\n", 1),
    (imports.diets, "libs/coro_events/contract/codec.py", "import orjson\n", 1),
    (imports.diets, "libs/coro_events/rules/sunset.py", "import pydantic\n", 1),
    (sizes.file_size, "services/api/app.py", LONG_FILE, 401),
    (sizes.file_size, "tests/unit/test_far.py", LONG_FILE, 401),
    (sizes.function_size, "services/api/app.py", LONG_FUNCTION, 3),
    (calls.commits, "services/api/webhooks/sql.py", "async def f(c):\n    await c.commit()\n", 2),
    (
        calls.sleeping_tests,
        "tests/unit/test_far.py",
        "import asyncio\n\n\nasync def f():\n    await asyncio.sleep(1)\n",
        5,
    ),
    (calls.sleeping_tests, "tests/support/far.py", "import time\ntime.sleep(1)\n", 2),
    (calls.sleeping_tests, "tests/support/far.py", "from asyncio import sleep\n", 1),
    (calls.dotted_patches, "tests/unit/test_far.py", "from unittest import mock\nmock.patch('a.b')\n", 2),
    (calls.dotted_patches, "tests/unit/test_far.py", "patch('a.b')\n", 1),
    (calls.dotted_patches, "tests/unit/test_far.py", "mocker.patch.dict('os.environ')\n", 1),
    (calls.dotted_patches, "tests/unit/test_far.py", "monkeypatch.setattr('a.b', 1)\n", 1),
    (texts.package_files, "services/api/__init__.py", '"""Job."""\n\nfrom services.api import app\n', 3),
    (texts.package_files, "services/api/__init__.py", "", 1),
    (texts.registry_hosts, "README.md", "Read\nhttps://files.pythonhosted." + "org/x\n", 2),
    (texts.registry_hosts, "deploy/Dockerfile", "FROM ghcr." + "io/x\n", 1),
    (texts.registry_hosts, "requirements/dev.txt", "--index-url" + "=http://x\n", 1),
    (texts.machine_paths, "docs/operations.md", "cd /" + "work/main\n", 1),
    (texts.machine_paths, "tests/bench/far.py", "PATH = '/" + "root/x'\n", 1),
)

ALLOWED: tuple[tuple[Rule, str, str], ...] = (
    (imports.places, "services/api/webhooks/routes.py", "import fastapi\n"),
    (imports.places, "services/dispatcher/intake/kafka.py", "import aiokafka\n"),
    (imports.places, "libs/coro_events/producer.py", "import aiokafka\n"),
    (imports.places, "services/dispatcher/deliver/connection.py", "import httptools\n"),
    (imports.places, "tests/bench/floor.py", "import aiohttp\n"),
    (imports.places, "services/dispatcher/deliver/sql.py", "import sqlalchemy\n"),
    (imports.places, "libs/coro_events/store/engine.py", "import sqlalchemy\n"),
    (imports.places, "migrations/env.py", "import alembic\nimport sqlalchemy\n"),
    (imports.places, "services/dispatcher/record/retry.py", "import tenacity\n"),
    (imports.places, "services/dispatcher/app.py", "from coro_events.sqlalchemy import x\n"),
    (imports.diets, "libs/coro_events/contract/codec.py", "import json\nimport pydantic\n"),
    (imports.diets, "libs/coro_events/rules/sunset.py", "import datetime\nfrom coro_events.contract import x\n"),
    (sizes.file_size, "services/api/app.py", "x = 1\n" * 400),
    (sizes.function_size, "services/api/app.py", "def near() -> None:\n" + "    x = 1\n" * 59),
    (sizes.function_size, "migrations/versions/2026_far.py", LONG_FUNCTION),
    (calls.commits, "libs/coro_events/store/unit.py", "async def f(c):\n    await c.commit()\n"),
    (calls.commits, "services/dispatcher/intake/kafka.py", "async def f(c):\n    await c.commit()\n"),
    (calls.sleeping_tests, "tests/support/waiting.py", "import asyncio\nasyncio.sleep(1)\n"),
    (calls.sleeping_tests, "tests/bench/load.py", "import asyncio\nasyncio.sleep(1)\n"),
    (calls.sleeping_tests, "tests/unit/test_far.py", "async def f(clock):\n    await clock.sleep(1)\n"),
    (calls.dotted_patches, "tests/unit/test_far.py", "mock.patch.object(thing, 'a.b')\nmonkeypatch.setenv('A', 'b')\n"),
    (texts.package_files, "services/api/__init__.py", '"""Job."""\n'),
    (texts.package_files, "libs/coro_events/__init__.py", '"""Job."""\n\nimport os\n'),
    (texts.registry_hosts, "README.md", "jars from Maven Central, wheels from PyPI\n"),
    (texts.machine_paths, "README.md", "GET /api/root/work and services/home/x and $HOME/work\n"),
)


@pytest.mark.parametrize(("rule", "path", "text", "line"), BREACHES)
def test_breach_is_found_with_file_and_line(rule: Rule, path: str, text: str, line: int) -> None:
    findings = list(rule(Source(path, text)))
    assert len(findings) == 1
    assert report(findings).startswith(f"{path}:{line}: ")


@pytest.mark.parametrize(("rule", "path", "text"), ALLOWED)
def test_allowed_is_left_alone(rule: Rule, path: str, text: str) -> None:
    assert not list(rule(Source(path, text)))


def test_folder_without_its_sentence_is_found() -> None:
    findings = list(texts.packages(["services/api/__init__.py", "services/api/access/routes.py"]))
    assert report(findings).startswith("services/api/access/__init__.py:1: ")
