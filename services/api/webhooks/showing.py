"""Shows webhooks as clients read them: with their last delivery, and with masks in place of what is secret."""

from collections.abc import Sequence

from coro_events.runtime.clock import Clock
from services.api.webhooks.ports import Delivery, Webhook, WebhookStore
from services.api.webhooks.schemas import WebhookView
from services.api.webhooks.seals import Seals
from services.api.webhooks.view import webhook_fields


class Showing:
    """Makes views of webhooks."""

    def __init__(self, *, store: WebhookStore, seals: Seals, clock: Clock) -> None:
        self._store = store
        self._seals = seals
        self._clock = clock

    async def views(self, webhooks: Sequence[Webhook]) -> list[WebhookView]:
        """Return the views of webhooks, in their order."""
        last = await self._store.last_deliveries([webhook.id for webhook in webhooks])
        return [self._view(webhook, last.get(webhook.id)) for webhook in webhooks]

    async def view(self, webhook: Webhook) -> WebhookView:
        """Return the view of one webhook."""
        (view,) = await self.views([webhook])
        return view

    def view_of_new(self, webhook: Webhook) -> WebhookView:
        """Return the view of a webhook that cannot have had a delivery yet."""
        return self._view(webhook, None)

    def _view(self, webhook: Webhook, last: Delivery | None) -> WebhookView:
        fields = webhook_fields(
            webhook, header_names=self._seals.headers(webhook), last_delivery=last, now=self._clock.now()
        )
        return WebhookView(**fields)
