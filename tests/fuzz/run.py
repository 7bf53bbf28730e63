"""What `python -m tests.fuzz` tells its test."""

import pytest

# For how long calls are made; a fixed short run if nobody says.
SECONDS: pytest.StashKey[int] = pytest.StashKey()
