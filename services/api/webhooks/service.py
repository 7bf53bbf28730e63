"""Webhook configurations: each change in one transaction with its line in the activity log and its messages."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from coro_events.contract.webhook_events import (
    SOURCE_API,
    WebhookChanged,
    WebhookEvent,
    WebhookEventType,
)
from coro_events.rules.webhooks import WebhookState
from coro_events.runtime.clock import Clock
from services.api.access.service import Caller
from services.api.idempotency.ports import KeptAnswer
from services.api.paging import Page
from services.api.refusals import NotFound, TooManyWebhooks
from services.api.webhooks.edit import Edited, Secrets, edited, require_match
from services.api.webhooks.ports import ALL, Activity, Order, Sought, Webhook, WebhookChange, WebhookStore
from services.api.webhooks.reach import Reach
from services.api.webhooks.rules import (
    MAX_WEBHOOKS_PER_WORKSPACE,
    BodyRules,
    closed_versions,
    open_versions,
    read_triggers,
)
from services.api.webhooks.schemas import (
    CreatedWebhook,
    PendingTest,
    WebhookCreate,
    WebhookUpdate,
    WebhookView,
)
from services.api.webhooks.seals import Seals
from services.api.webhooks.showing import Showing
from services.api.webhooks.testing import request_test
from services.api.webhooks.view import webhook_fields


class Webhooks:
    """Creates, reads, changes and removes webhooks of one workspace at a time."""

    def __init__(
        self, *, store: WebhookStore, showing: Showing, seals: Seals, clock: Clock, reach: Reach, allow_http: bool
    ) -> None:
        self._store = store
        self._showing = showing
        self._reach = reach
        self._seals = seals
        self._clock = clock
        self._allow_http = allow_http

    async def rules_of_create(self) -> BodyRules:
        """Return what the body of a new webhook is held to: released versions that have not expired."""
        return await self._rules(expired_too=False)

    async def rules_of_update(self) -> BodyRules:
        """Return what the body of an edit is held to; the version is then compared with the webhook's own."""
        return await self._rules(expired_too=True)

    async def _rules(self, *, expired_too: bool) -> BodyRules:
        lives, now = await self._store.versions(), self._clock.now()
        return BodyRules(
            allow_http=self._allow_http,
            allowed_networks=self._reach.allowed,
            versions=open_versions(lives, now, expired_too=expired_too),
            closed=closed_versions(lives, now),
        )

    async def create(
        self,
        caller: Caller,
        body: WebhookCreate,
        rules: BodyRules,
        *,
        keep: Callable[[Webhook, CreatedWebhook], KeptAnswer] | None = None,
    ) -> tuple[Webhook, CreatedWebhook]:
        """Create a webhook, enabled, and ask for its first test.

        Args:
            caller: Who creates it, and in which workspace.
            body: As it was checked against `rules`.
            rules: Those of `rules_of_create`.
            keep: Makes the answer to keep, where the request has an idempotency key.

        Raises:
            InvalidInput: The URL leads where nobody is called.
            NameTaken: The workspace has one of that name.
            TooManyWebhooks: It has as many as it may.
        """
        await self._reach.require(body.url)
        now = self._clock.now()
        webhook = self._new(caller, body, now, expiries=rules.versions)
        async with self._store.change() as change:
            if await change.reserve(caller.workspace_id) >= MAX_WEBHOOKS_PER_WORKSPACE:
                raise TooManyWebhooks(f"{MAX_WEBHOOKS_PER_WORKSPACE} are the most; remove one first")
            await change.insert(webhook)
            await self._tell(change, caller, webhook, WebhookEventType.CREATED, now=now)
            test_id = await request_test(change, webhook, actor=caller.actor, now=now)
            fields = webhook_fields(webhook, header_names=body.headers, last_delivery=None, now=now, secret=body.secret)
            view = CreatedWebhook(**fields, test=PendingTest(id=str(test_id)))
            if keep is not None:
                await change.keep(keep(webhook, view))
        return webhook, view

    async def page(
        self, caller: Caller, *, page: int, page_size: int, order: Order, sought: Sought = ALL
    ) -> Page[WebhookView]:
        """Return one page of the workspace's webhooks."""
        webhooks, total = await self._store.page(
            caller.workspace_id, page=page, page_size=page_size, order=order, sought=sought
        )
        return Page(items=await self._showing.views(webhooks), totalElements=total)

    async def one(self, caller: Caller, webhook_id: uuid.UUID) -> tuple[Webhook, WebhookView]:
        """Return a webhook.

        Raises:
            NotFound: The workspace has no such webhook.
        """
        webhook = await self._store.one(caller.workspace_id, webhook_id)
        if webhook is None:
            raise NotFound
        return webhook, await self._showing.view(webhook)

    async def update(
        self, caller: Caller, webhook_id: uuid.UUID, body: WebhookUpdate, *, if_match: str | None
    ) -> tuple[Webhook, WebhookView]:
        """Change a webhook, and enable or disable it.

        Raises:
            NotFound: The workspace has no such webhook.
            EditConflict: It is not at the revision that the caller has read.
            InvalidInput: The body does not fit this webhook, or its new URL leads where nobody is called.
            WrongState: Its state does not allow the change.
            NameTaken: Another webhook of the workspace has the new name.
        """
        stored = await self._store.one(caller.workspace_id, webhook_id)
        # Before the transaction, which must not wait for a name server. A URL that stays is not looked at again, so
        # that a webhook whose receiver is gone can still be disabled.
        if stored is not None and body.url != stored.url:
            await self._reach.require(body.url)
        now = self._clock.now()
        async with self._store.change() as change:
            # Names are claimed in one order by create and update, so that they cannot wait for each other.
            await change.reserve(caller.workspace_id)
            webhook = await change.lock(caller.workspace_id, webhook_id)
            if webhook is None:
                raise NotFound
            require_match(webhook, if_match)
            edit = edited(webhook, self._seals.open(webhook), body, now)
            if edit.changed or edit.moved:
                webhook = self._sealed(edit)
                await change.update(webhook)
                await self._tell_edit(change, caller, webhook, edit, now)
        return webhook, await self._showing.view(webhook)

    async def delete(self, caller: Caller, webhook_id: uuid.UUID, *, if_match: str | None) -> None:
        """Remove a webhook; what it has not delivered yet is discarded.

        Raises:
            NotFound: The workspace has no such webhook.
            EditConflict: It is not at the revision that the caller has read.
            NameTaken: Another webhook has the name of the one that it replaced, which would stand by itself again.
        """
        now = self._clock.now()
        async with self._store.change() as change:
            # Its draft and what it replaced change with it, as they do when a draft is published.
            await change.reserve(caller.workspace_id)
            webhook = await change.lock(caller.workspace_id, webhook_id)
            if webhook is None:
                raise NotFound
            require_match(webhook, if_match)
            await self._tell(change, caller, webhook, WebhookEventType.DELETED, now=now)
            await change.delete(webhook_id)

    def _new(
        self, caller: Caller, body: WebhookCreate, now: datetime, *, expiries: Mapping[int, datetime | None]
    ) -> Webhook:
        triggers, version = read_triggers(body.triggers)
        webhook_id = uuid.uuid4()
        secret, headers = self._seals.seal(webhook_id, Secrets(secret=body.secret, headers=body.headers))
        return Webhook(
            id=webhook_id,
            workspace_id=caller.workspace_id,
            version=version,
            name=body.name,
            description=body.description,
            url=body.url,
            apply_to_all_descendants=body.apply_to_all_descendants,
            triggers=triggers,
            secret_sealed=secret,
            headers_sealed=headers,
            state=WebhookState.ENABLED,
            disabled_reason=None,
            draft_of=None,
            revision=1,
            created_at=now,
            updated_at=now,
            expires_at=expiries.get(version),
        )

    def _sealed(self, edit: Edited) -> Webhook:
        """Return the edited webhook; what did not change keeps its seal."""
        secret, headers = self._seals.seal(edit.webhook.id, edit.secrets)
        return replace(
            edit.webhook,
            secret_sealed=secret if "secret" in edit.changed else edit.webhook.secret_sealed,
            headers_sealed=headers if "headers" in edit.changed else edit.webhook.headers_sealed,
        )

    async def _tell_edit(
        self, change: WebhookChange, caller: Caller, webhook: Webhook, edit: Edited, now: datetime
    ) -> None:
        if edit.changed:
            await self._tell(
                change, caller, webhook, WebhookEventType.UPDATED, now=now, detail={"changed": list(edit.changed)}
            )
        if edit.moved:
            enabled = webhook.state is WebhookState.ENABLED
            move = WebhookEventType.ENABLED if enabled else WebhookEventType.DISABLED
            await self._tell(change, caller, webhook, move, now=now)

    async def _tell(
        self,
        change: WebhookChange,
        caller: Caller,
        webhook: Webhook,
        what: WebhookEventType,
        *,
        now: datetime,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        """Write down what happened: in the activity log for people, in the outbox for programs."""
        reason = webhook.disabled_reason if what is WebhookEventType.DISABLED else None
        told = {"name": webhook.name, **({"reason": reason} if reason else {}), **(detail or {})}
        await change.record(
            Activity(
                workspace_id=webhook.workspace_id,
                at=now,
                actor=caller.actor,
                action=what.value.replace("-", ".", 1),
                subject=str(webhook.id),
                detail=told,
            )
        )
        await change.publish(
            WebhookEvent(
                id=uuid.uuid4(),
                source=SOURCE_API,
                type=what,
                workspace_id=webhook.workspace_id,
                occurred_at=now,
                data=WebhookChanged(
                    webhook_id=str(webhook.id),
                    name=webhook.name,
                    version=webhook.version,
                    reason=reason,
                    actor=caller.actor,
                ),
            )
        )
