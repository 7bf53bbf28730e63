"""What forms and addresses say, as the services take it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from services.api.faults import faults_of
from services.api.refusals import InvalidInput

Model = TypeVar("Model", bound=BaseModel)

# As browsers write `datetime-local`; it is read as UTC, which its label says.
_FORMATS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d")


def read_model(model: type[Model], values: Mapping[str, Any]) -> Model:
    """Return the model that values make.

    Raises:
        InvalidInput: They break it.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = faults_of(error.errors(include_url=False, include_input=False))
    raise InvalidInput(*faults)


def read_minute(text: str) -> datetime | None:
    """Return the time that a field of days and minutes holds; none where it holds none."""
    for one in _FORMATS:
        try:
            return datetime.strptime(text.strip(), one).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def write_minute(at: datetime | None) -> str:
    """Return a time as a field of days and minutes holds it."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")


def printable(text: str) -> str:
    """Return a text without what nothing on record holds."""
    return "".join(filter(str.isprintable, text)).strip()
