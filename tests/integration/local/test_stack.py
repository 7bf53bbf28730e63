"""One checkout, one stack; mails become files."""

import json
import os
import smtplib
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

from deploy.local import runfile
from deploy.local.errors import LocalError
from deploy.local.places import CHECKOUT, Places
from deploy.local.processes import Child, wait_until
from tests.support.processes import free_port, running
from tests.support.waiting import wait_until as wait_for

LIMIT_S = 60


def _verb(verb: str, folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "deploy.local", verb],
        cwd=CHECKOUT,
        env={**os.environ, "CORO_LOCAL_DIR": str(folder), **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )


@pytest.mark.parametrize("verb", ["status", "stop"])
def test_the_exit_code_tells_when_no_stack_runs(tmp_path: Path, verb: str) -> None:
    done = _verb(verb, tmp_path)
    assert done.returncode == 1
    assert done.stderr == "The stack of this checkout is not running.\n"


@pytest.mark.parametrize("verb", ["run", "start"])
def test_one_sentence_is_said_when_a_promised_port_is_no_port(tmp_path: Path, verb: str) -> None:
    done = _verb(verb, tmp_path, CORO_API_PORT="eighty")
    assert done.returncode == 1
    assert done.stderr == "CORO_API_PORT is 'eighty', which is not a port between 1 and 65535.\n"
    assert not (tmp_path / "run.json").exists()


@pytest.mark.parametrize("verb", ["run", "start", "clean"])
def test_the_other_supervisor_is_named_when_one_lives(tmp_path: Path, verb: str) -> None:
    places = Places(tmp_path)
    with runfile.only_stack(places):
        done = _verb(verb, tmp_path)
    assert done.returncode == 1
    assert f"process {os.getpid()}" in done.stderr
    assert tmp_path.exists()


def test_nobody_supervises_when_the_last_one_left(tmp_path: Path) -> None:
    places = Places(tmp_path)
    with runfile.only_stack(places):
        pass
    assert runfile.supervisor_pid(places) is None
    with runfile.only_stack(places), pytest.raises(LocalError, match="runs already"), runfile.only_stack(places):
        pass


def test_a_stranger_is_spared_when_it_got_the_number_of_a_leftover(tmp_path: Path) -> None:
    places = Places(tmp_path)
    stranger = Child(
        name="The stranger",
        command=[sys.executable, "-c", "import signal; print('here', flush=True); signal.pause()"],
        log_file=tmp_path / "log",
        env={},
        cwd=tmp_path,
    )
    stranger.start()
    try:
        wait_until(lambda: stranger.said(b"here"), children=[stranger], limit_s=LIMIT_S, what="The start")
        rows = {"kafka": {"pid": stranger.pid, "born": "1"}}
        places.children_file.write_text(json.dumps(rows), encoding="utf-8")
        runfile.end_leftovers(places)
        assert stranger.running
        assert not places.children_file.exists()
    finally:
        stranger.stop()


async def test_a_mail_becomes_a_readable_file_when_it_is_sent(tmp_path: Path) -> None:
    port = free_port()
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "A webhook was disabled", "coro@example.com", "admin@example.com"
    mail.set_content("It failed four times.\n")
    with running("deploy.local.mail_sink", "--port", str(port), "--dir", str(tmp_path), environ={}) as sink:
        await wait_for(lambda: "mail sink on" in sink.output(), what="the mail sink to listen")
        with smtplib.SMTP("127.0.0.1", port, timeout=LIMIT_S) as client:
            client.send_message(mail)
    [(name, text)] = _files(tmp_path).items()
    assert name.endswith("-admin@example.com.eml")
    assert "It failed four times." in text


def _files(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}
