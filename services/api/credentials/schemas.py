"""What travels: API credentials as people make and read them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from services.api.deliveries.schemas import MAX_MILLISECONDS
from services.api.webhooks.schemas import Name


class CredentialCreate(BaseModel):
    """A new credential."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)

    name: Name = Field(description="What it is for.", examples=["Billing system"])
    role: Literal["viewer", "administrator", "super_admin"] = Field(
        description="What it may do in this workspace and below; no more than the caller may."
    )
    expires: Annotated[int, Field(ge=0, le=MAX_MILLISECONDS)] | None = Field(
        default=None, description="From when on it opens nothing; UTC, in milliseconds. It never expires without."
    )


class CredentialView(BaseModel):
    """A credential."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: str
    client_id: str = Field(description="Names it at POST /oauth/token.")
    name: str
    workspace_id: str = Field(description="It reaches this workspace and those below.")
    role: Literal["viewer", "administrator", "super_admin", "service"]
    status: Literal["active", "expired", "revoked"]
    created: int = Field(description="UTC, in milliseconds.")
    expires: int | None = Field(description="UTC, in milliseconds.")
    last_used: int | None = Field(description="To the minute; UTC, in milliseconds.")
    revoked: int | None = Field(description="UTC, in milliseconds.")


class CreatedCredential(CredentialView):
    """A credential just created."""

    client_secret: str = Field(description="Shown in this answer only.", repr=False)
