"""A webhook's row as a target: its secrets opened, each sealed value once."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Protocol
from uuid import UUID

from coro_events.contract.retirement import retirement_headers
from coro_events.errors import SecretUnreadableError
from coro_events.runtime.logs import get_logger
from coro_events.store.vault import Vault
from services.dispatcher.match.delivery import Target

# One entry is a few hundred bytes; what is not there costs two decryptions, about 10 µs.
REMEMBERED = 20_000

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


_log = get_logger("match")

# Secret and headers; no secret where they cannot be opened.
_Opened = tuple[bytes | None, Mapping[str, str]]


class WebhookRow(Protocol):
    """The columns of a webhook that a target is made of."""

    id: UUID
    workspace_id: str
    version: int
    url: str
    secret_sealed: bytes
    headers_sealed: bytes | None
    # None once its overlap is over.
    previous_secret_sealed: bytes | None
    # When the next version was released, and when this one expires.
    deprecated_at: datetime | None
    expires_at: datetime | None


class Targets:
    """Makes targets of rows; remembers opened secrets by their sealed bytes, which never mean anything else."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._opened: OrderedDict[tuple[bytes, bytes | None], _Opened] = OrderedDict()

    def of(self, row: WebhookRow) -> Target:
        """Return the target of a row.

        One whose secrets cannot be opened is a target without a secret: its deliveries fail by themselves, one by one,
        and a ring that lacks a key stops nobody else.
        """
        secret, headers = self._remembered(row.id, row.secret_sealed, row.headers_sealed)
        previous = None
        if row.previous_secret_sealed is not None:
            previous, _ = self._remembered(row.id, row.previous_secret_sealed, None)
        return Target(
            webhook_id=row.id,
            workspace_id=row.workspace_id,
            version=row.version,
            url=row.url,
            secret=secret,
            headers=headers,
            previous_secret=previous,
            retirement=retirement_headers(row.deprecated_at, row.expires_at),
        )

    def _remembered(self, webhook_id: UUID, secret: bytes, headers: bytes | None) -> _Opened:
        sealed = (secret, headers)
        opened = self._opened.get(sealed)
        if opened is None:
            try:
                opened = self._open(str(webhook_id), secret, headers)
            except SecretUnreadableError as error:
                _log.error("secret.unreadable", webhook_id=str(webhook_id), detail=error.detail)
                opened = (None, _NO_HEADERS)
            self._opened[sealed] = opened
            if len(self._opened) > REMEMBERED:
                self._opened.popitem(last=False)
        return opened

    def _open(self, row: str, secret: bytes, headers: bytes | None) -> _Opened:
        plain = self._vault.open(secret, row=row, field="secret").encode()
        if headers is None:
            return plain, _NO_HEADERS
        return plain, MappingProxyType(json.loads(self._vault.open(headers, row=row, field="headers")))
