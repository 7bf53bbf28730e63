"""What the process says when it cannot start, and what it shows of its settings."""

import json

import pytest

from coro_events.runtime.settings import load
from services.api.__main__ import main
from services.api.settings import ApiSettings

ENVIRONMENT = {
    "CORO_ENVIRONMENT": "local",
    "CORO_DATABASE_URL": "postgresql://coro:hush@127.0.0.1/coro",
    "CORO_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set what the process needs."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_settings_are_shown_without_secrets(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.setenv("CORO_API_PORT", "18080")

    assert main(["--print-settings"]) == 0

    shown = json.loads(capsys.readouterr().out)
    assert shown["CORO_API_PORT"] == 18080
    assert shown["CORO_API_TEST_WAIT_S"] == 12
    assert shown["CORO_OPS_PORT"] == 9100
    assert shown["CORO_DATABASE_URL"] == "********"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CORO_API_PORT", "0"),
        ("CORO_API_TEST_WAIT_S", "-1"),
        ("CORO_API_COLOUR", "red"),
    ],
)
def test_start_is_refused_in_one_sentence_when_a_setting_is_wrong(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str
) -> None:
    environment.setenv(variable, value)

    assert main([]) == 2

    told = capsys.readouterr().err
    assert variable in told
    assert told.count("\n") == 1
    assert "hush" not in told


def test_start_is_refused_when_an_argument_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--colour"]) == 2
    assert "usage" in capsys.readouterr().err


def test_http_urls_are_allowed_when_it_is_local_or_said_so() -> None:
    keys = dict.fromkeys(("CORO_SECRET_KEYS", "CORO_TOKEN_KEYS"), "k:" + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=")
    production = ENVIRONMENT | keys | {"CORO_ENVIRONMENT": "production"}

    assert load(ApiSettings, ENVIRONMENT).allows_http()
    assert not load(ApiSettings, production).allows_http()
    assert load(ApiSettings, production | {"CORO_API_ALLOW_HTTP": "true"}).allows_http()
    assert load(ApiSettings, ENVIRONMENT | {"CORO_API_AUDIENCES": "a, b,"}).audiences() == {"a", "b"}
