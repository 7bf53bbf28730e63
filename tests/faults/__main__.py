"""Run every scenario and print the table: `make faults`; `python -m tests.faults --help` tells the options."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pytest

from coro_events.runtime.clock import SystemClock
from deploy.generate import ROOT, in_sections
from tests.bench.figures import write
from tests.faults.reporting import Result, as_markdown, show
from tests.faults.run import REBALANCES, RESULTS
from tests.faults.scenarios import Scenario

KEPT = Path(".local/faults/latest.json")
PAGE = "docs/reliability.md"
FOLDER = "tests/faults"


class Reporter:
    """A plug-in of pytest that hands the options in and the results out."""

    def __init__(self, *, rebalances: int) -> None:
        self.results: list[Result] = []
        self._rebalances = rebalances

    def pytest_configure(self, config: pytest.Config) -> None:
        """Let the scenarios know how much is wanted, and give them a place for their results."""
        config.stash[REBALANCES] = self._rebalances
        config.stash[RESULTS] = self.results


def section(results: list[Result]) -> str:
    """Return the generated part of the page: when and on what it ran, and the table."""
    day = SystemClock().now().date()
    return f"Of {day:%Y-%m-%d}, on {os.cpu_count()} cores.\n\n{as_markdown(results)}"


class Run(Protocol):
    """What runs tests as `pytest.main` does."""

    def __call__(self, args: list[str], plugins: Sequence[object]) -> int:
        """Run the tests that the arguments name; return the exit code."""


def main(arguments: list[str], *, run: Run = pytest.main, root: Path = ROOT) -> int:
    """Run scenarios and show what they came to; return pytest's exit code, or 1 where a scenario left no line."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rebalances", type=int, default=1_000, help="rebalances in a row; a fifth of a second each")
    parser.add_argument("-k", dest="only", default="", help="only the scenarios that match, as for pytest")
    given = parser.parse_args(arguments)
    reporter = Reporter(rebalances=given.rebalances)
    # Its plug-ins rewrite assertions of what is not imported yet; what we have imported has none of ours.
    quiet = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    code = int(run([FOLDER, "-k", given.only, *quiet], plugins=[reporter]))
    show(reporter.results, f"Coro Webhooks under faults, on {os.cpu_count()} cores")
    write([figure for result in reporter.results for figure in result.figures()], root / KEPT)
    if code or given.only:
        # A run that failed, or a part of the scenarios, says nothing about the whole.
        return code
    missing = set(Scenario) - {result.scenario for result in reporter.results}
    if missing:
        sys.stderr.write(f"no line came of: {', '.join(sorted(missing))}\n")
        return 1
    text = in_sections(PAGE, {"faults": section(reporter.results)}, root)
    (root / PAGE).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
