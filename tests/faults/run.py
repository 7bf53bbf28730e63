"""What a run of the faults carries in pytest's own configuration."""

import pytest

from tests.faults.reporting import Result

RESULTS = pytest.StashKey[list[Result]]()
REBALANCES = pytest.StashKey[int]()


def keep(results: list[Result], result: Result) -> None:
    """Keep a line for the table; fail where it does not hold.

    Raises:
        AssertionError: Something was lost, too much came twice, or recovery took too long.
    """
    results.append(result)
    assert result.holds, result
