"""All tables in one import, for migrations and for tests."""

from coro_events.store.access import api_credentials, sessions, users
from coro_events.store.activity import activity_log
from coro_events.store.base import metadata
from coro_events.store.consumed import consumed
from coro_events.store.deliveries import attempts, deliveries
from coro_events.store.events import events
from coro_events.store.idempotency import idempotency_keys
from coro_events.store.mails import mail_causes, mail_recipients, mail_webhooks, mails
from coro_events.store.notices import notices
from coro_events.store.outbox import outbox
from coro_events.store.replays import replays
from coro_events.store.sequences import sequences
from coro_events.store.versions import webhook_versions
from coro_events.store.webhooks import webhooks
from coro_events.store.workspaces import workspaces

__all__ = [
    "activity_log",
    "api_credentials",
    "attempts",
    "consumed",
    "deliveries",
    "events",
    "idempotency_keys",
    "mail_causes",
    "mail_recipients",
    "mail_webhooks",
    "mails",
    "metadata",
    "notices",
    "outbox",
    "replays",
    "sequences",
    "sessions",
    "users",
    "webhook_versions",
    "webhooks",
    "workspaces",
]
