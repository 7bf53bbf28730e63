"""What travels: webhook versions, and the time from which one counts as released."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from services.api.deliveries.schemas import MAX_MILLISECONDS


class VersionRelease(BaseModel):
    """When a version is released."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", strict=True, json_schema_extra={"examples": [{"at": 1772355600000}]}
    )

    at: int | None = Field(
        default=None,
        ge=0,
        le=MAX_MILLISECONDS,
        description="From when on it counts as released, UTC in milliseconds; now if left out.",
    )


class VersionView(BaseModel):
    """A webhook version."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    version: int
    status: Literal["unreleased", "planned", "released", "expired"] = Field(
        description="Webhooks can be created of released versions.", examples=["released"]
    )
    released: int | None = Field(
        description="Since when, or from when on, it is released; UTC, in milliseconds. Null while nobody plans it."
    )
    expires: int | None = Field(
        description="When it ends, which is six months after the release of the next one; UTC, in milliseconds."
    )
    webhooks: int = Field(
        description="How many webhooks here and below still use it; drafts and replaced ones do not count."
    )
    workspaces: int = Field(description="In how many workspaces these are.")
