"""Explain knows drafts, what they replaced, what is tried out, and what has expired."""

from datetime import timedelta
from typing import Any

import pytest

from coro_events.store.unit import Database
from tests.integration.api.calls import WEBHOOKS, Api
from tests.integration.api.past import insert_event
from tests.integration.api.test_drafts import change, post, release
from tests.support.clock import FakeClock


@pytest.fixture
async def pair(api: Api, database: Database, clock: FakeClock) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a webhook and its draft."""
    await release(database, clock, 2)
    original = await api.create()
    await clock.advance(60)
    return original, await post(api, original, "draft")


async def state_of(api: Api, webhook: dict[str, Any]) -> tuple[bool, str]:
    """Return whether an event made up now would reach a webhook, and what its state has to do with it."""
    body = {"type": "workspace-created", "workspaceId": "acme"}
    answer = await api.call("POST", f"{WEBHOOKS}/{webhook['id']}/explain", json=body)
    assert answer.status_code == 200, answer.text
    (state,) = [verdict for verdict in answer.json()["rules"] if verdict["rule"] == "state"]
    return answer.json()["reaches"], state["sentence"]


async def test_draft_gets_nothing_until_it_is_tried_out_or_published(
    api: Api, database: Database, pair: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    original, draft = pair
    reaches, sentence = await state_of(api, draft)
    assert not reaches
    assert sentence == "The webhook is a draft and gets nothing until it is published."

    shadow = {"url": "https://billing.example.com/next"}
    assert (await api.call("PUT", f"{WEBHOOKS}/{draft['id']}/shadow", json=shadow)).status_code == 200
    reaches, sentence = await state_of(api, draft)
    assert reaches
    assert "second URL" in sentence
    await change(database, original, state="disabled", disabled_reason="by hand")
    assert not (await state_of(api, draft))[0]
    await change(database, original, state="enabled", disabled_reason=None)

    await post(api, draft, "publish")
    assert (await state_of(api, draft))[0]
    reaches, sentence = await state_of(api, original)
    assert not reaches
    assert sentence == f"The webhook was replaced by {draft['id']}, which gets the events in its place."


async def test_version_is_named_when_it_ends(
    api: Api, database: Database, clock: FakeClock, pair: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    original, _ = pair
    await change(database, original, state="expired")
    reaches, sentence = await state_of(api, original)
    assert not reaches
    assert sentence == "The webhook is expired and gets nothing any more; its draft can be published."
    body = {
        "type": "workspaceCreated.v1",
        "workspaceId": "acme",
        "occurred": int((clock.now() + timedelta(days=190)).timestamp() * 1000),
    }
    answer = await api.call("POST", f"{WEBHOOKS}/{original['id']}/explain", json=body)
    (version,) = [verdict for verdict in answer.json()["rules"] if verdict["rule"] == "version"]
    assert not version["holds"]
    assert version["sentence"].startswith("Version 1 delivers nothing from ")


async def test_time_is_the_reason_when_the_webhook_was_a_draft_then(
    api: Api, database: Database, clock: FakeClock, pair: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    original, draft = pair
    moments = []
    for step in ("publish", "switch-back", None):
        await clock.advance(60)
        event = await insert_event(database, clock.now() - timedelta(seconds=1))
        moments.append(event)
        await clock.advance(60)
        if step is not None:
            await post(api, draft, step)

    async def time_of(webhook: dict[str, Any], event: Any) -> str:
        answer = await api.get(f"{WEBHOOKS}/{webhook['id']}/explain", params={"eventId": str(event)})
        (time,) = [verdict for verdict in answer.json()["rules"] if verdict["rule"] == "time"]
        return str(time["sentence"]).partition(" UTC, ")[2]

    assert [await time_of(draft, event) for event in moments] == [
        "when the webhook was a draft.",
        "when the webhook was there.",
        "when the webhook was a draft.",
    ]
    assert [await time_of(original, event) for event in moments] == [
        "when the webhook was there.",
        "when the webhook was disabled.",
        "when the webhook was there.",
    ]
