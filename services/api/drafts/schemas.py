"""What travels: the second URL of a draft, and bodies of two versions side by side."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from services.api.webhooks.schemas import Url


class Shadow(BaseModel):
    """Where a draft's format is tried out."""

    model_config = ConfigDict(extra="forbid", strict=True)

    url: Url = Field(
        description="Gets every event as well, in the draft's format, once; https.",
        examples=["https://billing.example.com/coro-v2"],
    )


class _Read(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class PreviewedEvent(_Read):
    """One event in both formats."""

    event_id: str | None = Field(description="Null where it is an example.")
    type: str = Field(examples=["workspace-created"])
    workspace_id: str = Field(description="Where it happened.")
    occurred: int = Field(description="UTC, in milliseconds.")
    old_body: str = Field(description="What the webhook's present version sends.")
    new_body: str = Field(description="What the later version would send.")


class Preview(_Read):
    """The webhook's own last events in its version and in a later one, side by side."""

    webhook_id: str = Field(description="The webhook whose events these are; of a draft, its original.")
    draft_id: str | None = Field(description="Its draft, if it has one.")
    old_version: int
    new_version: int = Field(description="Of the draft; where there is none, the newest that is released.")
    examples: bool = Field(description="Whether the webhook has had no events yet, so that these are made up.")
    items: list[PreviewedEvent]
