"""What an edit makes of a webhook: from the stored value and the body to the next value and what happened."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from coro_events.contract.triggers import Trigger, rest_name
from coro_events.rules.webhooks import WebhookState
from services.api.refusals import EditConflict, Fault, InvalidInput
from services.api.webhooks.ended import require_alive, require_move
from services.api.webhooks.ports import Webhook
from services.api.webhooks.rules import MASK, read_triggers
from services.api.webhooks.schemas import WebhookUpdate

DISABLED_BY_HAND = "disabled by hand"


@dataclass(frozen=True, slots=True)
class Secrets:
    """A webhook's secret and headers in the clear; lives no longer than a request."""

    secret: str
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        """Tell nothing: a log or a traceback may show it."""
        return "Secrets(********)"


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit makes of a webhook.

    Attributes:
        webhook: The next value; its sealed fields are still the old ones.
        secrets: The next secret and headers.
        changed: The names of the fields that differ, as the API writes them; the status is not among them.
        moved: Whether the status differs.
    """

    webhook: Webhook
    secrets: Secrets
    changed: tuple[str, ...]
    moved: bool


def require_match(webhook: Webhook, if_match: str | None) -> None:
    """Refuse an edit of another revision than the one that the caller has read.

    Raises:
        EditConflict: The header `If-Match` names other revisions only.
    """
    if if_match is None or if_match.strip() == "*":
        return
    if f'"{webhook.revision}"' not in [tag.strip() for tag in if_match.split(",")]:
        raise EditConflict("read it again, then repeat the change on what it is now")


def edited(webhook: Webhook, secrets: Secrets, body: WebhookUpdate, now: datetime) -> Edited:
    """Return what a body makes of a webhook.

    Raises:
        InvalidInput: The body is of another webhook or version, or keeps the value of a header that is not there.
        WrongState: The webhook is expired or replaced, or its state cannot become the one asked for.
    """
    require_alive(webhook)
    triggers, faults = _triggers(webhook, body)
    headers, header_faults = _headers(secrets.headers, body.headers)
    faults += header_faults + _identity_faults(webhook, body)
    if faults:
        raise InvalidInput(*faults)
    state = _next_state(webhook, body.status)
    following = replace(
        webhook,
        name=body.name,
        description=webhook.description if body.description is None else body.description,
        apply_to_all_descendants=body.apply_to_all_descendants,
        url=body.url,
        triggers=triggers,
        state=state,
        disabled_reason=_reason(webhook, state),
    )
    next_secrets = Secrets(secret=secrets.secret if body.secret in {None, MASK} else str(body.secret), headers=headers)
    changed = _differences(webhook, following, secrets, next_secrets)
    if "secret" in changed:
        # An edit replaces the secret at once; only a rotation lets two of them sign.
        following = replace(following, previous_secret_sealed=None, previous_secret_until=None)
    moved = state is not webhook.state
    if changed or moved:
        following = replace(following, revision=webhook.revision + 1, updated_at=now)
    return Edited(webhook=following, secrets=next_secrets, changed=changed, moved=moved)


def _triggers(webhook: Webhook, body: WebhookUpdate) -> tuple[tuple[Trigger, ...], list[Fault]]:
    triggers, version = read_triggers(body.triggers)
    if version == webhook.version:
        return triggers, []
    example = rest_name(triggers[0], webhook.version)
    rule = f"must be of version {webhook.version}, such as {example}"
    # Another version is another format of all that the receiver gets.
    is_move = version > webhook.version and webhook.state is not WebhookState.DRAFT
    return triggers, [Fault("triggers", f"{rule}; to move to version {version}, publish a draft" if is_move else rule)]


def _headers(stored: Mapping[str, str], given: Mapping[str, str] | None) -> tuple[Mapping[str, str], list[Fault]]:
    """Return the next headers, and where a mask has nothing to keep; names match in upper and lower case."""
    if given is None:
        return stored, []
    by_name = {name.lower(): value for name, value in stored.items()}
    faults = [
        Fault(f"headers.{name}", "must not be the mask; there is no stored value to keep")
        for name, value in given.items()
        if value == MASK and name.lower() not in by_name
    ]
    kept = {name: by_name.get(name.lower(), value) if value == MASK else value for name, value in given.items()}
    return kept, faults


def _identity_faults(webhook: Webhook, body: WebhookUpdate) -> list[Fault]:
    named = {
        "id": (body.id, str(webhook.id)),
        "workspaceId": (body.workspace_id, webhook.workspace_id),
        "version": (body.version, webhook.version),
    }
    return [
        Fault(field, "cannot be changed") for field, (given, is_) in named.items() if given is not None and given != is_
    ]


def _next_state(webhook: Webhook, asked: str | None) -> WebhookState:
    if asked is None or asked == webhook.state.value:
        return webhook.state
    following = WebhookState(asked)
    require_move(webhook, following)
    return following


def _reason(webhook: Webhook, state: WebhookState) -> str | None:
    if state is webhook.state:
        return webhook.disabled_reason
    return DISABLED_BY_HAND if state is WebhookState.DISABLED else None


def _differences(before: Webhook, after: Webhook, old: Secrets, new: Secrets) -> tuple[str, ...]:
    pairs: dict[str, tuple[object, object]] = {
        "name": (before.name, after.name),
        "description": (before.description, after.description),
        "applyToAllDescendants": (before.apply_to_all_descendants, after.apply_to_all_descendants),
        "url": (before.url, after.url),
        "secret": (old.secret, new.secret),
        "headers": (dict(old.headers), dict(new.headers)),
        "triggers": (before.triggers, after.triggers),
    }
    return tuple(field for field, (was, is_) in pairs.items() if was != is_)
