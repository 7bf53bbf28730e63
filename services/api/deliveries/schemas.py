"""What travels: replays and retries as clients ask for them and read of them."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

DEFAULT_RATE = 200
MAX_RATE = 5_000
# The last millisecond of the year 9999.
MAX_MILLISECONDS = 253_402_300_799_999

Include = Literal["missed", "held", "failed"]


def _everything() -> list[Include]:
    return ["missed", "held", "failed"]


def _check_distinct(value: list[str]) -> list[str]:
    if len(set(value)) != len(value):
        raise ValueError("must be distinct")
    return value


class ReplayRequest(BaseModel):
    """What shall be sent again."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)

    since: int = Field(
        ge=0,
        le=MAX_MILLISECONDS,
        description="Of events that happened from then on; UTC, in milliseconds. No older than events are kept.",
    )
    include: Annotated[list[Include], AfterValidator(_check_distinct)] = Field(
        default_factory=_everything,
        min_length=1,
        max_length=3,
        description=(
            "`missed`: events without a delivery, such as those of the time when it was disabled. "
            "`held`: deliveries that waited when it was disabled. `failed`: deliveries that were given up."
        ),
        json_schema_extra={"uniqueItems": True},
    )
    dry_run: bool = Field(default=False, description="Only count.")
    rate_per_second: int = Field(
        default=DEFAULT_RATE, ge=1, le=MAX_RATE, description="Deliveries a second at most, beside those of new events."
    )


class _Read(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class ReplayCounts(_Read):
    """What a replay would take at this moment; what is not included counts as none."""

    dry_run: Literal[True] = True
    missed: int
    held: int
    failed: int


class ReplayView(_Read):
    """A replay and how far it has come."""

    id: str
    state: Literal["running", "done", "cancelled"]
    since: int = Field(description="UTC, in milliseconds.")
    include: list[Include]
    rate_per_second: int
    expected: int = Field(description="How many deliveries there were to be when it began.")
    replayed: int = Field(description="How many of them are on their way or over.")
    created: int = Field(description="UTC, in milliseconds; later events are not part of it.")
    finished: int | None = Field(description="UTC, in milliseconds; null while it is running.")
    reason: str | None = Field(description="Why it was cancelled.")


class RetriedDelivery(_Read):
    """A delivery that is due again."""

    id: str = Field(description="The hook id.")
    state: Literal["pending"] = "pending"
    attempts: int = Field(description="How many there were so far.")
    due: int = Field(description="When the next attempt is due; UTC, in milliseconds.")
