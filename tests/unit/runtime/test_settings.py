"""Settings: read from what was passed, checked at start, refused with a sentence, shown without secrets."""

from ipaddress import IPv4Network, IPv6Network

import pytest
from pydantic import Field

from coro_events.errors import SettingsError
from coro_events.runtime.settings import LOCAL_SECRET_KEYS, ProcessSettings, describe, load

KEYS = "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
LOCAL = {
    "CORO_ENVIRONMENT": "local",
    "CORO_DATABASE_URL": "postgresql://coro:hidden-word@127.0.0.1:5432/coro",
    "CORO_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
}
PRODUCTION = {**LOCAL, "CORO_ENVIRONMENT": "production", "CORO_SECRET_KEYS": KEYS, "CORO_TOKEN_KEYS": KEYS}


class ApiLikeSettings(ProcessSettings):
    """Settings of a process with variables of its own."""

    ops_port: int = Field(default=9100, ge=1, le=65535, description="Port.")
    api_limit: int = Field(default=5, ge=1, description="A limit.", json_schema_extra={"unit": "seconds"})


def without(environ: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in names}


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        load(ApiLikeSettings, environ)
    return refused.value.detail


def test_settings_are_read_from_the_environment_that_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORO_RETENTION_DAYS", "7")
    settings = load(ApiLikeSettings, {**LOCAL, "CORO_API_LIMIT": "9", "PATH": "/bin"})
    assert settings.api_limit == 9
    assert settings.ops_port == 9100
    assert settings.retention_days == 30, "the process's own environment is not looked at behind our back"
    assert settings.database_url.get_secret_value() == LOCAL["CORO_DATABASE_URL"]


@pytest.mark.parametrize("name", ["CORO_DATABASE_URL", "CORO_KAFKA_BOOTSTRAP_SERVERS"])
def test_start_is_refused_when_a_variable_is_missing(name: str) -> None:
    assert refusal(without(LOCAL, name)) == f"{name}: Field required"


def test_every_wrong_variable_is_named_when_there_are_several() -> None:
    told = refusal({**LOCAL, "CORO_OPS_PORT": "70000", "CORO_RETENTION_DAYS": "soon"})
    assert "CORO_OPS_PORT: " in told
    assert "CORO_RETENTION_DAYS: " in told


def test_start_is_refused_when_a_variable_is_unknown() -> None:
    assert refusal({**LOCAL, "CORO_RETENTION_DAY": "3"}) == "CORO_RETENTION_DAY is not a setting of this process"


def test_start_is_refused_when_a_variable_of_its_own_prefix_is_unknown() -> None:
    assert refusal({**LOCAL, "CORO_API_LIMITS": "3"}) == "CORO_API_LIMITS is not a setting of this process"


def test_variables_of_other_processes_are_left_to_them() -> None:
    others = {"CORO_DISPATCHER_LEASE_S": "x", "CORO_SCHEDULER_INTERVAL_S": "x", "CORO_LOCAL_ANYTHING": "x"}
    assert load(ApiLikeSettings, LOCAL | others) == load(ApiLikeSettings, LOCAL)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CORO_OPS_PORT", "0"),
        ("CORO_OPS_PORT", "65536"),
        ("CORO_RETENTION_DAYS", "0"),
        ("CORO_RETENTION_DAYS", "3651"),
        ("CORO_LOG_LEVEL", "loud"),
        ("CORO_ENVIRONMENT", "prod"),
        ("CORO_ALLOWED_NETWORKS", "10.0.0.0/8,10.0.0.1/8"),
        ("CORO_DATABASE_URL", "mysql://coro:hidden-word@127.0.0.1/coro"),
    ],
)
def test_start_is_refused_when_a_value_is_out_of_bounds(name: str, value: str) -> None:
    told = refusal({**LOCAL, name: value})
    assert told.startswith(f"{name}: ")
    assert "hidden-word" not in told
    assert "Value error" not in told


@pytest.mark.parametrize("environment", ["test", "staging", "production"])
@pytest.mark.parametrize("name", ["CORO_SECRET_KEYS", "CORO_TOKEN_KEYS"])
def test_development_secrets_are_refused_outside_local(environment: str, name: str) -> None:
    expected = f"{name} must be set outside CORO_ENVIRONMENT=local"
    environ = {**PRODUCTION, "CORO_ENVIRONMENT": environment}
    assert refusal(without(environ, name)) == expected
    assert refusal({**environ, name: LOCAL_SECRET_KEYS}) == expected


def test_environment_is_production_when_nobody_says_so() -> None:
    assert load(ApiLikeSettings, without(PRODUCTION, "CORO_ENVIRONMENT")).environment == "production"


def test_secrets_are_masked_when_settings_are_shown() -> None:
    settings = load(ApiLikeSettings, {**PRODUCTION, "CORO_SMTP_URL": "smtp://user:hidden-word@127.0.0.1"})
    shown = settings.masked()
    assert shown["CORO_API_LIMIT"] == 5
    assert {name for name, value in shown.items() if value == "********"} == {
        "CORO_DATABASE_URL",
        "CORO_SECRET_KEYS",
        "CORO_TOKEN_KEYS",
        "CORO_SMTP_URL",
    }
    for text in (str(shown), repr(settings), str(settings)):
        assert "hidden-word" not in text
        assert KEYS not in text


def test_settings_do_not_change_after_the_start() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(ApiLikeSettings, LOCAL).ops_port = 1  # type: ignore[misc] # that is what must fail


def test_networks_are_parsed_when_they_are_asked_for() -> None:
    settings = load(ApiLikeSettings, {**LOCAL, "CORO_ALLOWED_NETWORKS": " 127.0.0.0/8, ::1/128,"})
    assert settings.networks() == [IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")]
    assert load(ApiLikeSettings, LOCAL).networks() == []


def test_table_tells_default_unit_and_description_and_no_secret() -> None:
    rows = {row.variable: row for row in describe(ApiLikeSettings)}
    assert rows["CORO_API_LIMIT"].model_dump() == {
        "variable": "CORO_API_LIMIT",
        "default": "5",
        "unit": "seconds",
        "description": "A limit.",
    }
    assert rows["CORO_DATABASE_URL"].default == "required"
    assert rows["CORO_SECRET_KEYS"].default == "development only"
    assert all(row.description for row in rows.values())
    assert LOCAL_SECRET_KEYS not in str(rows)
