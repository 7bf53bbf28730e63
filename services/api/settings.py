"""What only the config service is told by its environment."""

from datetime import timedelta
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic.config import JsonDict

from coro_events.runtime.clock import Clock
from coro_events.runtime.settings import ProcessSettings
from services.api.limits import Buckets
from services.api.sessions.openid import Client
from services.api.sessions.service import Life

SECONDS: JsonDict = {"unit": "s"}


class ApiSettings(ProcessSettings):
    """Settings of the config service."""

    ops_port: int = Field(default=9100, ge=1, le=65535, description="Port of /healthz, /readyz and /metrics.")
    api_host: str = Field(default="127.0.0.1", description="Address of the REST API and the console.")
    api_port: int = Field(default=8080, ge=1, le=65535, description="Port of the REST API and the console.")
    api_pool_size: int = Field(
        default=8,
        ge=2,
        le=100,
        description="Connections to PostgreSQL, half of them for reading alone; the outbox relay has one more.",
    )
    api_token_life_s: int = Field(
        default=86_400, ge=60, le=604_800, description="How long an access token is good.", json_schema_extra=SECONDS
    )
    api_audiences: str = Field(
        default="",
        description="The `audience` values that POST /oauth/token accepts, comma separated; empty accepts any.",
    )
    api_test_wait_s: float = Field(
        default=12,
        ge=0,
        le=60,
        description="How long a call that tests a webhook waits for the receiver's answer.",
        json_schema_extra=SECONDS,
    )
    api_requests_per_s: float = Field(
        default=100,
        ge=0,
        le=100_000,
        description="Requests a second that each process answers to one credential; 0 sets no limit.",
    )
    api_requests_burst: int = Field(
        default=200, ge=1, le=1_000_000, description="Requests that a credential may save up for a burst."
    )
    api_request_limit_s: float = Field(
        default=30,
        ge=1,
        le=600,
        description="How long a request may go without progress, beyond the wait for a test.",
        json_schema_extra=SECONDS,
    )
    api_allow_http: bool = Field(
        default=False, description="Accept http:// URLs of webhooks; CORO_ENVIRONMENT=local always does."
    )
    api_relay_poll_s: float = Field(
        default=0.5,
        gt=0,
        le=60,
        description="How often the outbox is looked at when nobody rings.",
        json_schema_extra=SECONDS,
    )
    api_session_idle_s: int = Field(
        default=7_200,
        ge=60,
        le=604_800,
        description="How long a session of the console lasts without a request.",
        json_schema_extra=SECONDS,
    )
    api_session_life_s: int = Field(
        default=43_200,
        ge=60,
        le=2_592_000,
        description="How long a session of the console lasts at all.",
        json_schema_extra=SECONDS,
    )
    oidc_issuer: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s@]+$",
        description="OpenID provider that people may sign in at, as its tokens name it; none without.",
    )
    oidc_client_id: str = Field(default="", description="What the OpenID provider knows the console by.")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="The console's secret at the OpenID provider."
    )
    api_drain_s: float = Field(
        default=20,
        ge=1,
        le=300,
        description="How long requests and the outbox relay may finish after SIGTERM.",
        json_schema_extra=SECONDS,
    )

    @model_validator(mode="after")
    def _openid_is_whole(self) -> Self:
        if self.oidc_issuer is None:
            return self
        if not self.oidc_client_id or self.oidc_client_secret is None:
            raise ValueError("CORO_OIDC_CLIENT_ID and CORO_OIDC_CLIENT_SECRET must be set beside CORO_OIDC_ISSUER")
        if self.environment in {"staging", "production"} and not self.oidc_issuer.startswith("https://"):
            raise ValueError("CORO_OIDC_ISSUER must begin with https:// outside CORO_ENVIRONMENT=local")
        return self

    def session_life(self) -> Life:
        """Return how long sessions of the console last."""
        return Life(idle=timedelta(seconds=self.api_session_idle_s), whole=timedelta(seconds=self.api_session_life_s))

    def openid_client(self) -> Client | None:
        """Return what the OpenID provider knows us by; none where there is no provider."""
        if self.oidc_issuer is None or self.oidc_client_secret is None:
            return None
        return Client(self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret.get_secret_value())

    def console_origin(self) -> str | None:
        """Return where forms must come from; none where any name of this machine is good, as on a laptop."""
        return None if self.environment == "local" else self.console_url

    def has_https(self) -> bool:
        """Return whether browsers reach the console over https: everywhere but on a laptop and in tests."""
        if self.console_url is not None:
            return self.console_url.startswith("https://")
        return self.environment in {"staging", "production"}

    def requests(self, clock: Clock) -> Buckets | None:
        """Return what bounds the requests of a credential; none where there is no limit."""
        if self.api_requests_per_s == 0:
            return None
        return Buckets(rate_per_s=self.api_requests_per_s, burst=self.api_requests_burst, clock=clock)

    def allows_http(self) -> bool:
        """Return whether webhooks may have http:// URLs."""
        return self.api_allow_http or self.environment == "local"

    def audiences(self) -> frozenset[str]:
        """Return the accepted audiences; none means any."""
        return frozenset(filter(None, (part.strip() for part in self.api_audiences.split(","))))
