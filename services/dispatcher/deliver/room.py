"""How much may wait in memory: arithmetic that leaves room for others, whoever comes first."""

from collections.abc import Mapping
from uuid import UUID

# A queue may hold so many times what is still free: one busy queue stops at four fifths of the whole, and the more
# there are the less each holds. A dynamic threshold, as in switches whose ports share one memory.
TIMES_FREE = 4


def quota(whole: int) -> int:
    """Return how much of the whole first attempts may take together, and likewise what is claimed: three quarters.

    A quarter is then left to the other, whatever one of them brings.
    """
    return whole - whole // 4


def room(*, waiting: int, free: int, allowed: int) -> int:
    """Return how many more a queue takes.

    Args:
        waiting: How many it holds.
        free: How many places are free, for all queues of its kind.
        allowed: How many it may hold at its pace, however much is free.
    """
    # The most for which `waiting + more <= TIMES_FREE * (free - more)` holds, rounded up: the last place counts too.
    more = -((waiting - TIMES_FREE * free) // (TIMES_FREE + 1))
    return max(0, min(allowed - waiting, more))


def divide(wanted: Mapping[UUID, int], free: int) -> Mapping[UUID, int]:
    """Return how many each of several queues gets of what is free: the same for all, but none more than it wants.

    Together they leave as much for others as the same queues would that fill one by one, see `room`.
    """
    left = free - free // (TIMES_FREE * len(wanted) + 1)
    if sum(wanted.values()) <= left:
        return wanted
    divided: dict[UUID, int] = {}
    # The modest first: what they leave is for the others.
    for already, (key, want) in enumerate(sorted(wanted.items(), key=lambda one: one[1])):
        divided[key] = min(want, -(-left // (len(wanted) - already)))
        left -= divided[key]
    return divided
