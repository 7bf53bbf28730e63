"""When drafts are made, published and taken back, and what becomes of both webhooks."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from coro_events.rules.releasing import VersionLife
from coro_events.rules.webhooks import WebhookState
from services.api.drafts.rules import (
    REPLACED,
    drafted,
    newest_after,
    published,
    require_draft,
    switched_back,
    version_of_draft,
)
from services.api.refusals import WrongState
from services.api.webhooks.ports import Webhook
from tests.support.clock import START
from tests.unit.api.bodies import make_webhook

BEFORE, LATER = START - timedelta(days=1), START + timedelta(days=1)
ONE, TWO = VersionLife(1, BEFORE, LATER), VersionLife(2, START, None)
OTHER = uuid.UUID(int=9)


def make_draft(**changes: Any) -> Webhook:
    original = make_webhook()
    return make_webhook(
        **({"id": OTHER, "version": 2, "state": WebhookState.DRAFT, "draft_of": original.id, "revision": 1} | changes)
    )


def test_draft_is_of_the_newest_version_that_is_released_and_alive() -> None:
    assert newest_after(1, [ONE, TWO], START) == 2
    assert newest_after(2, [ONE, TWO], START) is None
    assert newest_after(1, [ONE, TWO], BEFORE) is None
    assert newest_after(1, [ONE, VersionLife(2, BEFORE, START), VersionLife(3, BEFORE, None)], START) == 3
    assert version_of_draft(make_webhook(state=WebhookState.EXPIRED), [ONE, TWO], START) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": WebhookState.DRAFT, "draft_of": OTHER}, "a draft itself"),
        ({"state": WebhookState.DISABLED, "replaced_by": OTHER}, "switch that one back first"),
        ({"version": 2}, "no later one is released"),
    ],
)
def test_draft_is_not_made_when_it_makes_no_sense(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(WrongState, match=words):
        version_of_draft(make_webhook(**changes), [ONE, TWO], START)


def test_draft_begins_its_own_life() -> None:
    original = make_webhook(
        state=WebhookState.DISABLED,
        disabled_reason="by hand",
        previous_secret_sealed=b"old",
        previous_secret_until=LATER,
        replaces=OTHER,
    )

    draft = drafted(original, OTHER, 2, LATER)

    assert (draft.id, draft.draft_of, draft.version, draft.revision) == (OTHER, original.id, 2, 1)
    assert (draft.state, draft.disabled_reason, draft.replaces) == (WebhookState.DRAFT, None, None)
    assert (draft.previous_secret_sealed, draft.previous_secret_until) == (None, None)
    assert draft.created_at == draft.updated_at == LATER


@pytest.mark.parametrize(
    ("state", "reason", "becomes", "with_reason", "original_becomes"),
    [
        (WebhookState.ENABLED, None, WebhookState.ENABLED, None, WebhookState.DISABLED),
        (WebhookState.DISABLED, "by hand", WebhookState.DISABLED, "by hand", WebhookState.DISABLED),
        (WebhookState.EXPIRED, None, WebhookState.ENABLED, None, WebhookState.EXPIRED),
        (WebhookState.EXPIRED, "by hand", WebhookState.DISABLED, "by hand", WebhookState.EXPIRED),
    ],
)
def test_published_draft_becomes_what_its_original_was(
    state: WebhookState,
    reason: str | None,
    becomes: WebhookState,
    with_reason: str | None,
    original_becomes: WebhookState,
) -> None:
    draft, original = published(
        make_draft(shadow_url="https://a.example/"), make_webhook(state=state, disabled_reason=reason), LATER
    )

    assert (draft.state, draft.disabled_reason, draft.draft_of, draft.shadow_url) == (becomes, with_reason, None, None)
    assert (original.state, original.disabled_reason) == (original_becomes, REPLACED)
    assert (original.replaced_by, draft.replaces) == (draft.id, original.id)
    assert (draft.revision, original.revision) == (2, 4)
    assert draft.updated_at == original.updated_at == LATER


def test_switching_back_undoes_the_publishing() -> None:
    first = published(make_draft(), make_webhook(), START)
    back = switched_back(first.draft, first.original, START)

    assert back.draft == make_draft(revision=3)
    assert back.original == make_webhook(revision=5)


@pytest.mark.parametrize(
    ("current", "old", "words"),
    [
        ({"replaced_by": uuid.UUID(int=5), "state": WebhookState.DISABLED}, {}, "switch that one back first"),
        ({}, {"expires_at": START}, "version 1 has expired"),
        ({}, {"state": WebhookState.EXPIRED}, "version 1 has expired"),
    ],
)
def test_switching_back_is_refused_when_it_cannot_be(current: dict[str, Any], old: dict[str, Any], words: str) -> None:
    taken_over = make_draft(**({"state": WebhookState.ENABLED, "draft_of": None} | current))
    with pytest.raises(WrongState, match=words):
        switched_back(taken_over, make_webhook(**({"state": WebhookState.DISABLED} | old)), START)


def test_draft_is_asked_for_where_another_webhook_is_named() -> None:
    require_draft(make_draft(), None, "published")
    with pytest.raises(WrongState, match=f"only drafts are published, and it is none; its draft is {OTHER}"):
        require_draft(make_webhook(), OTHER, "published")
    with pytest.raises(WrongState, match="it has none, make one first"):
        require_draft(make_webhook(), None, "published")
