"""Every command explains itself and refuses in one sentence."""

import json
from pathlib import Path

import pytest

from coro_events.cli import places, told
from coro_events.contract.data import DATA_MODELS
from coro_events.contract.triggers import Trigger
from tests.unit.cli.running import refused, run

COMMANDS = [
    ("events", "emit"),
    ("events", "validate"),
    ("events", "types"),
    ("events", "redrive"),
    ("receiver", "listen"),
    ("receiver", "verify"),
    ("topics", "create"),
    ("workspaces", "create"),
    ("workspaces", "list"),
    ("credentials", "create"),
    ("users", "create"),
]
CREDENTIAL = ("credentials", "create", "--name", "n", "--workspace", "w", "--role", "viewer")
EMIT = ("events", "emit", "workspace-created", "--workspace", "w1")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_explains_itself(command: tuple[str, ...]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "Usage: " in result.output


def test_an_unknown_command_is_a_wrong_use() -> None:
    assert run("evnts").exit_code == told.USAGE


def test_types_are_listed_for_programs_and_for_people() -> None:
    lines = [json.loads(line) for line in run("events", "types", "--json").output.splitlines()]
    assert [line["type"] for line in lines] == list(Trigger)
    assert lines[0]["trigger"] == "workspaceCreated.v1"
    people = run("events", "types").output
    assert all(trigger.value in people for trigger in Trigger)


@pytest.mark.parametrize(
    "command",
    [
        (*EMIT, "--example"),
        ("topics", "create"),
        ("events", "redrive"),
    ],
    ids=" ".join,
)
def test_a_command_names_the_variable_when_nobody_says_where_kafka_is(command: tuple[str, ...]) -> None:
    sentence = refused(*command)
    assert sentence == "CORO_KAFKA_BOOTSTRAP_SERVERS is not set and there is no .local/run.json in this folder."


def test_a_command_names_the_variable_when_nobody_says_where_the_database_is() -> None:
    assert "CORO_DATABASE_URL is not set" in refused("workspaces", "list")


@pytest.mark.parametrize(
    ("text", "reason"), [("{", "is not JSON"), ("[]", "has no database_url"), ('{"a":1}', "has no database_url")]
)
def test_a_command_tells_when_the_file_of_the_running_stack_is_unusable(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local/run.json").write_text(text, encoding="utf-8")
    assert reason in refused("workspaces", "list")


def test_the_running_stack_is_found_and_the_environment_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local/run.json").write_text('{"database_url": "mysql://noted"}', encoding="utf-8")
    assert refused("workspaces", "list") == "CORO_DATABASE_URL must begin with postgresql://."
    assert places.database_url() == "mysql://noted"
    monkeypatch.setenv("CORO_DATABASE_URL", "postgresql://given")
    assert places.database_url() == "postgresql://given"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (EMIT, "exactly one of --data, --data-file and --example"),
        ((*EMIT, "--example", "--data", "{}"), "exactly one of"),
        ((*EMIT, "--data", "{"), "the data is not JSON"),
        ((*EMIT, "--data", "[" * 100_000), "the data is not JSON"),
        ((*EMIT, "--data", "[]"), "the data must be a JSON object"),
        ((*EMIT, "--example", "--time", "yesterday"), "--time: must be an RFC 3339 time"),
        (("events", "emit", "workspace.created", "--workspace", "w", "--example"), "TYPE is not an event type"),
        (("workspaces", "create", "a\tb", "--type", "channel", "--display-name", "n"), "ID: must not hold control"),
        (("workspaces", "create", "w", "--type", "child", "--display-name", "n"), "a child workspace needs --parent"),
        (
            ("workspaces", "create", "w", "--type", "channel", "--display-name", "n", "--parent", "w"),
            "cannot be its own parent",
        ),
        (
            (*CREDENTIAL, "--expires-at", "2020-01-01T00:00:00Z"),
            "--expires-at is in the past",
        ),
    ],
)  # fmt: skip
def test_a_wrong_use_is_told_in_one_sentence(arguments: tuple[str, ...], reason: str) -> None:
    assert reason in refused(*arguments, code=told.USAGE)


@pytest.mark.parametrize("servers", ["nonsense:", "a:b", "a:1,,b:2", " ", "http://kafka:9092"])
def test_brokers_are_refused_when_they_are_no_list(monkeypatch: pytest.MonkeyPatch, servers: str) -> None:
    monkeypatch.setenv("CORO_KAFKA_BOOTSTRAP_SERVERS", servers)
    assert refused("topics", "create") == "CORO_KAFKA_BOOTSTRAP_SERVERS must be host:port, comma separated."


def test_brokers_may_be_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORO_KAFKA_BOOTSTRAP_SERVERS", "kafka-1:9092, kafka-2:9092,[::1]:9092")
    assert places.kafka_bootstrap().count(",") == 2


def test_a_missing_file_is_named() -> None:
    assert refused(*EMIT, "--data-file", "absent.json") == "No such file or directory: absent.json."


def test_a_file_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_bytes(b"\xff")
    assert refused(*EMIT, "--data-file", "data.json") == "data.json is not UTF-8."


@pytest.mark.parametrize(("email", "code"), [("nobody", 2), ("a@b@c", 2), ("@b", 2), ("a@", 2)])
def test_an_address_is_refused_when_it_is_none(tmp_path: Path, email: str, code: int) -> None:
    (tmp_path / "password").write_text("long enough", encoding="utf-8")
    command = ("users", "create", email, "--workspace", "w", "--role", "viewer", "--password-file", "password")
    assert refused(*command, code=code) == "EMAIL is no mail address."


def test_a_password_is_refused_when_it_is_short_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("short\n", encoding="utf-8")
    command = ("users", "create", "a@b.example", "--workspace", "w", "--role", "viewer", "--password-file", "password")
    assert refused(*command) == "a password must have 8 to 256 characters."


def record_line(**changes: object) -> str:
    trigger = Trigger.PROTECTED_USERS_COUNT_UPDATED
    data = DATA_MODELS[trigger].example().model_dump(mode="json", by_alias=True)
    whole = {"specversion": "1.0", "id": "1", "source": "s", "type": trigger.value, "subject": "w", "data": data}
    return json.dumps({**whole, **changes})


@pytest.mark.parametrize(
    "text", [record_line(), f"{record_line()}\n\n{record_line()}\n", f"[{record_line()}, {record_line()}]"]
)
def test_valid_records_pass_whether_one_an_array_or_lines(text: str) -> None:
    result = run("events", "validate", "-", "--json", stdin=text)
    assert result.exit_code == 0
    assert all(json.loads(line)["valid"] for line in result.stdout.splitlines())


def test_an_invalid_record_is_named_by_number_and_reason(tmp_path: Path) -> None:
    text = f"{record_line()}\nnonsense\n{record_line(data={'protectedCount': -1})}\n"
    (tmp_path / "records").write_text(text, encoding="utf-8")
    result = run("events", "validate", "records")
    assert result.exit_code == 1
    first, second, third = result.stdout.splitlines()
    assert first == "record 1: valid"
    assert "value: must be JSON" in second
    assert "data.protectedCount" in third
    assert result.stderr == "2 of 3 would be rejected.\n"


def test_no_records_are_told(tmp_path: Path) -> None:
    (tmp_path / "records").write_text("\n", encoding="utf-8")
    assert refused("events", "validate", "records") == "there are no records."


def test_what_others_wrote_cannot_move_the_cursor() -> None:
    assert told.plain("a\x1b[2Jb\r\nc\u202ed") == "a?[2Jb??c?d"
