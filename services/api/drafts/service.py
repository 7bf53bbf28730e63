"""Drafts: each step of theirs in one transaction with its lines in the activity log and its messages."""

import uuid
from collections.abc import Callable
from dataclasses import replace

from coro_events.rules.webhooks import WebhookState
from coro_events.runtime.clock import Clock
from services.api.access.service import Caller
from services.api.drafts.rules import drafted, published, require_draft, switched_back, version_of_draft
from services.api.drafts.telling import Teller
from services.api.idempotency.ports import KeptAnswer
from services.api.refusals import EditConflict, Fault, InvalidInput, NameTaken, NoSuchDraft, NotFound, WrongState
from services.api.webhooks.edit import require_match
from services.api.webhooks.ports import Webhook, WebhookChange, WebhookStore
from services.api.webhooks.reach import Reach
from services.api.webhooks.schemas import WebhookView
from services.api.webhooks.seals import Seals
from services.api.webhooks.showing import Showing


class Drafts:
    """Makes drafts, tries them out, publishes them and takes them back."""

    def __init__(self, *, store: WebhookStore, showing: Showing, seals: Seals, clock: Clock, reach: Reach) -> None:
        self._store = store
        self._showing = showing
        self._seals = seals
        self._clock = clock
        self._reach = reach

    async def one(self, caller: Caller, webhook_id: uuid.UUID) -> tuple[Webhook, WebhookView]:
        """Return the draft of a webhook.

        Raises:
            NotFound: The workspace has no such webhook.
            NoSuchDraft: The webhook has no draft.
        """
        draft_id = await self._store.draft_of(webhook_id)
        draft = None if draft_id is None else await self._store.one(caller.workspace_id, draft_id)
        if draft is None:
            if await self._store.one(caller.workspace_id, webhook_id) is None:
                raise NotFound
            raise NoSuchDraft
        return draft, await self._showing.view(draft)

    async def make(
        self, caller: Caller, webhook_id: uuid.UUID, *, keep: Callable[[Webhook, WebhookView], KeptAnswer] | None = None
    ) -> tuple[Webhook, WebhookView]:
        """Make a draft of a webhook: a copy at the newest released version, which delivers nothing.

        Raises:
            NotFound: The workspace has no such webhook.
            WrongState: It has a draft, it cannot have one, or there is no later version.
        """
        lives, now = await self._store.versions(), self._clock.now()
        async with self._store.change() as change:
            original = await change.lock(caller.workspace_id, webhook_id)
            if original is None:
                raise NotFound
            version = version_of_draft(original, lives, now)
            present = await change.draft_of(webhook_id)
            if present is not None:
                raise WrongState(f"it has a draft, {present}; edit that one, or remove it first")
            expiries = {life.version: life.expires_at for life in lives}
            draft = replace(drafted(original, uuid.uuid4(), version, now), expires_at=expiries.get(version))
            # Seals are good for the webhook they were made for.
            secret, headers = self._seals.seal(draft.id, self._seals.open(original))
            draft = replace(draft, secret_sealed=secret, headers_sealed=headers)
            await change.insert(draft)
            await Teller(change, actor=caller.actor, at=now).made(draft, original)
            view = self._showing.view_of_new(draft)
            if keep is not None:
                await change.keep(keep(draft, view))
        return draft, view

    async def publish(
        self, caller: Caller, draft_id: uuid.UUID, *, if_match: str | None
    ) -> tuple[Webhook, WebhookView]:
        """Let a draft take over from its original, in one step: every event goes to one of the two.

        Raises:
            NotFound: The workspace has no such webhook.
            EditConflict: It is not at the revision that the caller has read.
            WrongState: It is no draft, or its version has expired.
            NameTaken: Another webhook has its name.
        """
        now = self._clock.now()
        async with self._store.change() as change:
            draft, original = await self._pair(change, caller, draft_id)
            require_draft(draft, await change.draft_of(draft_id), "published")
            require_match(draft, if_match)
            if original is None:
                raise EditConflict("its original was changed in this very moment; look at both again")
            swapped = published(draft, original, now)
            # The original first: it leaves its name to the draft.
            await change.update(swapped.original)
            await _update(change, swapped.draft, "rename the draft first, then publish it")
            was_enabled = original.state is WebhookState.ENABLED
            await Teller(change, actor=caller.actor, at=now).published(swapped, was_enabled=was_enabled)
        return swapped.draft, await self._showing.view(swapped.draft)

    async def switch_back(
        self, caller: Caller, webhook_id: uuid.UUID, *, if_match: str | None
    ) -> tuple[Webhook, WebhookView]:
        """Make a published draft a draft again, and let the webhook before deliver again, in one step.

        Returns:
            The webhook before.

        Raises:
            NotFound: The workspace has no such webhook.
            EditConflict: It is not at the revision that the caller has read.
            WrongState: It took over from none, was replaced itself, has a draft, or the old version has expired.
            NameTaken: Another webhook has the name of the one before.
        """
        now = self._clock.now()
        async with self._store.change() as change:
            current, old = await self._pair(change, caller, webhook_id)
            require_match(current, if_match)
            if current.replaces is None and current.replaced_by is None:
                raise WrongState("it took over from no other webhook, so there is none to switch back to")
            if current.replaces is not None and old is None:
                raise EditConflict("the webhook before was changed in this very moment; look at both again")
            swapped = switched_back(current, old or current, now)
            if (draft_id := await change.draft_of(webhook_id)) is not None:
                raise WrongState(f"it has a draft itself, {draft_id}; remove that one first")
            await change.update(swapped.draft)
            await _update(change, swapped.original, "the webhook before would come back under it; rename the other one")
            is_enabled = swapped.original.state is WebhookState.ENABLED
            await Teller(change, actor=caller.actor, at=now).switched_back(swapped, is_enabled=is_enabled)
        return swapped.original, await self._showing.view(swapped.original)

    async def set_shadow(
        self, caller: Caller, draft_id: uuid.UUID, url: str | None, *, if_match: str | None
    ) -> tuple[Webhook, WebhookView]:
        """Send events in the draft's format to a second URL as well, or to none any more.

        Args:
            caller: Who asks, and in which workspace.
            draft_id: The draft.
            url: As it was checked against the rules of bodies; none ends it.
            if_match: The revision that the caller has read.

        Raises:
            NotFound: The workspace has no such webhook.
            EditConflict: It is not at the revision that the caller has read.
            WrongState: It is no draft.
            InvalidInput: The URL is that of the original, or leads where nobody is called.
        """
        if url is not None:
            # Before the transaction, which must not wait for a name server.
            await self._reach.require(url)
        now = self._clock.now()
        async with self._store.change() as change:
            draft, original = await self._pair(change, caller, draft_id)
            require_draft(draft, await change.draft_of(draft_id), "tried out")
            require_match(draft, if_match)
            if url is not None and original is not None and url == original.url:
                raise InvalidInput(Fault("url", "must not be that of the original, which would get each event twice"))
            if draft.shadow_url != url:
                draft = replace(draft, shadow_url=url, revision=draft.revision + 1, updated_at=now)
                await change.update(draft)
                await Teller(change, actor=caller.actor, at=now).changed(draft, "shadowUrl")
        return draft, await self._showing.view(draft)

    async def _pair(
        self, change: WebhookChange, caller: Caller, webhook_id: uuid.UUID
    ) -> tuple[Webhook, Webhook | None]:
        """Lock a webhook and, if there is one, the original of it or what it replaced; always in the same order."""
        # Whoever changes which webhook is whose has this lock.
        await change.reserve(caller.workspace_id)
        seen = await change.find(caller.workspace_id, webhook_id)
        if seen is None:
            raise NotFound
        other_id = seen.draft_of or seen.replaces
        locked = await change.lock_all(caller.workspace_id, [webhook_id, *([other_id] if other_id else [])])
        if webhook_id not in locked:
            raise NotFound
        return locked[webhook_id], None if other_id is None else locked.get(other_id)


async def _update(change: WebhookChange, webhook: Webhook, what_to_do: str) -> None:
    try:
        await change.update(webhook)
    except NameTaken as error:
        raise NameTaken(what_to_do) from error
