"""What the scheduler is told by its environment."""

from email.utils import parseaddr
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic.config import JsonDict

from coro_events.runtime.settings import ProcessSettings

_SECONDS: JsonDict = {"unit": "seconds"}

# Nobody's address, so good for a laptop and for nothing else.
_LOCAL_SENDER = "Coro Webhooks <webhooks@localhost>"


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
    scheduler_batch_webhooks: int = Field(
        default=500, ge=1, le=10_000, description="Webhooks that take a step of their sunset in one transaction."
    )
    scheduler_mail_from: str = Field(
        default=_LOCAL_SENDER,
        max_length=320,
        description="Sender of mails: an address, or a name and then the address in angle brackets.",
    )
    scheduler_mails_per_s: float = Field(
        default=10.0, gt=0, le=1_000, description="Mails a second at the most, as many as the mail server allows."
    )
    scheduler_mail_answer_s: float = Field(
        default=30.0,
        gt=0,
        le=600,
        description="How long the mail server may take for each answer.",
        json_schema_extra=_SECONDS,
    )

    @field_validator("scheduler_mail_from")
    @classmethod
    def _sender_has_an_address(cls, value: str) -> str:
        local, _, domain = parseaddr(value)[1].rpartition("@")
        if not local or not domain or not value.isprintable():
            raise ValueError("must hold an address, such as Coro Webhooks <no-reply@example.com>")
        return value

    @model_validator(mode="after")
    def _no_local_sender_elsewhere(self) -> Self:
        if self.smtp_url is not None and self.environment != "local" and self.scheduler_mail_from == _LOCAL_SENDER:
            raise ValueError("CORO_SCHEDULER_MAIL_FROM must be set outside CORO_ENVIRONMENT=local")
        return self
