"""The embedded PostgreSQL: durable, private, and considerate of other people's folders."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.errors import LocalError
from deploy.local.ports import free_port
from deploy.local.postgres import EmbeddedPostgres


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "postgres"
    yield folder
    EmbeddedPostgres(folder, free_port()).remove()


def _psql(server: EmbeddedPostgres, question: str, *, url: str = "") -> subprocess.CompletedProcess[str]:
    assert server._home is not None
    psql = str(server._home.binaries / "psql")
    return subprocess.run(  # noqa: S603 - a program of an installed package
        [psql, "--no-psqlrc", "--tuples-only", "--no-align", "--command", question, url or server.url()],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def _ask(server: EmbeddedPostgres, question: str) -> str:
    done = _psql(server, question)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_what_was_committed_is_there_when_the_server_starts_again(state_dir: Path) -> None:
    first = EmbeddedPostgres(state_dir, free_port())
    first.start()
    try:
        assert _ask(first, "show synchronous_commit") == "on"
        assert _ask(first, "show fsync") == "on"
        _ask(first, "create table kept as select 42 as answer")
    finally:
        first.stop()
    second = EmbeddedPostgres(state_dir, free_port())
    second.start()
    try:
        assert _ask(second, "select answer from kept") == "42"
    finally:
        second.stop()


def test_a_stranger_is_refused_when_the_password_is_wrong(state_dir: Path) -> None:
    server = EmbeddedPostgres(state_dir, free_port(), durable=False)
    server.start()
    try:
        password = (state_dir / "password").read_text(encoding="utf-8")
        stranger = _psql(server, "select 1", url=server.url().replace(password, "guess"))
        assert "password authentication failed" in stranger.stderr
        assert _ask(server, "show listen_addresses") == "127.0.0.1"
        assert (state_dir / "password").stat().st_mode & 0o777 == 0o600
    finally:
        server.stop()


def test_no_folder_above_is_opened_when_the_server_runs(tmp_path: Path, state_dir: Path) -> None:
    tmp_path.chmod(0o700)
    before = {folder: folder.stat().st_mode for folder in (tmp_path, *tmp_path.parents)}
    server = EmbeddedPostgres(state_dir, free_port(), durable=False)
    server.start()
    try:
        owner = Path(f"/proc/{server.pid}").stat().st_uid
    finally:
        server.stop()
    assert owner != 0
    assert {folder: folder.stat().st_mode for folder in before} == before


def test_nothing_is_left_when_the_server_is_removed(state_dir: Path) -> None:
    server = EmbeddedPostgres(state_dir, free_port(), durable=False)
    server.start()
    record = state_dir / "elsewhere"
    elsewhere = Path(record.read_text(encoding="utf-8").strip()) if os.geteuid() == 0 else state_dir
    assert (elsewhere / "data").is_dir()
    server.remove()
    assert not elsewhere.exists()
    assert not state_dir.exists()


def test_the_reason_is_told_when_the_port_is_taken(state_dir: Path, database_admin_url: str) -> None:
    taken = int(database_admin_url.rpartition(":")[2].partition("/")[0])
    server = EmbeddedPostgres(state_dir, taken, durable=False)
    try:
        with pytest.raises(LocalError, match="PostgreSQL ended unexpectedly"):
            server.start()
    finally:
        server.stop()
