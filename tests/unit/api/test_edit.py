"""What an edit makes of a webhook."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from coro_events.rules.webhooks import WebhookState
from services.api.refusals import EditConflict, InvalidInput, WrongState
from services.api.webhooks.edit import DISABLED_BY_HAND, Secrets, edited, require_match
from services.api.webhooks.rules import MASK, BodyRules
from services.api.webhooks.schemas import WebhookUpdate
from tests.support.clock import START
from tests.unit.api.bodies import make_body, make_webhook

STORED = Secrets(secret="stored secret", headers={"X-Key": "stored value"})
LATER = START + timedelta(hours=1)


def update(**changes: Any) -> WebhookUpdate:
    """Return the body of an edit that changes nothing but what is named."""
    rules = BodyRules(versions={1: None, 2: None})
    return WebhookUpdate.model_validate(make_body(**({"secret": MASK} | changes)), context=rules)


def test_nothing_is_changed_when_the_body_says_what_is_stored() -> None:
    edit = edited(make_webhook(), STORED, update(headers={"x-key": MASK}, status="enabled"), LATER)

    assert edit.changed == ("headers",)
    edit = edited(make_webhook(), STORED, update(headers={"X-Key": MASK}, status="enabled"), LATER)
    assert edit.changed == ()
    assert not edit.moved
    assert edit.webhook == make_webhook()


def test_revision_and_time_move_on_when_a_field_differs() -> None:
    edit = edited(make_webhook(), STORED, update(name="Invoices", description="d"), LATER)

    assert edit.changed == ("name", "description")
    assert edit.webhook.revision == 4
    assert edit.webhook.updated_at == LATER
    assert edit.webhook.created_at == START


def test_stored_values_are_kept_when_masks_come_back_or_nothing_does() -> None:
    masked = edited(make_webhook(), STORED, update(headers={"x-key": MASK, "X-New": "new"}), LATER)
    absent = edited(make_webhook(), STORED, update(secret=None), LATER)

    assert masked.secrets.headers == {"x-key": "stored value", "X-New": "new"}
    assert masked.secrets.secret == "stored secret"
    assert absent.secrets == STORED


def test_values_are_replaced_when_new_ones_come() -> None:
    edit = edited(make_webhook(), STORED, update(secret="another secret", headers={}), LATER)

    assert edit.secrets == Secrets(secret="another secret", headers={})
    assert edit.changed == ("secret", "headers")


def test_mask_is_refused_when_there_is_no_value_to_keep() -> None:
    with pytest.raises(InvalidInput) as refused:
        edited(make_webhook(), STORED, update(headers={"X-Other": MASK}), LATER)

    assert [fault.field for fault in refused.value.faults] == ["headers.X-Other"]


def test_every_fault_is_named_when_the_body_is_of_another_webhook() -> None:
    body = update(id="other", workspaceId="other", version=2, triggers=["workspaceCreated.v2"])

    with pytest.raises(InvalidInput) as refused:
        edited(make_webhook(), STORED, body, LATER)

    assert [fault.field for fault in refused.value.faults] == ["triggers", "id", "workspaceId", "version"]


def test_version_is_moved_by_a_draft_and_not_by_an_edit() -> None:
    second = ["workspaceCreated.v2"]
    with pytest.raises(InvalidInput, match=r"such as workspaceCreated\.v1; to move to version 2, publish a draft"):
        edited(make_webhook(), STORED, update(triggers=second), LATER)
    with pytest.raises(InvalidInput, match=r"such as workspaceCreated\.v2$"):
        edited(make_webhook(version=2), STORED, update(), LATER)


def test_reason_is_kept_when_it_is_disabled_and_gone_when_it_is_enabled() -> None:
    disabled = edited(make_webhook(), STORED, update(status="disabled"), LATER)
    assert disabled.moved
    assert disabled.webhook.disabled_reason == DISABLED_BY_HAND

    broken = make_webhook(state=WebhookState.DISABLED, disabled_reason="four attempts failed")
    assert edited(broken, STORED, update(name="B"), LATER).webhook.disabled_reason == "four attempts failed"
    assert edited(broken, STORED, update(status="enabled"), LATER).webhook.disabled_reason is None


@pytest.mark.parametrize(
    ("state", "asked"),
    [
        (WebhookState.EXPIRED, "enabled"),
        (WebhookState.EXPIRED, None),
        (WebhookState.DRAFT, "enabled"),
        (WebhookState.ENABLED, "draft"),
        (WebhookState.DISABLED, "expired"),
    ],
)
def test_move_is_refused_when_an_edit_may_not_make_it(state: WebhookState, asked: str | None) -> None:
    with pytest.raises(WrongState):
        edited(make_webhook(state=state), STORED, update(status=asked), LATER)


def test_refusal_says_what_to_do_instead_when_a_webhook_is_expired_or_replaced() -> None:
    successor = uuid.UUID(int=2)
    replaced = make_webhook(state=WebhookState.DISABLED, disabled_reason="replaced", replaced_by=successor)

    with pytest.raises(WrongState, match="publish its draft, or create a new webhook of version 2 or later"):
        edited(make_webhook(state=WebhookState.EXPIRED), STORED, update(), LATER)
    with pytest.raises(WrongState, match=f"replaced by the webhook {successor}; switch that one back"):
        edited(replaced, STORED, update(status="enabled"), LATER)
    with pytest.raises(WrongState, match="publish it"):
        edited(make_webhook(state=WebhookState.DRAFT, draft_of=successor), STORED, update(status="enabled"), LATER)
    assert edited(replaced, STORED, update(name="Old billing", status="disabled"), LATER).changed == ("name",)


@pytest.mark.parametrize("tags", [None, "*", '"3"', '"1", "3"'])
def test_edit_goes_on_when_the_revision_matches(tags: str | None) -> None:
    require_match(make_webhook(), tags)


@pytest.mark.parametrize("tags", ['"2"', 'W/"3"', "3", "", '"33"'])
def test_edit_is_refused_when_the_revision_is_another(tags: str) -> None:
    with pytest.raises(EditConflict):
        require_match(make_webhook(), tags)


def test_secrets_tell_nothing_when_they_are_printed() -> None:
    assert "stored" not in repr(STORED)
