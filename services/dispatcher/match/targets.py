"""A webhook's row as a target: its secrets opened, each sealed value once."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from coro_events.store.vault import Vault
from services.dispatcher.match.delivery import Target

# One entry is a few hundred bytes; what is not there costs two decryptions, about 10 µs.
REMEMBERED = 20_000

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class WebhookRow(Protocol):
    """The columns of a webhook that a target is made of."""

    id: UUID
    workspace_id: str
    version: int
    url: str
    secret_sealed: bytes
    headers_sealed: bytes | None


class Targets:
    """Makes targets of rows; remembers opened secrets by their sealed bytes, which never mean anything else."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._opened: OrderedDict[tuple[bytes, bytes | None], tuple[bytes, Mapping[str, str]]] = OrderedDict()

    def of(self, row: WebhookRow) -> Target:
        """Return the target of a row.

        Raises:
            SecretUnreadableError: The secret was sealed with a key that is not in the ring.
        """
        sealed = (row.secret_sealed, row.headers_sealed)
        opened = self._opened.get(sealed)
        if opened is None:
            opened = self._open(str(row.id), *sealed)
            self._opened[sealed] = opened
            if len(self._opened) > REMEMBERED:
                self._opened.popitem(last=False)
        secret, headers = opened
        return Target(
            webhook_id=row.id,
            workspace_id=row.workspace_id,
            version=row.version,
            url=row.url,
            secret=secret,
            headers=headers,
        )

    def _open(self, row: str, secret: bytes, headers: bytes | None) -> tuple[bytes, Mapping[str, str]]:
        plain = self._vault.open(secret, row=row, field="secret").encode()
        if headers is None:
            return plain, _NO_HEADERS
        return plain, MappingProxyType(json.loads(self._vault.open(headers, row=row, field="headers")))
