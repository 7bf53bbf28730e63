"""Ids in paths: what is no id names nothing that is there."""

import uuid

from services.api.refusals import Refusal


def id_of(text: str, missing: type[Refusal]) -> uuid.UUID:
    """Return the id that a path names.

    Raises:
        Refusal: It is no id; of the class that is given, as where there is no such thing.
    """
    try:
        return uuid.UUID(text)
    except ValueError:
        raise missing from None
