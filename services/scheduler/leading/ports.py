"""What leading needs: a place that only one process can hold."""

from typing import Protocol


class Leadership(Protocol):
    """The place of the one scheduler at work; lost when its holder dies or is cut off."""

    async def seek(self) -> bool:
        """Take the place if it is free; tell whether it is ours at this moment.

        Raises:
            StoreUnavailableError: Nobody can be asked; the place is not ours.
        """
        ...

    async def resign(self) -> None:
        """Leave the place, if it is ours."""
        ...
