"""What the scheduler's command line takes and refuses, before anything is connected."""

import json
from datetime import UTC, datetime

import pytest

from services.scheduler.__main__ import main, parse_time

ENVIRON = {
    "CORO_ENVIRONMENT": "local",
    "CORO_DATABASE_URL": "postgresql://coro:hidden-word@127.0.0.1:1/coro",
    "CORO_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
}
KEYS = "k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-02T10:00:00Z", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ("2026-03-02T10:00:00+02:00", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("2026-03-02T10:00", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ("2026-03-02", datetime(2026, 3, 2, tzinfo=UTC)),
    ],
)
def test_time_is_utc_when_it_names_no_offset(text: str, time: datetime) -> None:
    assert parse_time(text) == time


def test_run_is_refused_when_the_time_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--now", "tomorrow"], ENVIRON)
    assert left.value.code == 2
    assert "'tomorrow' is not an ISO time such as 2026-03-02T10:00:00Z" in capsys.readouterr().err


def test_settings_are_printed_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--print-settings"], ENVIRON | {"CORO_SMTP_URL": "smtps://coro:hidden-word@mail.example.com"}) == 0
    printed = capsys.readouterr().out
    shown = json.loads(printed)
    assert shown["CORO_OPS_PORT"] == 9102
    assert shown["CORO_SCHEDULER_INTERVAL_S"] == 60
    assert shown["CORO_DATABASE_URL"] == shown["CORO_SMTP_URL"] == "********"
    assert "hidden-word" not in printed


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"CORO_SCHEDULER_INTERVAL_S": "0"}, "CORO_SCHEDULER_INTERVAL_S: Input should be greater than 0"),
        ({"CORO_SCHEDULER_INTERVALS": "9"}, "CORO_SCHEDULER_INTERVALS is not a setting of this process"),
        ({"CORO_ENVIRONMENT": "production"}, "CORO_SECRET_KEYS must be set outside CORO_ENVIRONMENT=local"),
        ({"CORO_SCHEDULER_MAIL_FROM": "Coro Webhooks"}, "CORO_SCHEDULER_MAIL_FROM: must hold an address"),
        ({"CORO_SMTP_URL": "http://hidden-word@mail.example.com"}, "CORO_SMTP_URL must be smtp://user:password@host"),
        (
            {
                "CORO_ENVIRONMENT": "production",
                "CORO_SECRET_KEYS": KEYS,
                "CORO_TOKEN_KEYS": KEYS,
                "CORO_SMTP_URL": "smtps://coro:hidden-word@mail.example.com",
            },
            "CORO_SCHEDULER_MAIL_FROM must be set outside CORO_ENVIRONMENT=local",
        ),
        ({"CORO_DATABASE_URL": "mysql://127.0.0.1/coro"}, "CORO_DATABASE_URL: must begin with postgresql://"),
    ],
)
def test_start_is_refused_when_a_setting_is_wrong(
    capsys: pytest.CaptureFixture[str], changes: dict[str, str], sentence: str
) -> None:
    assert main([], ENVIRON | changes) == 2
    written = capsys.readouterr().err
    assert sentence in written
    assert "hidden-word" not in written
    assert written.count("\n") == 1


def test_future_is_refused_when_the_data_is_real(capsys: pytest.CaptureFixture[str]) -> None:
    environ = ENVIRON | {"CORO_ENVIRONMENT": "production", "CORO_SECRET_KEYS": KEYS, "CORO_TOKEN_KEYS": KEYS}
    assert main(["--once", "--now", "2999-01-01"], environ) == 2
    assert "--now must not be in the future" in capsys.readouterr().err
