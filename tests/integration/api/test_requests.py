"""What cannot be read is refused as a problem, whatever it is; and every request is told in one line."""

import json

import httpx
import pytest
import structlog
from sqlalchemy import text
from structlog.testing import capture_logs

from coro_events.store.unit import Database
from services.api.bodies import MAX_BODY_BYTES
from tests.integration.api.calls import WEBHOOKS, Api
from tests.unit.api.bodies import make_body

JSON = {"Content-Type": "application/json"}


def is_problem(answer: httpx.Response, status: int) -> bool:
    """Return whether an answer is a whole problem of that status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) >= {"type", "title", "status", "detail", "errors", "traceId"}
    assert answer.json()["traceId"] == answer.headers["x-coro-trace-id"]
    return True


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"name":"\\ud800"}',
        b'{"\\udfff":1}',
        b'{"name":"a\\u0000b"}',
        b'{"\\u0000":1}',
        b'{"headers":{"X\\u0000":"1"}}',
        b'{"name":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'{"name":NaN}',
        b'{"page":' + b"9" * 5000 + b"}",
        b"\xef\xbb\xbf{}",
    ],
    ids=range(16),
)
async def test_body_is_refused_with_400_when_it_is_no_webhook(api: Api, raw: bytes) -> None:
    webhook = await api.create()

    for method, path in (("POST", WEBHOOKS), ("PUT", f"{WEBHOOKS}/{webhook['id']}")):
        assert is_problem(await api.call(method, path, content=raw, headers=JSON), 400)
    assert is_problem(await api.http.post("/oauth/token", content=raw, headers=JSON), 400)


@pytest.mark.parametrize("field", ["name", "description", "url", "secret", "triggers", "headers"])
async def test_field_is_refused_with_400_when_it_holds_nul(api: Api, field: str) -> None:
    bad = {"triggers": ["workspace\x00Created.v1"], "headers": {"X-A": "\x00"}}.get(field, "https://a.example/\x00")

    assert is_problem(await api.call("POST", WEBHOOKS, json=make_body(**{field: bad})), 400)


async def test_body_is_refused_with_413_when_it_is_too_large(api: Api) -> None:
    async def endless() -> object:
        for _ in range(MAX_BODY_BYTES // 1000 + 2):
            yield b" " * 1000

    assert is_problem(await api.call("POST", WEBHOOKS, content=b" " * (MAX_BODY_BYTES + 1), headers=JSON), 413)
    assert is_problem(await api.call("POST", WEBHOOKS, content=endless(), headers=JSON), 413)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])
async def test_body_is_refused_with_415_when_it_is_not_json(api: Api, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}

    assert is_problem(await api.call("POST", WEBHOOKS, content=b"{}", headers=headers), 415)


async def test_body_is_read_when_its_type_has_parameters(api: Api) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}

    answer = await api.call("POST", WEBHOOKS, content=json.dumps(make_body()), headers=headers)

    assert answer.status_code == 201


@pytest.mark.parametrize("charset", ["iso-8859-1", "utf-16", '"windows-1252"', "x"])
async def test_body_is_refused_with_400_when_it_names_another_charset(api: Api, charset: str) -> None:
    headers = {"Content-Type": f"application/json; charset={charset}"}

    assert is_problem(await api.call("POST", WEBHOOKS, content=json.dumps(make_body()), headers=headers), 400)
    body = json.dumps(make_body()).encode("utf-16")
    assert is_problem(await api.call("POST", WEBHOOKS, content=body, headers=JSON), 400)


async def test_caller_is_asked_for_before_the_body_is(api: Api) -> None:
    assert is_problem(await api.http.post(WEBHOOKS, content=b"{", headers=JSON), 401)
    assert is_problem(await api.elsewhere("rival").call("POST", WEBHOOKS, content=b"{", headers=JSON), 403)


async def test_path_and_method_are_refused_as_problems(api: Api) -> None:
    assert is_problem(await api.get("/v1/nothing"), 404)
    assert is_problem(await api.get(f"{WEBHOOKS}/"), 404)
    answer = await api.call("PATCH", WEBHOOKS)
    assert is_problem(answer, 405)
    assert answer.headers["allow"] == "GET, POST"


async def test_a_bad_token_is_told_before_a_missing_workspace(api: Api) -> None:
    answer = await api.http.get(WEBHOOKS, headers={"Authorization": "Bearer nonsense"})
    assert is_problem(answer, 401)
    answer = await api.http.get(WEBHOOKS, headers={"Authorization": f"Bearer {api.token}"})
    assert is_problem(answer, 400)
    assert answer.json()["errors"] == [{"field": "Workspace", "message": "is required, as a header"}]


async def test_request_is_refused_when_it_names_two_workspaces(api: Api) -> None:
    headers = [("Authorization", f"Bearer {api.token}"), ("Workspace", "acme"), ("Workspace", "rival")]
    answer = await api.http.get(WEBHOOKS, headers=headers)
    assert is_problem(answer, 400)
    assert answer.json()["errors"] == [{"field": "Workspace", "message": "must be there once, as a header"}]


async def test_choices_are_named_when_a_parameter_is_none_of_them(api: Api) -> None:
    answer = await api.get(WEBHOOKS, params={"sort": "size"})
    assert is_problem(answer, 400)
    (fault,) = answer.json()["errors"]
    assert fault["field"] == "sort"
    assert fault["message"].startswith("must be 'created', '-created'")


async def test_trace_id_is_the_callers_when_it_sends_one(api: Api) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    good = await api.get(WEBHOOKS, headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"})
    bad = await api.get(WEBHOOKS, headers={"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"})

    assert good.headers["x-coro-trace-id"] == trace_id
    assert len(bad.headers["x-coro-trace-id"]) == 32
    assert bad.headers["x-coro-trace-id"] != "0" * 32


async def test_failure_is_told_to_the_log_alone_when_nobody_foresaw_it(api: Api, database: Database) -> None:
    structlog.reset_defaults()
    await break_the_table(database)

    with capture_logs() as lines:
        answer = await api.get(WEBHOOKS)

    assert is_problem(answer, 500)
    assert "webhook" not in answer.json()["detail"]
    assert "select" not in answer.text.lower()
    failed = next(line for line in lines if line["event"] == "request.failed")
    assert failed["trace_id"] == answer.json()["traceId"]


async def break_the_table(database: Database) -> None:
    """Rename a table away, as nothing in production should."""
    async with database.write() as connection:
        await connection.execute(text("alter table webhooks rename to elsewhere"))


async def test_every_request_is_told_in_one_line_without_secrets(api: Api) -> None:
    structlog.reset_defaults()
    with capture_logs() as lines:
        webhook = await api.create(secret="hush hush hush")
        await api.get(f"{WEBHOOKS}/{webhook['id']}?token=hush")

    told = [line for line in lines if line["event"] == "request.handled"]
    assert [(line["method"], line["route"], line["status"]) for line in told] == [
        ("POST", WEBHOOKS, 201),
        ("GET", f"{WEBHOOKS}/{{webhook_id}}", 200),
    ]
    assert {line["workspace"] for line in told} == {"acme"}
    assert all(line["client_id"].startswith("client-") and line["trace_id"] for line in told)
    assert "hush" not in str(lines)
