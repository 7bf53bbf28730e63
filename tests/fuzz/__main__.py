"""Call the running API in every way its description allows, and print a summary: `make fuzz-api`."""

import argparse
import sys

import pytest

from tests.fuzz.run import SECONDS

FOLDER = "tests/fuzz"
# Starting, ending and shrinking what was found come on top.
EXTRA_S = 300


class Told:
    """A plug-in of pytest that hands the duration in."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds

    def pytest_configure(self, config: pytest.Config) -> None:
        """Tell the test for how long it shall go on."""
        config.stash[SECONDS] = self._seconds


def main(arguments: list[str]) -> int:
    """Make the calls; return pytest's exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="for how long")
    seconds: int = parser.parse_args(arguments).seconds
    return int(pytest.main([FOLDER, "-s", f"--timeout={seconds + EXTRA_S}"], plugins=[Told(seconds)]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
