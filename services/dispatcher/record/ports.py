"""What recording needs: a ledger that writes effects only under the claim they were made with."""

from collections.abc import Sequence
from typing import Protocol

from services.dispatcher.record.effects import Effect


class Ledger(Protocol):
    """Where outcomes become facts."""

    async def record(self, effects: Sequence[Effect]) -> Sequence[Effect]:
        """Write the effects whose claims still hold, with all that belongs to each, in one transaction.

        Writing the same effects again writes nothing.

        Returns:
            The effects that were written; the others belong to another replica now.

        Raises:
            StoreUnavailableError: The database is away; the effects may be recorded again.
        """
        ...
