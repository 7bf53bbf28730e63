"""The whole stack in the background: up, told, refused twice, found again, down; and whatever dies, nothing is left."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.places import CHECKOUT
from deploy.local.ports import is_free
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

LIMIT_S = 110
FACTS = {
    *("api_url", "console_url", "receiver_url", "kafka_bootstrap", "database_url", "smtp", "mail_dir"),
    *("admin_email", "admin_password", "client_id", "client_secret", "root_workspace", "child_workspaces"),
    *("pids", "ops_urls"),
}


class LocalStack:
    """The command `python -m deploy.local` for one folder."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.run_file = folder / "run.json"
        self.lock_file = folder / "run.lock"
        self._env = {**os.environ, **settings, "CORO_LOCAL_DIR": str(folder)}

    def verb(self, verb: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "deploy.local", verb],
            cwd=CHECKOUT,
            env=self._env,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )

    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.run_file.read_text(encoding="utf-8"))
        return facts


def _first_of_four_free_ports() -> int:
    return next(port for port in range(24000, 30000) if all(is_free(port + step) for step in range(4)))


@pytest.fixture
def ports() -> dict[str, str]:
    port = _first_of_four_free_ports()
    return {"CORO_API_PORT": str(port), "CORO_OPS_PORT": str(port + 1)}


@pytest.fixture
def stack(tmp_path: Path, ports: dict[str, str]) -> Iterator[LocalStack]:
    """Return a stack with servers of its own."""
    stack = LocalStack(tmp_path / "local", ports)
    yield stack
    stack.verb("stop")
    assert stack.verb("clean").returncode == 0


@pytest.fixture
def guest_stack(
    tmp_path: Path, ports: dict[str, str], empty_database_url: str, kafka_bootstrap: str
) -> Iterator[LocalStack]:
    """Return a stack on servers that are there already."""
    given = {"CORO_DATABASE_URL": empty_database_url, "CORO_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap}
    stack = LocalStack(tmp_path / "local", {**ports, **given})
    yield stack
    stack.verb("stop")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _webhooks(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    request = {
        **{name: facts[name] for name in ("client_id", "client_secret")},
        "audience": facts["api_url"],
        "grant_type": "client_credentials",
    }
    with httpx.Client(base_url=facts["api_url"], timeout=LIMIT_S) as client:
        token = client.post("/oauth/token", json=request).raise_for_status().json()["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Workspace": facts["root_workspace"]}
        listed = client.get("/v1/settings/webhooks", headers=headers).raise_for_status().json()
    items: list[dict[str, Any]] = listed["items"]
    return items


@pytest.mark.timeout(4 * LIMIT_S)
async def test_the_demo_is_found_again_the_second_time_and_nothing_is_left_when_the_supervisor_is_killed(
    stack: LocalStack,
) -> None:
    first = _started(stack)
    assert first.keys() == FACTS
    assert stat.S_IMODE(stack.run_file.stat().st_mode) == 0o600
    assert stack.verb("status").returncode == 0
    assert "runs already" in stack.verb("start").stderr

    assert stack.verb("stop").returncode == 0
    assert not any(_alive(pid) for pid in first["pids"].values())
    assert not stack.run_file.exists()

    second = _started(stack)
    kept = ("admin_password", "client_id", "client_secret", "root_workspace", "child_workspaces")
    assert {name: second[name] for name in kept} == {name: first[name] for name in kept}
    assert [(one["name"], one["url"]) for one in _webhooks(second)] == [("Demo receiver", second["receiver_url"])]

    # In the same test, because a start takes as long as all the rest.
    if sys.platform == "linux":
        os.kill(int(stack.lock_file.read_text(encoding="utf-8")), signal.SIGKILL)
        pids = second["pids"].values()
        await wait_until(lambda: not any(_alive(pid) for pid in pids), what="the orphans to end")
        assert stack.verb("status").returncode == 1


def _started(stack: LocalStack) -> dict[str, Any]:
    """Start a stack, see it deliver and return what it wrote down."""
    started = stack.verb("start")
    assert started.returncode == 0, started.stderr
    assert "signature valid" in started.stdout
    return stack.facts()


@pytest.mark.timeout(2 * LIMIT_S)
async def test_all_stops_and_the_dead_one_is_named_when_a_service_dies(guest_stack: LocalStack, tmp_path: Path) -> None:
    pids = _started(guest_stack)["pids"]
    assert pids.keys() == {"mail", "receiver", "api", "dispatcher", "scheduler"}
    os.kill(pids["dispatcher"], signal.SIGKILL)
    await wait_until(lambda: not guest_stack.run_file.exists(), what="the stack to stop", limit_s=LIMIT_S)
    assert not any(_alive(pid) for pid in pids.values())
    said = (tmp_path / "local" / "log" / "supervisor.err").read_text(encoding="utf-8")
    assert said.startswith("The dispatcher ended unexpectedly (exit code -9)")
    assert said.count("\n") == 1
