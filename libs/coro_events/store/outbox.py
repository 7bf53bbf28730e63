"""The outbox: what must still be published to Kafka, written in the same transaction as its cause."""

from sqlalchemy import BigInteger, Column, Identity, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from coro_events.store.base import instant, metadata

# Rung at the commit of whoever writes to the outbox, so that the relay need not wait for its next look.
CHANNEL = "coro_outbox"
RING = text(f"select pg_notify('{CHANNEL}', '')")

outbox = Table(
    "outbox",
    metadata,
    # The order of publishing. Taken after the row lock on the webhook, so in order per webhook.
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    # A whole structured CloudEvent; its id is stable, so a second publishing is recognised.
    Column("message", JSONB, nullable=False),
    Column("created_at", instant(), nullable=False, server_default=text("now()")),
)
