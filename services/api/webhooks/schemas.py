"""What travels: webhook configurations as clients write and read them."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo
from pydantic.alias_generators import to_camel

from services.api.webhooks.rules import (
    MASK,
    MAX_DESCRIPTION_CHARACTERS,
    MAX_HEADERS,
    MAX_NAME_CHARACTERS,
    MAX_SECRET_CHARACTERS,
    MAX_URL_CHARACTERS,
    MIN_SECRET_CHARACTERS,
    BodyRules,
    fault_in_description,
    fault_in_header_name,
    fault_in_header_value,
    fault_in_line,
    fault_in_secret,
    fault_in_trigger,
    fault_in_triggers,
    fault_in_url,
    repeated,
)

# More than all triggers of a few versions; the rules then say what is wrong with them.
MAX_TRIGGERS = 50


def _checked(fault_in: Callable[[str], str | None]) -> AfterValidator:
    def check(value: str) -> str:
        if fault := fault_in(value):
            raise ValueError(fault)
        return value

    return AfterValidator(check)


def _rules(info: ValidationInfo) -> BodyRules:
    return info.context if isinstance(info.context, BodyRules) else BodyRules()


def _check_url(value: str, info: ValidationInfo) -> str:
    rules = _rules(info)
    if fault := fault_in_url(value, allow_http=rules.allow_http, allowed=rules.allowed_networks):
        raise ValueError(fault)
    return value


def _check_trigger(value: str, info: ValidationInfo) -> str:
    rules = _rules(info)
    if fault := fault_in_trigger(value, rules.versions, rules.closed):
        raise ValueError(fault)
    return value


def _check_triggers(value: list[str]) -> list[str]:
    if fault := fault_in_triggers(value):
        raise ValueError(fault)
    return value


def _check_names(value: dict[str, str]) -> dict[str, str]:
    if repeated(value):
        raise ValueError("must not name a header twice; upper and lower case are the same")
    return value


def _no_mask(value: str) -> str:
    if value == MASK:
        raise ValueError("must not be the mask; there is no stored value to keep")
    return value


Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARACTERS), _checked(fault_in_line)]
Description = Annotated[str, Field(max_length=MAX_DESCRIPTION_CHARACTERS), _checked(fault_in_description)]
Url = Annotated[str, Field(min_length=1, max_length=MAX_URL_CHARACTERS), AfterValidator(_check_url)]
Secret = Annotated[
    str, Field(min_length=MIN_SECRET_CHARACTERS, max_length=MAX_SECRET_CHARACTERS), _checked(fault_in_secret)
]
HeaderName = Annotated[str, _checked(fault_in_header_name)]
HeaderValue = Annotated[str, _checked(fault_in_header_value)]
Headers = Annotated[dict[HeaderName, HeaderValue], Field(max_length=MAX_HEADERS), AfterValidator(_check_names)]
NewHeaders = Annotated[
    dict[HeaderName, Annotated[HeaderValue, AfterValidator(_no_mask)]],
    Field(max_length=MAX_HEADERS),
    AfterValidator(_check_names),
]
Triggers = Annotated[
    list[Annotated[str, AfterValidator(_check_trigger)]],
    Field(min_length=1, max_length=MAX_TRIGGERS, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_check_triggers),
]

_TRIGGERS_TEXT = "What sets it off, each with its version, all of one version."
_HEADERS_TEXT = "Sent along with every delivery, for example to authorize it."


class _Written(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True)


class WebhookCreate(_Written):
    """A new webhook."""

    name: Name
    description: Description = ""
    apply_to_all_descendants: bool = Field(description="Also tell what happens in the workspaces below this one.")
    url: Url = Field(description="Where deliveries go; https.", examples=["https://billing.example.com/coro"])
    secret: Annotated[Secret, AfterValidator(_no_mask)] = Field(description="Signs the deliveries.", repr=False)
    headers: NewHeaders = Field(
        default_factory=dict,
        description=_HEADERS_TEXT,
        examples=[{"Authorization": "Bearer of-your-receiver"}],
        repr=False,
    )
    triggers: Triggers = Field(description=_TRIGGERS_TEXT, examples=[["workspaceCreated.v1"]])


class WebhookUpdate(_Written):
    """A webhook as it shall be from now on; what may be left out stays as it is."""

    name: Name
    description: Description | None = None
    apply_to_all_descendants: bool
    url: Url
    secret: Secret | None = Field(default=None, description="The mask keeps the stored one.", repr=False)
    headers: Headers | None = Field(default=None, description="A mask as value keeps the stored one.", repr=False)
    triggers: Triggers = Field(description=_TRIGGERS_TEXT)
    status: Literal["enabled", "disabled", "draft", "expired"] | None = None
    # What an answer holds beyond, so that an answer can be edited and sent back. The first three say which webhook
    # it is, so they must be right; the rest is ours to write and is not looked at.
    id: str | None = None
    workspace_id: str | None = None
    version: int | None = None
    created: Any = None
    updated: Any = None
    expires: Any = None
    draft_of: Any = None
    replaced_by: Any = None
    replaces: Any = None
    shadow_url: Any = None
    disabled_reason: Any = None
    last_delivery: Any = None
    previous_secret_expires: Any = None
    last_test: Any = None
    test: Any = None


class SecretRotation(_Written):
    """A new secret for a webhook."""

    secret: Annotated[Secret, AfterValidator(_no_mask)] | None = Field(
        default=None, description="A random one is made if it is left out.", repr=False
    )
    overlap_hours: int = Field(
        default=24, ge=0, le=168, description="How long the present secret also signs `webhook-signature`."
    )


class _Read(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class LastDelivery(_Read):
    """The latest delivery of an event."""

    id: str = Field(description="The hook id.")
    state: str
    attempts: int
    created: int = Field(description="UTC, in milliseconds.")
    finished: int | None = Field(description="UTC, in milliseconds; null while it is pending.")


class TestResponse(_Read):
    """What the receiver answered to a test."""

    __test__ = False  # The name begins with "Test", yet it is none for pytest.

    head: str | None
    body: str | None


class TestView(_Read):
    """A test of a webhook."""

    __test__ = False  # The name begins with "Test", yet it is none for pytest.

    id: str = Field(description="The hook id of the test delivery.")
    state: Literal["pending", "delivered", "failed"]
    started: int | None = Field(default=None, description="UTC, in milliseconds.")
    outcome: str | None = None
    status_code: int | None = None
    duration_ms: int | None = None
    error: str | None = None
    response: TestResponse | None = None


class PendingTest(_Read):
    """A test that was asked for."""

    id: str
    state: Literal["pending"] = "pending"


class WebhookView(_Read):
    """A webhook."""

    id: str
    name: str
    workspace_id: str
    status: Literal["enabled", "disabled", "draft", "expired"]
    description: str
    apply_to_all_descendants: bool
    url: str
    secret: str = Field(
        description="In the clear in the answers to create and to rotate, a mask from then on.", repr=False
    )
    headers: dict[str, str] = Field(description="The values are masked.")
    triggers: list[str]
    created: int = Field(description="UTC, in milliseconds.")
    updated: int = Field(description="UTC, in milliseconds.")
    version: int
    expires: int | None = Field(description="When its version ends; UTC, in milliseconds.")
    draft_of: str | None = Field(description="Of a draft: the webhook that it takes over from when it is published.")
    replaced_by: str | None = Field(description="The webhook that took over from this one, until it is switched back.")
    replaces: str | None = Field(description="The webhook that this one took over from, when it was published.")
    shadow_url: str | None = Field(description="Of a draft: where events are sent in its format, to try it out.")
    disabled_reason: str | None
    last_delivery: LastDelivery | None
    previous_secret_expires: int | None = Field(
        description="Until when the secret before the last rotation also signs; UTC, in milliseconds."
    )


class CreatedWebhook(WebhookView):
    """A webhook just created, and the test that was asked for at once."""

    test: PendingTest


class WebhookDetails(WebhookView):
    """A webhook and its latest test."""

    last_test: TestView | None
