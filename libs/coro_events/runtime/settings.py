"""Settings that every process has, and the one way to load them.

Each field is the environment variable CORO_<FIELD NAME>. Its `unit` and description make the table in
docs/operations.md; a secret's value never reaches a log or an error.
"""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from coro_events.errors import SettingsError
from coro_events.runtime.keys import parse_keys

PREFIX = "CORO_"

# Variables of one process alone; the other processes neither read nor refuse them.
PROCESS_PREFIXES = ("CORO_API_", "CORO_DISPATCHER_", "CORO_OIDC_", "CORO_SCHEDULER_", "CORO_LOCAL_")

# Known to everybody who can read the source, so good for a laptop and for nothing else.
LOCAL_SECRET_KEYS = "local:bG9jYWwtZGV2ZWxvcG1lbnQta2V5LW5vdC1zZWNyZXQ="  # noqa: S105 - refused outside local


class ProcessSettings(BaseSettings):
    """What every process is told by its environment."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True, hide_input_in_errors=True)

    environment: Literal["local", "test", "staging", "production"] = Field(
        default="production", description="Where this runs; local alone accepts development secrets."
    )
    database_url: SecretStr = Field(description="PostgreSQL, as postgresql://user:password@host:port/database.")
    kafka_bootstrap_servers: str = Field(description="Kafka brokers, host:port, comma separated.")
    kafka_topic_prefix: str = Field(
        default="",
        pattern=r"^[a-zA-Z0-9._-]{0,100}$",
        description="Put in front of every topic's name, for shared clusters.",
    )
    secret_keys: SecretStr = Field(
        default=SecretStr(LOCAL_SECRET_KEYS),
        description="Keys that encrypt webhook secrets at rest, id:base64-of-32-bytes,…; the first encrypts.",
    )
    token_keys: SecretStr = Field(
        default=SecretStr(LOCAL_SECRET_KEYS),
        description="Keys that sign access tokens, id:base64-of-32-bytes, comma separated; the first signs.",
    )
    smtp_url: SecretStr | None = Field(
        default=None, description="Mail server, smtp://user:password@host:port or smtps://."
    )
    console_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s@/]+$",
        description="Where browsers reach the console, such as https://webhooks.example.com; as asked for without.",
    )
    allowed_networks: str = Field(
        default="",
        description="Networks (CIDR, comma separated) that may be called although they are not public.",
    )
    ops_host: str = Field(default="127.0.0.1", description="Address of /healthz, /readyz and /metrics.")
    ops_port: int = Field(ge=1, le=65535, description="Port of /healthz, /readyz and /metrics.")
    retention_days: int = Field(
        default=30,
        ge=1,
        le=3650,
        description="How long events, deliveries and attempts are kept.",
        json_schema_extra={"unit": "days"},
    )
    otlp_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s@]+$",
        description="Where OpenTelemetry spans go, OTLP over HTTP, such as http://collector:4318; none without.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe log line that is written."
    )

    @field_validator("database_url")
    @classmethod
    def _database_is_postgresql(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        return value

    @field_validator("allowed_networks")
    @classmethod
    def _networks_parse(cls, value: str) -> str:
        for entry in filter(None, (part.strip() for part in value.split(","))):
            ip_network(entry)
        return value

    @field_validator("secret_keys", "token_keys")
    @classmethod
    def _keys_parse(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        try:
            parse_keys(value.get_secret_value(), setting=f"{PREFIX}{(info.field_name or '').upper()}")
        except SettingsError as error:
            raise ValueError(error.detail) from None
        return value

    @model_validator(mode="after")
    def _no_local_secrets_elsewhere(self) -> Self:
        for name in ("secret_keys", "token_keys"):
            secret: SecretStr = getattr(self, name)
            if self.environment != "local" and secret.get_secret_value() == LOCAL_SECRET_KEYS:
                raise ValueError(f"{PREFIX}{name.upper()} must be set outside CORO_ENVIRONMENT=local")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `load` was given and nothing behind its back."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    def networks(self) -> list[IPv4Network | IPv6Network]:
        """Return the networks of `allowed_networks`."""
        return [ip_network(entry.strip()) for entry in self.allowed_networks.split(",") if entry.strip()]

    def masked(self) -> dict[str, object]:
        """Return the effective settings with every secret replaced by stars."""
        shown: dict[str, object] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            shown[f"{PREFIX}{name.upper()}"] = "********" if isinstance(value, SecretStr) else value
        return shown


SettingsType = TypeVar("SettingsType", bound=ProcessSettings)


def load(kind: type[SettingsType], environ: Mapping[str, str]) -> SettingsType:
    """Read a process's settings from its environment.

    Raises:
        SettingsError: A variable is missing, unknown or out of bounds; the message names it.
    """
    names = {f"{PREFIX}{name.upper()}": name for name in kind.model_fields}
    given = {key.upper(): value for key, value in environ.items() if key.upper().startswith(PREFIX)}
    own = [prefix for prefix in PROCESS_PREFIXES if any(name.startswith(prefix) for name in names)]
    for variable in sorted(given):
        foreign = variable.startswith(PROCESS_PREFIXES) and not variable.startswith(tuple(own))
        if variable not in names and not foreign:
            raise SettingsError(f"{variable} is not a setting of this process")
    values: dict[str, Any] = {names[variable]: value for variable, value in given.items() if variable in names}
    try:
        # From the mapping alone: what the caller passes is all there is.
        return kind.model_validate(values)
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(item["loc"], item["msg"]) for item in error.errors())) from None


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    return f"{PREFIX}{str(location[0]).upper()}: {message}" if location else message


class SettingRow(BaseModel):
    """One line of the table of settings in docs/operations.md."""

    variable: str
    default: str
    unit: str
    description: str


def describe(kind: type[ProcessSettings]) -> list[SettingRow]:
    """Return the table of a process's settings; the defaults of secrets are not shown."""
    rows = []
    for name, field in kind.model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        default = "required" if field.is_required() else str(field.default)
        if isinstance(field.default, SecretStr):
            default = "development only"
        rows.append(
            SettingRow(
                variable=f"{PREFIX}{name.upper()}",
                default=default,
                unit=str(extra.get("unit", "")),
                description=field.description or "",
            )
        )
    return rows
