"""What only the config service is told by its environment."""

from pydantic import Field
from pydantic.config import JsonDict

from coro_events.runtime.clock import Clock
from coro_events.runtime.settings import ProcessSettings
from services.api.limits import Buckets

SECONDS: JsonDict = {"unit": "s"}


class ApiSettings(ProcessSettings):
    """Settings of the config service."""

    ops_port: int = Field(default=9100, ge=1, le=65535, description="Port of /healthz, /readyz and /metrics.")
    api_host: str = Field(default="127.0.0.1", description="Address of the REST API and the console.")
    api_port: int = Field(default=8080, ge=1, le=65535, description="Port of the REST API and the console.")
    api_pool_size: int = Field(
        default=8, ge=1, le=100, description="Connections to PostgreSQL; the outbox relay has one more of its own."
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
    api_drain_s: float = Field(
        default=20,
        ge=1,
        le=300,
        description="How long requests and the outbox relay may finish after SIGTERM.",
        json_schema_extra=SECONDS,
    )

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
