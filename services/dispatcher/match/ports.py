"""What matching needs: one transaction that plans a batch."""

from typing import Protocol

from services.dispatcher.intake.batch import Decoded
from services.dispatcher.match.plan import Plan, Room


class Planner(Protocol):
    """Turns a batch into planned deliveries, exactly once."""

    async def plan(self, decoded: Decoded, room: Room) -> Plan:
        """Store the events, match them, insert their deliveries and advance the offsets, all or nothing.

        Raises:
            FenceLostError: Another replica has planned these records.
            StoreUnavailableError: The database is away; the batch may be planned again.
        """
        ...
