"""Webhook versions on record: their lives, who still uses them, and the release of the next one."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Row, insert, select, text, update

from coro_events.contract.topics import WEBHOOKS
from coro_events.contract.webhook_events import VersionReleased, WebhookEvent, WebhookEventType, encode_webhook_event
from coro_events.rules.releasing import Release, Unreleasable, VersionLife, decide_release
from coro_events.store.outbox import RING, outbox
from coro_events.store.unit import ReadConnection, WriteConnection
from coro_events.store.versions import webhook_versions

_c = webhook_versions.c
_LIVES = select(_c.version, _c.released_at, _c.expires_at).order_by(_c.version)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# A version belongs to all, so each tree's log tells it, once, at the top.
_TELL_ROOTS = text("""
    insert into activity_log (workspace_id, at, actor, action, subject, detail)
    select id, :at, :actor, 'version.released', :subject, cast(:detail as jsonb)
    from workspaces where parent_id is null
""")

# Webhooks that would stop, or could be enabled, when the version ends. Drafts and what they have replaced do not count.
_USES = text("""
    select w.version, count(*) as webhooks, count(distinct w.workspace_id) as workspaces
    from webhooks w join workspaces k on k.id = w.workspace_id
    where w.state in ('enabled', 'disabled') and w.replaced_by is null
        and (cast(:under as text) is null or k.path @> array[cast(:under as text)])
    group by w.version
""")


@dataclass(frozen=True, slots=True)
class Use:
    """How much a version is still used: webhooks that are enabled or disabled, and the workspaces they are of."""

    webhooks: int
    workspaces: int


async def read_lives(connection: ReadConnection) -> list[VersionLife]:
    """Return the lives of all versions, in order."""
    return _lives(await connection.rows(_LIVES))


async def read_uses(connection: ReadConnection, *, under: str | None = None) -> Mapping[int, Use]:
    """Return how much each version is used, in all workspaces or at and below one; unused ones are not named."""
    rows = await connection.rows(_USES, {"under": under})
    return {row.version: Use(row.webhooks, row.workspaces) for row in rows}


async def release_version(
    connection: WriteConnection, version: int, *, at: datetime | None, now: datetime, actor: str, source: str
) -> Release | Unreleasable:
    """Release a version, let the one before expire, and tell both; the same release again changes nothing.

    Args:
        connection: Whose transaction it is part of.
        version: The one to release.
        at: From when on it counts as released, in the past by a day at the most; none means now.
        now: The present.
        actor: Who does it, as the activity log names it.
        source: Who tells it on Kafka.
    """
    lives = _lives(await connection.rows(_LIVES.with_for_update()))
    decided = decide_release(lives, version, at=at, now=now)
    if isinstance(decided, Unreleasable) or not decided.is_new:
        return decided
    await connection.execute(
        update(webhook_versions).where(_c.version == version).values(released_at=decided.released_at)
    )
    if decided.previous is not None:
        before = update(webhook_versions).where(_c.version == decided.previous)
        await connection.execute(before.values(expires_at=decided.previous_expires_at))
    await _tell(connection, decided, now=now, actor=actor, source=source)
    return decided


def _lives(rows: Sequence[Row[Any]]) -> list[VersionLife]:
    return [VersionLife(row.version, row.released_at, row.expires_at) for row in rows]


async def _tell(connection: WriteConnection, release: Release, *, now: datetime, actor: str, source: str) -> None:
    data = VersionReleased(
        version=release.version,
        previous_version=release.previous,
        previous_expires=None if release.previous_expires_at is None else _milliseconds(release.previous_expires_at),
    )
    # The time of the message is that of the release, which may lie ahead.
    event = WebhookEvent(uuid.uuid4(), source, WebhookEventType.VERSION_RELEASED, None, release.released_at, data)
    detail = {**data.model_dump(by_alias=True), "released": _milliseconds(release.released_at)}
    told = {"at": now, "actor": actor, "subject": str(release.version)}
    await connection.execute(_TELL_ROOTS, told | {"detail": json.dumps(detail)})
    message = from_json(encode_webhook_event(event))
    await connection.execute(insert(outbox).values(topic=WEBHOOKS, key="", message=message))
    await connection.execute(RING)


def _milliseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // _MILLISECOND
