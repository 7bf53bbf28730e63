"""The receiver for development: what it verifies, and how it answers."""

import base64
import json
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from coro_events.cli.receiving import MAX_BODY_BYTES, REMEMBERED_HOOKS, Received, Receiver
from coro_events.cli.verify import coro_signature, faults, is_standard_signature, standard_signature
from coro_events.contract.bodies import TEST_DATA, render_body
from tests.support.clock import START, FakeClock
from tests.unit.cli.running import refused, run

HOOK = "9d3c1f52-7a55-4bb0-8a7e-0a7c5a4f2e90"
SECRET = "correct horse ä"
BODY = render_body(1, event_type="test", hook_id=HOOK, workspace_id="w1", occurred_at=START, data=TEST_DATA)
TIMESTAMP = str(int(START.timestamp()))


def signed_headers(**changes: str | None) -> dict[str, str]:
    whole = {
        "x-coro-hook-id": HOOK,
        "x-coro-hook-type": "test",
        "x-coro-signature": coro_signature(HOOK, SECRET),
        "webhook-id": HOOK,
        "webhook-timestamp": TIMESTAMP,
        "webhook-signature": standard_signature(HOOK, TIMESTAMP, BODY, SECRET),
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    return {name: value for name, value in whole.items() if value is not None}


class Bench:
    """A receiver, what it reported and what it answered."""

    def __init__(
        self, *, secret: str | None = SECRET, status: int = 200, delay_s: float = 0, keep_body: bool = False
    ) -> None:
        self.clock = FakeClock(auto_advance=True)
        self.received: list[Received] = []
        self.receiver = Receiver(
            secret=secret,
            status=status,
            delay_s=delay_s,
            keep_body=keep_body,
            clock=self.clock,
            report=self.received.append,
        )

    async def post(self, headers: dict[str, str], *parts: bytes, method: str = "POST") -> int:
        scope = {
            "type": "http",
            "method": method,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        waiting: list[MutableMapping[str, Any]] = [
            {"type": "http.request", "body": part, "more_body": True} for part in parts
        ]
        waiting.append({"type": "http.request", "body": b"", "more_body": False})
        answers: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return waiting.pop(0)

        async def send(message: MutableMapping[str, Any]) -> None:
            answers.append(message)

        await self.receiver(scope, receive, send)
        status: int = answers[0]["status"]
        return status


def test_the_signature_of_the_hook_id_is_the_known_one() -> None:
    # From `printf %s what do ya want for nothing? | openssl dgst -sha256 -hmac Jefe`, which is RFC 4231's second case.
    known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert coro_signature("what do ya want for nothing?", "Jefe") == known


def test_the_standard_signature_is_accepted_by_code_that_is_not_ours() -> None:
    # Their check of the time asks the machine's clock, which is not this test's matter.
    theirs = Webhook(base64.b64encode(SECRET.encode()).decode())
    assert theirs.sign(HOOK, START, BODY.decode()) == standard_signature(HOOK, TIMESTAMP, BODY, SECRET)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"x_coro_hook_id": None}, "X-Coro-Hook-Id is missing"),
        ({"x_coro_signature": None}, "X-Coro-Signature is missing"),
        ({"x_coro_signature": coro_signature(HOOK, SECRET).upper()}, "X-Coro-Signature does not match"),
        ({"webhook_signature": "v1,nonsense"}, "webhook-signature does not match"),
        ({"webhook_id": None}, "webhook-signature does not match"),
        ({"webhook_timestamp": "1"}, "webhook-timestamp is more than 300 s away"),
        ({"webhook_timestamp": "soon"}, "webhook-timestamp is no number"),
        ({"webhook_timestamp": "9" * 5000}, "webhook-timestamp is no number"),
    ],
)
def test_a_fault_is_named(changes: dict[str, str | None], reason: str) -> None:
    assert reason in " ".join(faults(signed_headers(**changes), BODY, SECRET, START))


def test_a_delivery_is_right_when_it_carries_only_coros_own_signature() -> None:
    headers = signed_headers(webhook_id=None, webhook_timestamp=None, webhook_signature=None)
    assert faults(headers, BODY, SECRET, START) == []


def test_one_of_two_signatures_is_enough_while_a_secret_is_rotated() -> None:
    both = f"{standard_signature(HOOK, TIMESTAMP, BODY, 'another')} {standard_signature(HOOK, TIMESTAMP, BODY, SECRET)}"
    assert is_standard_signature(both, HOOK, TIMESTAMP, BODY, SECRET)


async def test_a_signed_delivery_is_reported_as_verified() -> None:
    bench = Bench()
    assert await bench.post(signed_headers(), BODY[:10], BODY[10:]) == 200
    [received] = bench.received
    assert (received.hook_id, received.type, received.workspace_id) == (HOOK, "test", "w1")
    assert (received.verified, received.faults, received.attempt) == (True, [], 1)
    assert received.received_at == "2026-03-02T10:00:00.000Z"
    assert "body" not in received.as_document()


async def test_a_changed_body_is_reported_as_not_verified() -> None:
    bench = Bench()
    await bench.post(signed_headers(), BODY.replace(b"true", b"null"))
    assert bench.received[0].verified is False


async def test_a_body_of_another_hook_is_reported_as_not_verified() -> None:
    bench = Bench()
    headers = signed_headers(webhook_id=None, webhook_timestamp=None, webhook_signature=None)
    await bench.post(headers, BODY.replace(HOOK.encode(), b"another"))
    assert bench.received[0].faults == ["the id in the body differs from X-Coro-Hook-Id"]


async def test_nothing_is_judged_when_there_is_no_secret() -> None:
    bench = Bench(secret=None)
    await bench.post(signed_headers(), BODY)
    assert bench.received[0].verified is None


async def test_attempts_of_one_hook_are_counted_and_forgotten_in_the_end() -> None:
    bench = Bench(secret=None)
    for _ in range(3):
        await bench.post(signed_headers(), BODY)
    assert [one.attempt for one in bench.received] == [1, 2, 3]
    for number in range(REMEMBERED_HOOKS):
        await bench.post({"x-coro-hook-id": str(number)}, b"")
    await bench.post(signed_headers(), BODY)
    assert bench.received[-1].attempt == 1


async def test_it_answers_as_told_and_after_the_delay() -> None:
    bench = Bench(status=500, delay_s=7)
    assert await bench.post(signed_headers(), BODY) == 500
    assert bench.clock.sleeps == [7]


async def test_the_body_is_shown_when_asked_for() -> None:
    bench = Bench(keep_body=True)
    await bench.post(signed_headers(), BODY)
    assert bench.received[0].as_document()["body"] == json.loads(BODY)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"[" * 100_000, b'{"workspaceId":5,"workspace":{"id":6}}'])
async def test_a_strange_body_is_reported_and_answered(body: bytes) -> None:
    bench = Bench()
    assert await bench.post(signed_headers(), body) == 200
    assert (bench.received[0].workspace_id, bench.received[0].verified) == ("", False)


async def test_the_workspace_is_found_where_later_versions_have_it() -> None:
    bench = Bench(secret=None)
    await bench.post({}, b'{"workspace":{"id":"w2"}}')
    assert bench.received[0].workspace_id == "w2"


async def test_only_a_post_of_reasonable_length_is_taken() -> None:
    bench = Bench()
    assert await bench.post({}, method="GET") == 405
    assert await bench.post({}, b"x" * (MAX_BODY_BYTES + 1)) == 413
    assert bench.received == []


def test_verify_says_right_and_wrong(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n", encoding="utf-8")
    (tmp_path / "body").write_bytes(BODY)
    secret, body = str(tmp_path / "secret"), str(tmp_path / "body")
    command = ("receiver", "verify", "--secret-file", secret, "--id", HOOK)
    right = (*command, "--signature", coro_signature(HOOK, SECRET))
    standard = ("--timestamp", TIMESTAMP, "--body-file", body, "--webhook-signature")
    assert run(*right).exit_code == 0
    assert run(*right, *standard, standard_signature(HOOK, TIMESTAMP, BODY, SECRET)).exit_code == 0
    wrong = run(*right, *standard, "v1,nonsense", "--json")
    assert wrong.exit_code == 1
    answer = {"X-Coro-Signature": True, "webhook-signature": False}
    assert json.loads(wrong.stdout) == {"verified": False, "signatures": answer}
    assert run(*command, "--signature", "nonsense").exit_code == 1
    assert "go together" in refused(*right, "--timestamp", TIMESTAMP, code=2)


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("\n", encoding="utf-8")
    sentence = refused("receiver", "listen", "--secret-file", str(tmp_path / "secret"))
    assert sentence.endswith("holds no secret.")


def test_two_secrets_are_refused(tmp_path: Path) -> None:
    assert "not both" in refused("receiver", "listen", "--secret", "a", "--secret-file", str(tmp_path / "b"), code=2)
