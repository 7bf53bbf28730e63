"""What travels: histories, single deliveries with their attempts, and figures."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

State = Literal["pending", "delivered", "failed", "held", "discarded"]
Kind = Literal["event", "test", "shadow"]

_MOMENT = "UTC, in milliseconds."


class _Read(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class LastAttemptView(_Read):
    """The latest attempt of a delivery."""

    started: int = Field(description=_MOMENT)
    duration_ms: int
    outcome: str = Field(description="What it came to.", examples=["delivered", "timed_out"])
    status_code: int | None = Field(description="HTTP status; null where no answer came.")


class DeliveryView(_Read):
    """One delivery."""

    id: str = Field(description="The hook id, as in `X-Coro-Hook-Id`.")
    webhook_id: str
    event_id: str = Field(description="Ours, as in the question to `explain`.")
    workspace_id: str = Field(description="Where the event happened; the webhook's workspace, or one below it.")
    kind: Kind
    type: str = Field(description="Of the event.", examples=["workspace-created"])
    state: State
    attempts: int = Field(description="How many there were so far.")
    created: int = Field(description=_MOMENT)
    due: int | None = Field(description="When the next attempt is due; UTC, in milliseconds. Null where none is.")
    finished: int | None = Field(description="UTC, in milliseconds; null while it is pending.")
    last_attempt: LastAttemptView | None


class History(_Read):
    """One page of deliveries, newest first."""

    items: list[DeliveryView]
    next_cursor: str | None = Field(
        description=(
            "Pass it as `cursor`, with the same filters, to go on; null at the end. A page may hold fewer items than "
            "asked for, or none, and go on all the same: one request looks at so many deliveries and no more."
        )
    )


class Answer(_Read):
    """What the receiver answered."""

    head: str | None = Field(description="Status line and headers, at most 4 KiB.")
    body: str | None = Field(description="The beginning of the body, at most 4 KiB.")


class AttemptView(_Read):
    """One attempt."""

    number: int = Field(description="From 1.")
    started: int = Field(description=_MOMENT)
    duration_ms: int
    outcome: str = Field(description="What it came to.", examples=["delivered", "timed_out"])
    status_code: int | None = Field(description="HTTP status; null where no answer came.")
    error: str | None = Field(description="What went wrong and what to do about it; null on success.")
    headers: dict[str, str] = Field(
        description="As they were sent; signatures and the webhook's own values are masked. The latter's names are "
        "those of the webhook as it is now."
    )
    response: Answer | None = Field(description="Null where no answer came.")


class DeliveryDetail(DeliveryView):
    """One delivery with its attempts."""

    url: str = Field(description="Of the webhook as it is now.")
    body: str | None = Field(description="What every attempt sent; null where it cannot be made any more.")
    attempted: list[AttemptView] = Field(description="Every attempt, in order.")


class HourView(_Read):
    """How the deliveries of one hour went."""

    hour: int = Field(description="When it began; UTC, in milliseconds.")
    deliveries: int
    delivered: int
    failed: int
    attempts: int
    p50_ms: int | None
    p95_ms: int | None


class StatisticsView(_Read):
    """How a webhook's deliveries of events went, tests aside; each counts in the hour in which it was made."""

    since: int = Field(description="From when on deliveries are counted; UTC, in milliseconds.")
    until: int = Field(description=_MOMENT)
    complete: bool = Field(description="False where there were so many that only the latest, from `since` on, count.")
    deliveries: int
    delivered: int
    failed: int = Field(description="Given up. The others are pending, held or discarded.")
    success_rate: float | None = Field(description="delivered / (delivered + failed); null where both are 0.")
    attempts: int
    p50_ms: int | None = Field(description="Half of the attempts took no longer, in milliseconds.")
    p95_ms: int | None = Field(description="95 of 100 attempts took no longer, in milliseconds.")
    hours: list[HourView] = Field(description="Every hour from `since` on, empty ones included.")
