"""What the dispatcher is told by its environment."""

from typing import Self

from pydantic import Field, JsonValue, model_validator

from coro_events.runtime.settings import ProcessSettings

_SECONDS: dict[str, JsonValue] = {"unit": "seconds"}


class DispatcherSettings(ProcessSettings):
    """Settings of `python -m services.dispatcher`."""

    ops_port: int = Field(default=9101, ge=1, le=65535, description="Port of /healthz, /readyz and /metrics.")
    dispatcher_max_in_flight: int = Field(
        default=256, ge=1, le=10_000, description="Attempts under way at once in this process."
    )
    dispatcher_max_in_flight_per_webhook: int = Field(
        default=16, ge=1, le=1_000, description="Attempts under way at once to one webhook."
    )
    dispatcher_max_waiting: int = Field(
        default=2_000, ge=1, le=100_000, description="Claimed deliveries that may wait in memory for a permit."
    )
    dispatcher_deadline_s: float = Field(
        default=10.0,
        gt=0,
        le=120,
        description="Time for one whole exchange: connecting, headers and body.",
        json_schema_extra=_SECONDS,
    )
    dispatcher_lease_s: float = Field(
        default=30.0,
        gt=0,
        le=3_600,
        description="How long a claim holds before another replica may take the delivery.",
        json_schema_extra=_SECONDS,
    )
    dispatcher_retry_initial_s: float = Field(
        default=60.0, gt=0, le=86_400, description="Wait before the second attempt.", json_schema_extra=_SECONDS
    )
    dispatcher_retry_factor: float = Field(
        default=8.0, ge=1, le=100, description="By how much each further wait is longer than the one before."
    )
    dispatcher_drain_s: float = Field(
        default=25.0,
        gt=0,
        le=600,
        description="Time to finish what is in flight after SIGTERM; longer than the deadline of an attempt.",
        json_schema_extra=_SECONDS,
    )
    dispatcher_batch_records: int = Field(
        default=500, ge=1, le=5_000, description="Kafka records planned in one transaction."
    )
    dispatcher_claim_interval_s: float = Field(
        default=0.5,
        gt=0,
        le=60,
        description="How often due deliveries are looked for when there is nothing to wake us.",
        json_schema_extra=_SECONDS,
    )
    dispatcher_group_id: str = Field(
        default="coro-dispatcher", min_length=1, description="Kafka consumer group that all replicas join."
    )

    @model_validator(mode="after")
    def _an_attempt_fits_its_lease(self) -> Self:
        if self.dispatcher_lease_s <= self.dispatcher_deadline_s:
            raise ValueError("CORO_DISPATCHER_LEASE_S must be longer than CORO_DISPATCHER_DEADLINE_S")
        return self

    @model_validator(mode="after")
    def _an_attempt_fits_the_drain(self) -> Self:
        # Otherwise an attempt under way is cut off unrecorded, and whoever takes it next sends it again.
        if self.dispatcher_drain_s <= self.dispatcher_deadline_s:
            raise ValueError("CORO_DISPATCHER_DRAIN_S must be longer than CORO_DISPATCHER_DEADLINE_S")
        return self
