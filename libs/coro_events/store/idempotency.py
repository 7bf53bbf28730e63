"""The table of requests that may be repeated: what was asked under a key, and what was answered."""

from sqlalchemy import Column, Index, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import UUID

from coro_events.store.base import instant, metadata

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    # The credential that chose the key.
    Column("client_id", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    # A hash of the request, sealed: what was asked may hold a secret that is short enough to be guessed.
    Column("request_sealed", LargeBinary, nullable=False),
    # Names who answers it; whoever keeps an answer must still hold it.
    Column("claim", UUID(as_uuid=True), nullable=False),
    Column("claimed_until", instant(), nullable=False),
    # Status, headers and body as one sealed JSON object; null until it is done.
    Column("answer_sealed", LargeBinary),
    Column("expires_at", instant(), nullable=False),
    Index("ix_idempotency_keys_expires_at", "expires_at"),
)
