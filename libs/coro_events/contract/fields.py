"""The kinds of fields that event data is made of, and their common base."""

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints
from pydantic.alias_generators import to_camel

# Control characters are refused everywhere: PostgreSQL stores no NUL, and no name needs the others.
_NO_CONTROL = r"^[^\x00-\x1f\x7f]*$"

MAX_ID_LENGTH = 255
MAX_WORKSPACE_ID_LENGTH = 128

Text = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=_NO_CONTROL)]
# A free text may be empty: a user without a name is still a protected user.
OptionalText = Annotated[str, StringConstraints(max_length=255, pattern=_NO_CONTROL)]
Domain = Annotated[str, StringConstraints(min_length=1, max_length=253, pattern=_NO_CONTROL)]
Email = Annotated[
    str, StringConstraints(min_length=3, max_length=320, pattern=r"^[^\x00-\x20\x7f@]+@[^\x00-\x20\x7f@]+$")
]
WorkspaceId = Annotated[str, StringConstraints(min_length=1, max_length=MAX_WORKSPACE_ID_LENGTH, pattern=_NO_CONTROL)]
# A word of a set that is not published as closed: a new add-on must not stop a bill.
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
# The ceiling is a signed 32-bit integer's, which every receiver's language can hold.
Count = Annotated[StrictInt, Field(ge=0, le=2_147_483_647)]
# Milliseconds since 1970 in UTC, up to the end of the year 9999.
Milliseconds = Annotated[StrictInt, Field(ge=0, le=253_402_300_799_999)]
Flag = StrictBool


class WorkspaceType(StrEnum):
    """What kind of workspace it is, and with it what it may hold."""

    REGULAR = "regular"  # a single company
    CHANNEL = "channel"  # an MSP; holds channels and children
    CHILD = "child"  # a customer of an MSP; holds nothing


class WorkspaceStatus(StrEnum):
    """Where a workspace stands in its life."""

    NEW = "new"  # just created; never returned to
    TRIAL = "trial"
    SUBSCRIPTION = "subscription"
    INACTIVE = "inactive"  # trial or subscription has run out


class Wire(BaseModel):
    """Camel case on the wire; a field that is not named here is dropped and never reaches a customer."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        frozen=True,
        # What is written holds every field, so a receiver's schema may count on it.
        json_schema_serialization_defaults_required=True,
    )

    def to_bytes(self) -> bytes:
        """Return the canonical JSON: every field, in the order of the model, without white space."""
        return self.__pydantic_serializer__.to_json(self, by_alias=True)

    @classmethod
    def example(cls) -> Self:
        """Return the full example that the schema shows."""
        extra: Any = cls.model_config["json_schema_extra"]
        return cls.model_validate(extra["examples"][0])


def shown(example: dict[str, Any]) -> ConfigDict:
    """Return the model setting that carries a full example into the schema."""
    return ConfigDict(json_schema_extra={"examples": [example]})
