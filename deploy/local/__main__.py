"""Runs the whole product on this machine: `python -m deploy.local run|start|stop|status|clean`."""

import argparse
import os
import sys

import httpx
from rich.console import Console

from deploy.local import background, runfile, screen, supervise
from deploy.local.errors import LocalError
from deploy.local.places import Places, read_json

_PROBE_LIMIT_S = 2.0


def status(places: Places) -> None:
    """Show what runs.

    Raises:
        LocalError: nothing runs, or it is not ready yet.
    """
    pid = runfile.supervisor_pid(places)
    if pid is None:
        raise LocalError("The stack of this checkout is not running.")
    facts = read_json(places.run_file)
    if facts is None:
        raise LocalError(f"The stack (process {pid}) is starting or stopping.")
    console = Console()
    console.print(screen.addresses(facts))
    with httpx.Client(timeout=_PROBE_LIMIT_S) as client:
        console.print(screen.states(facts, client))
        unready = [name for name, url in facts["ops_urls"].items() if screen.readiness(client, url) != "ready"]
    if unready:
        raise LocalError(f"Not ready: {', '.join(unready)}.")


_VERBS = {
    "run": supervise.run,
    "start": background.start,
    "stop": background.stop,
    "status": status,
    "clean": background.clean,
}


def main() -> int:
    """Do what the verb says; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    parser.add_argument("verb", choices=sorted(_VERBS))
    try:
        _VERBS[parser.parse_args().verb](Places.named_by(os.environ))
    except LocalError as error:
        supervise.report(error)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
