"""Writes the golden files of a new version, to be read before they are committed: `python -m … VERSION`."""

import argparse

from coro_events.contract.bodies import VERSIONS
from tests.unit.contract.test_bodies import GOLDEN, TYPES, body_of


def main() -> None:
    """Write a file for each type; one that is there stays as it is, because a version that is out never changes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", type=int, choices=VERSIONS)
    version: int = parser.parse_args().version
    folder = GOLDEN / f"v{version}"
    folder.mkdir(exist_ok=True)
    for event_type in TYPES:
        path = folder / f"{event_type}.json"
        if not path.exists():
            path.write_bytes(body_of(version, event_type) + b"\n")


if __name__ == "__main__":
    main()
