"""What travels: lines of the activity log."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class _Read(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class ActivityView(_Read):
    """Something that somebody did."""

    id: str
    at: int = Field(description="UTC, in milliseconds.")
    workspace_id: str = Field(description="Where.")
    actor: str = Field(
        description="Who: `credential:` and a client id, `user:` and a mail address, or `system:` and a service.",
        examples=["credential:billing"],
    )
    action: str = Field(description="What: a noun and what became of it.", examples=["webhook.created"])
    subject: str = Field(description="The id of what it happened to.")
    detail: dict[str, Any] = Field(description="More, by the action.", examples=[{"name": "Billing"}])


class ActivityPage(_Read):
    """One page of the activity log, newest first."""

    items: list[ActivityView]
    next_cursor: str | None = Field(description="Where the next page begins; null on the last one.")
