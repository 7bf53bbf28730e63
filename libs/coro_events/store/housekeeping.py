"""Rows whose time is over, and questions whether the tables still agree with one another."""

from datetime import date, datetime

from sqlalchemy import text

from coro_events.store.unit import ReadConnection, WriteConnection

_DROP_SESSIONS = text(
    "delete from sessions where token_hash in (select token_hash from sessions where expires_at <= :now limit :limit)"
)
_COUNT_SESSIONS = text("select count(*) from sessions where expires_at <= :now")

# A claim that still answers its request is never longer than its `claimed_until`.
_DROP_KEYS = text(
    "delete from idempotency_keys where (client_id, key) in"
    " (select client_id, key from idempotency_keys where expires_at <= :now and claimed_until <= :now limit :limit)"
)
_COUNT_KEYS = text("select count(*) from idempotency_keys where expires_at <= :now and claimed_until <= :now")

# Bounded: one is as alarming as a thousand.
MOST_COUNTED = 1_000
_ORPHANS = text(
    "select count(*) from (select from deliveries d where d.day = :day and d.kind <> 'test' and not exists"
    " (select from events e where e.day = d.day and e.id = d.event_id) limit :most) o"
)

# By the database's clock, as leases are.
_STUCK = text(
    "select count(*) from (select from deliveries d join webhooks w on w.id = d.webhook_id and w.state = 'enabled'"
    " where d.state = 'pending' and d.claim is not null and d.due_at < now() - make_interval(secs => :overdue_s)"
    " limit :most) s"
)

_OUTBOX = text("select coalesce(extract(epoch from now() - min(created_at)), 0) from outbox")


async def drop_sessions(connection: WriteConnection, now: datetime, *, limit: int) -> int:
    """Remove sessions that have ended; return how many."""
    return (await connection.execute(_DROP_SESSIONS, {"now": now, "limit": limit})).rowcount


async def count_ended_sessions(connection: ReadConnection, now: datetime) -> int:
    """Return how many sessions have ended."""
    return int(await connection.scalar(_COUNT_SESSIONS, {"now": now}))


async def drop_keys(connection: WriteConnection, now: datetime, *, limit: int) -> int:
    """Remove idempotency keys whose answer is not kept any more; return how many."""
    return (await connection.execute(_DROP_KEYS, {"now": now, "limit": limit})).rowcount


async def count_ended_keys(connection: ReadConnection, now: datetime) -> int:
    """Return how many idempotency keys have ended."""
    return int(await connection.scalar(_COUNT_KEYS, {"now": now}))


async def deliveries_without_event(connection: ReadConnection, day: date) -> int:
    """Return how many deliveries of a day are of an event that is not there, tests aside, up to a thousand."""
    return int(await connection.scalar(_ORPHANS, {"day": day, "most": MOST_COUNTED}))


async def stuck_claims(connection: ReadConnection, *, overdue_s: float) -> int:
    """Return how many claims ended so long ago and were taken up by nobody, up to a thousand."""
    return int(await connection.scalar(_STUCK, {"overdue_s": overdue_s, "most": MOST_COUNTED}))


async def outbox_age_s(connection: ReadConnection) -> float:
    """Return the age of the oldest message in the outbox, in seconds; 0 where there is none."""
    return max(0.0, float(await connection.scalar(_OUTBOX)))
