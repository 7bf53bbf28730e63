"""What travels when a client signs in, as published."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _is_printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must not hold control characters")
    return value


Word = Annotated[str, Field(min_length=1, max_length=2048), AfterValidator(_is_printable)]


class TokenRequest(BaseModel):
    """A client asks for an access token."""

    model_config = ConfigDict(extra="forbid", strict=True)

    client_id: Word
    client_secret: Annotated[Word, Field(repr=False)]
    audience: Word = Field(description="The URL of the API.")
    grant_type: Word = Field(description="Always `client_credentials`.", examples=["client_credentials"])


class TokenResponse(BaseModel):
    """An access token."""

    access_token: str = Field(repr=False)
    token_type: str = Field(default="Bearer", examples=["Bearer"])
    expires_in: int = Field(description="In seconds.", examples=[86_400])
