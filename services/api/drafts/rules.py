"""When a draft may be made, published and taken back, and what becomes of it and of its original: pure."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from coro_events.rules.releasing import VersionLife, VersionStatus
from coro_events.rules.webhooks import WebhookState
from services.api.refusals import WrongState
from services.api.webhooks.edit import DISABLED_BY_HAND
from services.api.webhooks.ports import Webhook

# Why an original is disabled whose draft was published.
REPLACED = "replaced"


class Swapped(NamedTuple):
    """Two webhooks that have changed places.

    Attributes:
        draft: The later version: published, or a draft again.
        original: The earlier one: stopped, or back.
    """

    draft: Webhook
    original: Webhook


def newest_after(version: int, lives: Sequence[VersionLife], now: datetime) -> int | None:
    """Return the newest released version if it is later than the one given."""
    released = [life.version for life in lives if life.status(now) is VersionStatus.RELEASED]
    newest = max(released, default=version)
    return newest if newest > version else None


def version_of_draft(original: Webhook, lives: Sequence[VersionLife], now: datetime) -> int:
    """Return the version that a draft of a webhook has.

    Raises:
        WrongState: The webhook can have no draft; the detail says why.
    """
    if original.state is WebhookState.DRAFT:
        raise WrongState("it is a draft itself; publish it, or remove it and make another one of its original")
    if original.replaced_by is not None:
        raise WrongState(f"it was replaced by the webhook {original.replaced_by}; switch that one back first")
    newest = newest_after(original.version, lives, now)
    if newest is None:
        raise WrongState(f"it is of version {original.version}, and no later one is released to draft")
    return newest


def drafted(original: Webhook, draft_id: uuid.UUID, version: int, now: datetime) -> Webhook:
    """Return the draft of a webhook; what is sealed is still the original's, and a rotation's overlap is not copied."""
    return replace(
        original,
        id=draft_id,
        version=version,
        state=WebhookState.DRAFT,
        disabled_reason=None,
        draft_of=original.id,
        revision=1,
        created_at=now,
        updated_at=now,
        expires_at=None,
        replaces=None,
        previous_secret_sealed=None,
        previous_secret_until=None,
        expired_at=None,
    )


def require_draft(webhook: Webhook, draft_id: uuid.UUID | None, what: str) -> None:
    """Refuse what only drafts have done to them.

    Args:
        webhook: That the request names.
        draft_id: Of its draft, if it has one.
        what: Is done to drafts.

    Raises:
        WrongState: It is no draft; the detail says which one is meant, or how to make one.
    """
    if webhook.state is WebhookState.DRAFT:
        return
    meant = "it has none, make one first" if draft_id is None else f"its draft is {draft_id}"
    raise WrongState(f"only drafts are {what}, and it is none; {meant}")


def published(draft: Webhook, original: Webhook, now: datetime) -> Swapped:
    """Return what publishing makes of a draft and its original; who was disabled stays so, for the same reason.

    Raises:
        WrongState: The draft's own version has expired.
    """
    if draft.expires_at is not None and draft.expires_at <= now:
        raise WrongState(f"its version {draft.version} has expired; remove it, then make a draft of the newest version")
    # An expired webhook was enabled to the end unless a reason says otherwise.
    runs = original.state is WebhookState.ENABLED or (
        original.state is WebhookState.EXPIRED and original.disabled_reason is None
    )
    is_over = original.state is WebhookState.EXPIRED
    return Swapped(
        draft=_moved(
            draft,
            now,
            state=WebhookState.ENABLED if runs else WebhookState.DISABLED,
            disabled_reason=None if runs else original.disabled_reason,
            draft_of=None,
            shadow_url=None,
            replaces=original.id,
        ),
        original=_moved(
            original,
            now,
            state=WebhookState.EXPIRED if is_over else WebhookState.DISABLED,
            disabled_reason=REPLACED,
            replaced_by=draft.id,
        ),
    )


def switched_back(current: Webhook, old: Webhook, now: datetime) -> Swapped:
    """Return what switching back makes of a published draft and of the webhook before.

    The old one runs again, also where deliveries of the new format have failed for good; only what people have
    disabled stays disabled.

    Raises:
        WrongState: The old one's version has expired, or the current one was replaced itself.
    """
    if current.replaced_by is not None:
        raise WrongState(f"it was replaced by the webhook {current.replaced_by}; switch that one back first")
    if WebhookState.EXPIRED in {current.state, old.state} or (old.expires_at is not None and old.expires_at <= now):
        raise WrongState(f"version {old.version} has expired, so that the webhook before cannot come back")
    runs = current.state is WebhookState.ENABLED or current.disabled_reason != DISABLED_BY_HAND
    return Swapped(
        draft=_moved(current, now, state=WebhookState.DRAFT, disabled_reason=None, draft_of=old.id, replaces=None),
        original=_moved(
            old,
            now,
            state=WebhookState.ENABLED if runs else WebhookState.DISABLED,
            disabled_reason=None if runs else current.disabled_reason,
            replaced_by=None,
        ),
    )


def _moved(webhook: Webhook, now: datetime, **changes: object) -> Webhook:
    changes |= {"revision": webhook.revision + 1, "updated_at": now}
    return replace(webhook, **changes)  # type: ignore[arg-type]  # each caller names fields with values of their types
