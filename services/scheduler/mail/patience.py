"""How long a mail that was not taken waits for its next attempt."""

# 1, 2, 4, … minutes, then every four hours: 30 attempts take about four days.
_FIRST_WAIT_S = 60.0
_LONGEST_WAIT_S = 4 * 3600.0
MAX_ATTEMPTS = 30

# A mail server that is away is asked again after so long; that counts as no attempt.
SERVER_WAIT_S = 60.0


def next_wait_s(attempts: int) -> float | None:
    """Return the seconds until the next attempt after so many, or none where it is given up."""
    if attempts >= MAX_ATTEMPTS:
        return None
    # The bound of the exponent only keeps the power small.
    return min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(attempts - 1, 16))
