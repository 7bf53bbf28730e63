"""Idempotency keys in PostgreSQL."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from coro_events.store.tables import idempotency_keys
from coro_events.store.unit import Database, WriteConnection
from services.api.idempotency.ports import Claim, KeptAnswer, Seen
from services.api.refusals import StillUnderWay

_c = idempotency_keys.c
# Removed by each claim, so that no chore is needed: far more than one claim adds.
REMOVED_AT_ONCE = 20


class SqlKeys:
    """The keys on record, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(
        self, claim: Claim, *, request_sealed: bytes, now: datetime, until: datetime, expires_at: datetime
    ) -> Seen | None:
        """Claim a key that is new or has expired; none where that was done, else what is there."""
        values = {
            "request_sealed": request_sealed,
            "claim": claim.token,
            "claimed_until": until,
            "answer_sealed": None,
            "expires_at": expires_at,
        }
        statement = (
            insert(idempotency_keys)
            .values(client_id=claim.client_id, key=claim.key, **values)
            .on_conflict_do_update(index_elements=[_c.client_id, _c.key], set_=values, where=_c.expires_at <= now)
            .returning(_c.claim)
        )
        async with self._database.write() as connection:
            await _remove_expired(connection, now)
            if await connection.scalar(statement) is not None:
                return None
            row = await connection.row(select(_c.request_sealed, _c.answer_sealed).where(_of(claim)))
        if row is None:
            # Given up in between: whoever asks again finds it free.
            raise StillUnderWay
        return Seen(row.request_sealed, row.answer_sealed)

    async def take_over(self, claim: Claim, *, now: datetime, until: datetime) -> bool:
        """Claim a key whose answer did not come within its time."""
        left = and_(_of(claim), _c.answer_sealed.is_(None), _c.claimed_until <= now)
        async with self._database.write() as connection:
            taken = await connection.execute(
                update(idempotency_keys).where(left).values(claim=claim.token, claimed_until=until)
            )
        return bool(taken.rowcount)

    async def give_up(self, claim: Claim) -> None:
        """Forget a claimed key that is not answered."""
        async with self._database.write() as connection:
            await connection.execute(
                delete(idempotency_keys).where(_of(claim), _c.claim == claim.token, _c.answer_sealed.is_(None))
            )


async def keep_answer(connection: WriteConnection, answer: KeptAnswer) -> None:
    """Keep an answer in the transaction that it tells about.

    Raises:
        StillUnderWay: Another request has taken the key over; nothing of this transaction may count.
    """
    held = and_(_of(answer.claim), _c.claim == answer.claim.token, _c.answer_sealed.is_(None))
    kept = await connection.execute(update(idempotency_keys).where(held).values(answer_sealed=answer.sealed))
    if not kept.rowcount:
        raise StillUnderWay


def _of(claim: Claim) -> ColumnElement[bool]:
    return and_(_c.client_id == claim.client_id, _c.key == claim.key)


async def _remove_expired(connection: WriteConnection, now: datetime) -> None:
    expired = (
        select(_c.client_id, _c.key)
        .where(_c.expires_at < now)
        .order_by(_c.expires_at)
        .limit(REMOVED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    await connection.execute(delete(idempotency_keys).where(tuple_(_c.client_id, _c.key).in_(expired)))
