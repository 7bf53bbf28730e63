"""What the dispatcher refuses to be told."""

import pytest

from coro_events.errors import SettingsError
from coro_events.runtime.settings import load
from services.dispatcher.settings import DispatcherSettings
from tests.support.makers import TEST_KEYS

GIVEN = {
    "CORO_ENVIRONMENT": "production",
    "CORO_DATABASE_URL": "postgresql://user:hidden@example.com/coro",
    "CORO_KAFKA_BOOTSTRAP_SERVERS": "example.com:9092",
    "CORO_SECRET_KEYS": TEST_KEYS,
    "CORO_TOKEN_KEYS": TEST_KEYS,
}


def test_defaults_are_the_published_ones() -> None:
    settings = load(DispatcherSettings, GIVEN)
    assert (settings.dispatcher_max_in_flight, settings.dispatcher_max_in_flight_per_webhook) == (256, 16)
    assert (settings.dispatcher_deadline_s, settings.dispatcher_lease_s, settings.dispatcher_drain_s) == (10, 30, 25)
    assert (settings.dispatcher_retry_initial_s, settings.dispatcher_retry_factor) == (60, 8)
    assert settings.ops_port == 9101
    assert settings.networks() == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CORO_DATABASE_URL", "mysql://user:hidden@example.com/coro"),
        ("CORO_ALLOWED_NETWORKS", "127.0.0.0/64"),
        ("CORO_OPS_PORT", "0"),
        ("CORO_DISPATCHER_DEADLINE_S", "soon"),
        ("CORO_DISPATCHER_DEADLINE_S", "0"),
        ("CORO_DISPATCHER_LEASE_S", "10"),
        ("CORO_DISPATCHER_DRAIN_S", "10"),
        ("CORO_DISPATCHER_RETRY_FACTOR", "0.5"),
        ("CORO_DISPATCHER_MAX_IN_FLIGHT", "0"),
        ("CORO_DISPATCHER_MAX_INFLIGHT", "5"),
    ],
)
def test_setting_that_cannot_be_used_is_named(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable) as refused:
        load(DispatcherSettings, {**GIVEN, variable: value})
    assert "hidden" not in str(refused.value)


def test_drain_that_no_attempt_fits_is_refused_by_both_names() -> None:
    given = {**GIVEN, "CORO_DISPATCHER_DEADLINE_S": "25", "CORO_DISPATCHER_DRAIN_S": "25"}
    with pytest.raises(SettingsError, match=r"CORO_DISPATCHER_DRAIN_S .* CORO_DISPATCHER_DEADLINE_S"):
        load(DispatcherSettings, given)
    load(DispatcherSettings, {**given, "CORO_DISPATCHER_DRAIN_S": "25.5"})


@pytest.mark.parametrize("variable", ["CORO_DATABASE_URL", "CORO_KAFKA_BOOTSTRAP_SERVERS", "CORO_SECRET_KEYS"])
def test_missing_setting_is_named(variable: str) -> None:
    given = {name: value for name, value in GIVEN.items() if name != variable}
    with pytest.raises(SettingsError, match=variable):
        load(DispatcherSettings, given)


def test_settings_of_other_processes_are_left_alone() -> None:
    load(DispatcherSettings, {**GIVEN, "CORO_API_ANYTHING": "1"})
