"""Reading ahead: under a backlog the next batch is read and decoded while one is planned, and neither waits."""

import asyncio
from collections.abc import Callable

from services.dispatcher.intake.batch import Decoded
from services.dispatcher.intake.decode import decode_batch
from services.dispatcher.intake.ports import EventSource


class ReadAhead:
    """Reads one batch ahead of the one that is asked for."""

    def __init__(self, source: EventSource, *, webhooks_topic: str, fits: Callable[[int], int]) -> None:
        """Make it.

        Args:
            source: Where records come from.
            webhooks_topic: The topic of what happens to webhooks.
            fits: How many records to read, given how many are read and not planned yet.
        """
        self._source = source
        self._webhooks_topic = webhooks_topic
        self._fits = fits
        # A batch, and whether there is more behind it.
        self._reading: asyncio.Task[tuple[Decoded, bool]] | None = None

    async def next(self) -> Decoded:
        """Return the next batch, which may be empty, and begin to read the one behind it where there is a backlog.

        A batch with room left is all there was: what comes while it is planned had better come as one batch.

        Raises:
            BrokerUnavailableError: Kafka cannot be read; the next call tries anew.
        """
        reading, self._reading = self._reading or self._begin(0), None
        decoded, is_full = await reading
        if is_full:
            self._reading = self._begin(sum(span.next_offset - span.first_offset for span in decoded.spans))
        return decoded

    async def drop(self) -> None:
        """Forget what was read ahead; the source must be told to go on from the right place."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
            await asyncio.wait([reading])
            if not reading.cancelled():
                # An error of a batch that nobody wants is nobody's concern.
                reading.exception()

    def _begin(self, unplanned: int) -> asyncio.Task[tuple[Decoded, bool]]:
        return asyncio.create_task(self._read(self._fits(unplanned)), name="intake.read")

    async def _read(self, most: int) -> tuple[Decoded, bool]:
        batch = await self._source.fetch(most)
        return decode_batch(batch, webhooks_topic=self._webhooks_topic), batch.is_full
