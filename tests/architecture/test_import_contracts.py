"""The import contracts of pyproject.toml hold, and each of them can break."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]

# A small whole that keeps every contract.
SKELETON = {
    "coro_events/__init__.py": "",
    "coro_events/errors.py": "",
    "coro_events/contract/__init__.py": "import coro_events.errors",
    "coro_events/rules/__init__.py": "import coro_events.contract",
    "coro_events/store/__init__.py": "import coro_events.rules",
    "coro_events/runtime/__init__.py": "import coro_events.errors",
    "coro_events/cli/__init__.py": "import coro_events.store",
    "deploy/__init__.py": "",
    "services/__init__.py": "",
    "services/api/__init__.py": "import coro_events.store",
    "services/api/console.py": "import services.api.sessions",
    "services/api/sessions.py": "",
    "services/dispatcher/__init__.py": "",
    "services/dispatcher/app.py": "import services.dispatcher.record, services.dispatcher.deliver.http",
    "services/dispatcher/intake.py": "import coro_events.contract",
    "services/dispatcher/match.py": "import services.dispatcher.intake",
    "services/dispatcher/deliver/__init__.py": "import services.dispatcher.match",
    "services/dispatcher/deliver/http.py": "",
    "services/dispatcher/record.py": "import services.dispatcher.deliver",
    "services/scheduler/__init__.py": "",
    "services/scheduler/app.py": "import services.scheduler.rounds",
    "services/scheduler/rounds.py": "import services.scheduler.chores",
    "services/scheduler/chores/__init__.py": "import coro_events.store",
    "services/scheduler/chores/sql.py": "",
    "services/scheduler/chores/kafka.py": "",
    "services/scheduler/leading.py": "import coro_events.store",
}

# Contract to the file and the text that break it.
BREACHES = {
    "the library knows no service": ("coro_events/cli/__init__.py", "import services.api"),
    "the library: contract, then rules, then store and runtime": (
        "coro_events/contract/far.py",
        "import coro_events.rules",
    ),
    "the runtime knows no business": ("coro_events/runtime/far.py", "import coro_events.rules"),
    "the services are independent": ("services/api/far.py", "import services.dispatcher.match"),
    "the dispatcher: intake, match, deliver, record, pipeline, app": (
        "services/dispatcher/intake.py",
        "import services.dispatcher.record",
    ),
    "the scheduler: rooms, rounds, app": ("services/scheduler/chores/far.py", "import services.scheduler.leading"),
    "contract and rules do no I/O": ("coro_events/rules/far.py", "import socket"),
    "adapters are made by the composition roots": (
        "services/dispatcher/record.py",
        "import services.dispatcher.deliver.http",
    ),
    "the console is on top of the rooms of the API": ("services/api/sessions.py", "import services.api.console"),
    "nothing that ships needs the local stack or the tests": ("services/api/far.py", "import deploy"),
}
UNPLACED = {
    "services/dispatcher/far.py": "the dispatcher: intake, match, deliver, record, pipeline, app",
    "services/scheduler/far.py": "the scheduler: rooms, rounds, app",
    "coro_events/far.py": "the library: contract, then rules, then store and runtime",
}


def lint(folder: Path, *import_roots: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter with the contracts of this repository over the packages in a folder."""
    return subprocess.run(  # noqa: S603 - a tool of this environment
        [
            str(Path(sys.executable).with_name("lint-imports")),
            "--no-cache",
            "--no-logo",
            f"--config={ROOT / 'pyproject.toml'}",
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, import_roots)), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def broken(folder: Path, files: Mapping[str, str]) -> set[str]:
    """Write the files, lint them, and return the contracts that broke."""
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"{text}\n", encoding="utf-8")
    done = lint(folder, folder)
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return {contract["name"] for contract in CONTRACTS if f"{contract['name']} BROKEN" in done.stdout}


def test_repository_keeps_every_contract() -> None:
    done = lint(ROOT, ROOT / "libs", ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_skeleton_keeps_every_contract(tmp_path: Path) -> None:
    assert broken(tmp_path, SKELETON) == set()


@pytest.mark.parametrize("contract", [contract["name"] for contract in CONTRACTS])
def test_contract_breaks_when_an_import_goes_against_it(tmp_path: Path, contract: str) -> None:
    path, text = BREACHES[contract]
    assert contract in broken(tmp_path, SKELETON | {path: text})


@pytest.mark.parametrize(("path", "contract"), UNPLACED.items())
def test_contract_breaks_when_a_new_file_has_no_place(tmp_path: Path, path: str, contract: str) -> None:
    assert broken(tmp_path, SKELETON | {path: ""}) == {contract}
