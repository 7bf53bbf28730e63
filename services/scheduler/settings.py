"""What the scheduler is told by its environment."""

from pydantic import Field
from pydantic.config import JsonDict

from coro_events.runtime.settings import ProcessSettings

_SECONDS: JsonDict = {"unit": "seconds"}


class SchedulerSettings(ProcessSettings):
    """Settings of `python -m services.scheduler`."""

    ops_port: int = Field(default=9102, ge=1, le=65535, description="Port of /healthz, /readyz and /metrics.")
    scheduler_interval_s: float = Field(
        default=60.0, gt=0, le=86_400, description="Time between two rounds of chores.", json_schema_extra=_SECONDS
    )
    scheduler_heartbeat_s: float = Field(
        default=2.0,
        gt=0,
        le=60,
        description="How often the lead is sought or confirmed; a waiting scheduler takes over about as fast.",
        json_schema_extra=_SECONDS,
    )
    scheduler_silence_s: float = Field(
        default=15.0,
        gt=0,
        le=600,
        description="How long a leader may say nothing before the database gives its place away.",
        json_schema_extra=_SECONDS,
    )
    scheduler_chore_limit_s: float = Field(
        default=300.0, gt=0, le=86_400, description="How long one chore may take.", json_schema_extra=_SECONDS
    )
    scheduler_chore_patience: int = Field(
        default=3, ge=1, le=1_000, description="Failures in a row after which a chore fails /healthz."
    )
    scheduler_lock_s: float = Field(
        default=0.25,
        gt=0,
        le=10,
        description="How long a change of partitions may wait for a table, and others behind it.",
        json_schema_extra=_SECONDS,
    )
    scheduler_drain_s: float = Field(
        default=10.0,
        gt=0,
        le=600,
        description="Time to finish the chore at hand after SIGTERM.",
        json_schema_extra=_SECONDS,
    )
