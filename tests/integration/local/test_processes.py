"""No process outlives what started it."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.errors import LocalError
from deploy.local.places import CHECKOUT
from deploy.local.processes import Child, wait_until
from tests.support import waiting

STUBBORN = """
import signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
signal.pause()
"""
PARENT = """
import signal, sys
from pathlib import Path
from deploy.local.processes import Child
child = Child(name="child", command=[sys.executable, "-c", "import signal; signal.pause()"],
              log_file=Path(sys.argv[1]), env={}, cwd=Path("/"))
child.start()
print(child.pid, flush=True)
signal.pause()
"""


@pytest.fixture
def children() -> Iterator[list[Child]]:
    started: list[Child] = []
    yield started
    for child in started:
        child.stop()


def _child(children: list[Child], folder: Path, code: str, *arguments: str, stop_limit_s: float = 10) -> Child:
    child = Child(
        name="The trial",
        command=[sys.executable, "-c", code, *arguments],
        log_file=folder / "log",
        env={},
        cwd=CHECKOUT,
        stop_limit_s=stop_limit_s,
    )
    children.append(child)
    child.start()
    return child


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_its_last_line_is_told_when_a_process_ends_while_starting(children: list[Child], tmp_path: Path) -> None:
    child = _child(children, tmp_path, "import sys; sys.exit('the port is taken')")
    with pytest.raises(LocalError, match=r"The trial ended unexpectedly \(exit code 1\).*the port is taken"):
        wait_until(lambda: False, children=[child], limit_s=10, what="It")


def test_the_limit_is_told_when_a_process_never_gets_ready(children: list[Child], tmp_path: Path) -> None:
    child = _child(children, tmp_path, "import signal; signal.pause()")
    with pytest.raises(LocalError, match=r"The start did not happen within 0 s"):
        wait_until(lambda: False, children=[child], limit_s=0.1, what="The start")


def test_a_process_is_killed_when_it_does_not_stop_in_time(children: list[Child], tmp_path: Path) -> None:
    child = _child(children, tmp_path, STUBBORN, stop_limit_s=0.1)
    wait_until(lambda: child.said(b"ready"), children=[child], limit_s=10, what="The start")
    pid = child.pid
    child.stop()
    assert not _alive(pid)


def test_an_earlier_run_is_not_quoted_when_a_process_says_nothing(children: list[Child], tmp_path: Path) -> None:
    (tmp_path / "log").write_text("ready, said another\n", encoding="utf-8")
    child = _child(children, tmp_path, "import signal; signal.pause()")
    assert not child.said(b"ready")
    assert child.last_words() == "it wrote nothing"


def test_a_program_that_cannot_be_run_is_named_when_started(tmp_path: Path) -> None:
    child = Child(name="The ghost", command=["/nowhere"], log_file=tmp_path / "log", env={}, cwd=tmp_path)
    with pytest.raises(LocalError, match="The ghost could not be started"):
        child.start()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
async def test_a_child_ends_when_its_parent_is_killed(children: list[Child], tmp_path: Path) -> None:
    parent = _child(children, tmp_path, PARENT, str(tmp_path / "child.log"))
    wait_until(lambda: parent.said(b"\n"), children=[parent], limit_s=20, what="The start")
    pid = int((tmp_path / "log").read_text(encoding="utf-8"))
    assert _alive(pid)
    os.kill(parent.pid, signal.SIGKILL)
    await waiting.wait_until(lambda: not _alive(pid), what="the orphan to end")
