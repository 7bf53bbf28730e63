"""Small decisions of the local stack: last words, names of mails, settings handed down."""

from datetime import UTC, datetime
from pathlib import Path

from deploy.local.keys import Keys
from deploy.local.mail_sink import mail_name
from deploy.local.places import Places
from deploy.local.plan import Plan, settings_for_processes, settings_for_service
from deploy.local.processes import last_telling_line

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PLAN = Plan(
    api_port=1,
    ops_ports={"api": 2, "dispatcher": 3, "scheduler": 4},
    postgres_port=5,
    kafka_port=6,
    controller_port=7,
    receiver_port=8,
    smtp_port=9,
    given_database_url=None,
    given_kafka_bootstrap=None,
)


def test_the_last_line_with_words_is_told_when_frames_surround_it() -> None:
    assert last_telling_line("one\n╭─ Error ─╮\n│ it is taken │\n╰─────────╯\n\n") == "it is taken"
    assert last_telling_line("") == "it wrote nothing"


def test_event_and_error_are_told_when_the_last_line_is_a_services_log() -> None:
    line = '{"event": "task.died", "error": "it broke", "exception": [{"frames": ["long"]}]}\n'
    assert last_telling_line(line) == "task.died: it broke"
    assert last_telling_line("[1, 2]") == "[1, 2]"


def test_the_cause_is_told_when_a_service_logged_its_leaving_after_it() -> None:
    lines = '{"level": "error", "event": "task.died", "error": "why"}\n{"level": "info", "event": "left"}\n'
    assert last_telling_line(lines) == "task.died: why"


def test_the_sentence_stays_short_when_the_last_line_is_long() -> None:
    assert len(last_telling_line("x" * 5000)) < 310


def test_a_mail_keeps_in_its_folder_when_its_recipient_looks_like_a_path() -> None:
    name = mail_name(AT, 7, ["../../etc/x@example.com"])
    assert name == "20260102T030405-0007-.._.._etc_x@example.com.eml"


def test_the_users_settings_win_when_they_are_not_about_servers(tmp_path: Path) -> None:
    given = {"CORO_DISPATCHER_LEASE_S": "5", "CORO_ALLOWED_NETWORKS": "10.0.0.0/8", "CORO_OPS_PORT": "9999"}
    shared = settings_for_processes(
        given, PLAN, Keys(tmp_path), database_url="postgresql://there", kafka_bootstrap="there:9"
    )
    service = settings_for_service(shared, PLAN, "dispatcher")
    assert service["CORO_ALLOWED_NETWORKS"] == "10.0.0.0/8"
    assert service["CORO_DISPATCHER_LEASE_S"] == "5"
    assert (service["CORO_ENVIRONMENT"], service["CORO_OPS_PORT"]) == ("local", "3")
    assert "CORO_OPS_PORT" not in shared


def test_a_second_stack_shares_only_downloads_when_its_folder_is_named(tmp_path: Path) -> None:
    named, usual = Places.named_by({"CORO_LOCAL_DIR": str(tmp_path)}), Places.named_by({})
    assert named.run_file == tmp_path / "run.json"
    assert usual.local.name == ".local"
    assert named.jars == usual.jars
