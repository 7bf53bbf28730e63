"""Answers a request that carries an idempotency key once, however often it comes."""

import hashlib
import hmac
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from coro_events.runtime.clock import Clock
from coro_events.store.vault import Vault
from services.api.access.service import Caller
from services.api.idempotency.ports import Claim, KeptAnswer, Keys
from services.api.refusals import Fault, InvalidInput, KeyReused, Refusal, StillUnderWay

HEADER = "Idempotency-Key"
MAX_KEY_CHARACTERS = 255
KEPT_FOR = timedelta(hours=24)
# Longer than any transaction lives: whoever answers later than that has lost the key, and its work is undone.
CLAIMED_FOR = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was given the first time."""

    status: int
    headers: Mapping[str, str]
    body: str


class Once:
    """One request, with a key or without.

    Attributes:
        answer: What was answered before; nothing may be done again then.
    """

    def __init__(self, *, vault: Vault, claim: Claim | None, answer: Answer | None = None) -> None:
        self.answer = answer
        self._vault = vault
        self._claim = claim

    @property
    def is_kept(self) -> bool:
        """Return whether an answer must be kept."""
        return self._claim is not None

    def keep(self, status: int, headers: Mapping[str, str], body: BaseModel) -> KeptAnswer:
        """Return an answer as it is kept; secrets in it are sealed.

        Raises:
            ValueError: The request has no key.
        """
        if self._claim is None:
            raise ValueError("the request has no idempotency key")
        told = {"status": status, "headers": dict(headers), "body": body.model_dump_json(by_alias=True)}
        return KeptAnswer(self._claim, self._vault.seal(json.dumps(told), row=_row(self._claim), field="answer"))


class Idempotency:
    """Tells repeated requests from new ones."""

    def __init__(self, *, keys: Keys, vault: Vault, clock: Clock) -> None:
        self._keys = keys
        self._vault = vault
        self._clock = clock

    @asynccontextmanager
    async def once(self, caller: Caller, key: str | None, *, operation: str, body: BaseModel) -> AsyncIterator[Once]:
        """Open the block in which a request is answered.

        What is refused in the block leaves the key free, as nothing was done. After any other error it is unknown
        what was done, so the key stays claimed for a minute; a repeat then finds the answer, or does it anew.

        Args:
            caller: Who asks; each credential has keys of its own.
            key: As the header says; none does without.
            operation: Method and path.
            body: As it was read; a default that is left out and one that is written are the same.

        Raises:
            InvalidInput: The key is empty, too long or not printable ASCII.
            KeyReused: The key stands for another request.
            StillUnderWay: The same request is being answered right now.
        """
        if key is None:
            yield Once(vault=self._vault, claim=None)
            return
        claim = Claim(caller.client_id, _checked(key), uuid.uuid4())
        answer = await self._begin(claim, _fingerprint(caller, operation, body))
        if answer is not None:
            yield Once(vault=self._vault, claim=None, answer=answer)
            return
        try:
            yield Once(vault=self._vault, claim=claim)
        except Refusal:
            await self._keys.give_up(claim)
            raise

    async def _begin(self, claim: Claim, fingerprint: str) -> Answer | None:
        """Claim the key, or return what was answered under it."""
        now, row = self._clock.now(), _row(claim)
        seen = await self._keys.claim(
            claim,
            request_sealed=self._vault.seal(fingerprint, row=row, field="request"),
            now=now,
            until=now + CLAIMED_FOR,
            expires_at=now + KEPT_FOR,
        )
        if seen is None:
            return None
        asked = self._vault.open(seen.request_sealed, row=row, field="request")
        if not hmac.compare_digest(asked, fingerprint):
            raise KeyReused("choose a new key for a new request")
        if seen.answer_sealed is None:
            if await self._keys.take_over(claim, now=now, until=now + CLAIMED_FOR):
                return None
            raise StillUnderWay("ask again with the same key for its answer")
        told: dict[str, Any] = json.loads(self._vault.open(seen.answer_sealed, row=row, field="answer"))
        return Answer(status=told["status"], headers=told["headers"], body=told["body"])


def _checked(key: str) -> str:
    if not (1 <= len(key) <= MAX_KEY_CHARACTERS and key.isascii() and key.isprintable()):
        raise InvalidInput(Fault(HEADER, f"must be 1 to {MAX_KEY_CHARACTERS} printable ASCII characters"))
    return key


def _fingerprint(caller: Caller, operation: str, body: BaseModel) -> str:
    told = json.dumps([operation, caller.workspace_id, body.model_dump_json()])
    return hashlib.sha256(told.encode()).hexdigest()


def _row(claim: Claim) -> str:
    return f"{claim.client_id}/{claim.key}"
