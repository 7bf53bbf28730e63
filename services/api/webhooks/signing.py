"""Signs an example with a webhook's own secret, so that whoever knows the secret can try the check of a signature."""

import hmac
import uuid
from base64 import b64encode

from services.api.access.service import Caller
from services.api.refusals import NotFound
from services.api.webhooks.ports import WebhookStore
from services.api.webhooks.seals import Seals


class Signing:
    """Makes signatures over id, time and body; never the one over an id alone, under which any body could be sent."""

    def __init__(self, *, store: WebhookStore, seals: Seals) -> None:
        self._store = store
        self._seals = seals

    async def signature(
        self, caller: Caller, webhook_id: uuid.UUID, *, hook_id: str, timestamp_s: int, body: bytes
    ) -> str:
        """Return one `v1,…` entry of `webhook-signature`, as the dispatcher makes it with the present secret.

        It is for those who may change the secret: with a weak one, it could be guessed from its signatures.

        Raises:
            NotFound: The workspace has no such webhook.
            SecretUnreadableError: The secret was sealed with a key that is not there.
        """
        webhook = await self._store.one(caller.workspace_id, webhook_id)
        if webhook is None:
            raise NotFound
        signed = b"%b.%d.%b" % (hook_id.encode(), timestamp_s, body)
        digest = hmac.digest(self._seals.open(webhook).secret.encode(), signed, "sha256")
        return f"v1,{b64encode(digest).decode()}"
