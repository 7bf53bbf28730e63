"""What travels: an event that somebody makes up, and the verdict of each rule on an event."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from services.api.deliveries.schemas import MAX_MILLISECONDS

# Longer than any name of a trigger or any type.
MAX_TYPE_CHARACTERS = 100
MAX_WORKSPACE_CHARACTERS = 128


class MadeUpEvent(BaseModel):
    """An event that did not happen."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"type": "workspaceCreated.v1", "workspaceId": "acme-east"}]},
    )

    type: str = Field(
        min_length=1,
        max_length=MAX_TYPE_CHARACTERS,
        description="The name of a trigger, such as `workspaceCreated.v1`, or a type, such as `workspace-created`.",
    )
    workspace_id: str = Field(
        min_length=1, max_length=MAX_WORKSPACE_CHARACTERS, description="The workspace it happens in."
    )
    occurred: int | None = Field(
        default=None, ge=0, le=MAX_MILLISECONDS, description="When it happens, UTC in milliseconds; now if left out."
    )


class _Read(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class ExplainedEvent(_Read):
    """The event that was asked about."""

    id: str | None = Field(description="Ours; null where it is made up.")
    source: str | None = Field(description="Who emitted it; null where it is made up.")
    source_id: str | None = Field(description="What its source calls it; null where it is made up.")
    type: str = Field(examples=["workspace-created"])
    workspace_id: str = Field(description="Where it happened.")
    occurred: int = Field(description="When it happened; UTC, in milliseconds.")
    received: int | None = Field(description="When it came in; UTC, in milliseconds. Null where it is made up.")


class RuleVerdict(_Read):
    """Whether one rule holds."""

    rule: Literal["state", "trigger", "tree", "version", "time", "duplicate"]
    holds: bool
    sentence: str = Field(examples=["workspace-created is among the triggers of the webhook."])


class ExplainedDelivery(_Read):
    """The delivery of the event to the webhook."""

    id: str = Field(description="The hook id.")
    state: Literal["pending", "delivered", "failed", "held", "discarded"]
    attempts: int
    created: int = Field(description="UTC, in milliseconds.")
    finished: int | None = Field(description="UTC, in milliseconds; null while it is pending.")


class Explanation(_Read):
    """Why an event did, or did not, reach a webhook."""

    webhook_id: str
    event: ExplainedEvent
    reaches: bool = Field(
        description="Of a past event: whether it has a delivery to the webhook. Of one made up: whether it would."
    )
    sentence: str = Field(description="The answer in words.")
    rules: list[RuleVerdict] = Field(
        description=(
            "The verdict of every rule. `state`, `trigger`, `tree` and `version` are about the webhook as it is now; "
            "`time` and `duplicate` are about when a past event came in."
        )
    )
    delivery: ExplainedDelivery | None = Field(description="Null where there is none.")
