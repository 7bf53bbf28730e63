"""Runs the project's own command line, as a user would, and reads what it answers."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from deploy.local.errors import LocalError
from deploy.local.places import CHECKOUT
from deploy.local.processes import last_telling_line

_LIMIT_S = 120


def run_module(module: str, *arguments: str, env: Mapping[str, str]) -> str:
    """Run `python -m module` to its end and return what it printed.

    Raises:
        LocalError: it failed or took too long; tells its last line.
    """
    shown = " ".join([module, *arguments[:2]]).replace("coro_events.cli.main", "coro")
    try:
        done = subprocess.run(  # noqa: S603 - our own command line, no shell
            [sys.executable, "-m", module, *arguments],
            cwd=CHECKOUT,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LIMIT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise LocalError(f"`{shown}` did not end within {_LIMIT_S} s.") from error
    if done.returncode != 0:
        raise LocalError(f"`{shown}` failed: {last_telling_line(done.stdout + done.stderr)}")
    return done.stdout


def coro(*arguments: str, env: Mapping[str, str]) -> Any:
    """Run `coro … --json` and return its answer; None where it says nothing.

    Raises:
        LocalError: it failed, or its answer is no JSON.
    """
    answer = run_module("coro_events.cli.main", *arguments, "--json", env=env).strip()
    if not answer:
        return None
    try:
        return json.loads(answer)
    except json.JSONDecodeError as error:
        raise LocalError(f"`coro {' '.join(arguments[:2])}` answered no JSON: {answer[:80]}") from error
