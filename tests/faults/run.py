"""What a run of the faults carries in pytest's own configuration."""

import pytest

from tests.faults.reporting import Result

RESULTS = pytest.StashKey[list[Result]]()
REBALANCES = pytest.StashKey[int]()
