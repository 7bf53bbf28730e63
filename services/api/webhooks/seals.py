"""Secrets and headers of webhooks, between the clear and what is stored."""

import json
import uuid

from coro_events.store.vault import Vault
from services.api.webhooks.edit import Secrets
from services.api.webhooks.ports import Webhook


class Seals:
    """Seals what is secret in a webhook, and opens it."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def seal(self, webhook_id: uuid.UUID, secrets: Secrets) -> tuple[bytes, bytes | None]:
        """Return the sealed secret and the sealed headers, if there are any."""
        secret = self.secret(webhook_id, secrets.secret)
        if not secrets.headers:
            return secret, None
        return secret, self._vault.seal(json.dumps(dict(secrets.headers)), row=str(webhook_id), field="headers")

    def secret(self, webhook_id: uuid.UUID, secret: str) -> bytes:
        """Return a sealed secret; it stays valid when it becomes the previous one of the same webhook."""
        return self._vault.seal(secret, row=str(webhook_id), field="secret")

    def open(self, webhook: Webhook) -> Secrets:
        """Return secret and headers in the clear.

        Raises:
            SecretUnreadableError: They were sealed with a key that is not there.
        """
        secret = self._vault.open(webhook.secret_sealed, row=str(webhook.id), field="secret")
        return Secrets(secret=secret, headers=self.headers(webhook))

    def headers(self, webhook: Webhook) -> dict[str, str]:
        """Return the headers in the clear.

        Raises:
            SecretUnreadableError: They were sealed with a key that is not there.
        """
        if webhook.headers_sealed is None:
            return {}
        headers: dict[str, str] = json.loads(
            self._vault.open(webhook.headers_sealed, row=str(webhook.id), field="headers")
        )
        return headers
