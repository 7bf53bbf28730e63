"""What holding back needs: the deliveries that wait for stopped webhooks."""

from typing import Protocol


class StoppedDeliveries(Protocol):
    """Deliveries that wait for webhooks which were disabled, removed or expired, or for drafts that try nothing out."""

    async def hold_back(self, limit: int) -> int:
        """Move what waits for disabled webhooks to held, for removed and expired ones to discarded; return how many.

        What is in flight is left to whoever records it, and what a person asked for still goes to a disabled webhook.
        At most `limit` at once; 0 once nothing is left that is in sight.

        Raises:
            StoreUnavailableError: The database is away.
        """
        ...
