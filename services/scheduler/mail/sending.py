"""The chore that hands mails to the mail server: no faster than it likes, each once, and again later where it fails."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parseaddr

from coro_events.errors import MailServerAwayError, StoreUnavailableError
from coro_events.runtime.clock import Clock
from coro_events.runtime.logs import get_logger
from coro_events.runtime.retrying import until_it_works
from coro_events.store import mail_queue
from coro_events.store.mail_queue import Claimed
from coro_events.store.unit import Database
from services.scheduler.mail.measures import MailMeasures
from services.scheduler.mail.patience import SERVER_WAIT_S, next_wait_s
from services.scheduler.mail.ports import Answer, Letter, Mailer, MailSession, Outcome
from services.scheduler.pausing import pause
from services.scheduler.planned import Planned

_log = get_logger("mail")

# Claimed at once, and no more than are sent in half a minute.
_BATCH_MAILS = 20
_BATCH_S = 30.0
# How long others leave a batch alone; no mail of it is begun when less than a minute of that is left.
_LEASE_S = 300.0
_LEAST_LEFT_S = 60.0


class Sending:
    """Satisfies `Chore`.

    A mail is on record as sent in a transaction of its own, right after the server took it. Only a crash between the
    two, or a server that is lost before it answers, has the same mail sent again, with the same Message-ID.
    """

    name = "mails"

    def __init__(
        self,
        *,
        database: Database,
        mailer: Mailer | None,
        sender: str,
        clock: Clock,
        rate_per_s: float,
        span_s: float,
        stopping: asyncio.Event,
        measures: MailMeasures,
    ) -> None:
        """Keep the settings.

        Args:
            database: Where mails wait.
            mailer: Who takes them; none keeps them waiting.
            sender: The From line, whose domain makes Message-IDs unique.
            clock: Of the process.
            rate_per_s: At most so many mails a second.
            span_s: How long one run may go on; the next goes on from there.
            stopping: Set when the process is to end.
            measures: Where outcomes are counted.
        """
        self._database = database
        self._mailer = mailer
        self._domain = parseaddr(sender)[1].rpartition("@")[2]
        self._clock = clock
        self._interval_s = 1 / rate_per_s
        self._batch_mails = max(1, min(_BATCH_MAILS, int(_BATCH_S * rate_per_s)))
        self._span_s = span_s
        self._stopping = stopping
        self._measures = measures
        self._next_at = clock.monotonic()

    async def run_once(self, now: datetime) -> Mapping[str, object]:
        """Send what is due."""
        run = _Run(now, self._clock)
        try:
            while self._mailer is not None and self._goes_on(run) and await self._batch(self._mailer, run):
                pass
        finally:
            waiting, oldest_age_s = await self._waiting(run.now())
        self._measures.waiting.set(waiting)
        self._measures.oldest_age_s.set(oldest_age_s)
        return {**{outcome.value: run.outcomes[outcome] for outcome in Outcome}, "waiting": waiting}

    async def preview(self, now: datetime) -> Sequence[Planned]:
        """Return what is due to be sent."""
        async with self._database.read() as connection:
            due = await mail_queue.outgoing(connection, now)
        return [Planned("send mail", mail.email, mail.workspace_id, mail.subject) for mail in due]

    async def _waiting(self, now: datetime) -> tuple[int, float]:
        async with self._database.read() as connection:
            return await mail_queue.waiting(connection, now)

    def _goes_on(self, run: "_Run") -> bool:
        return not self._stopping.is_set() and run.elapsed_s() < self._span_s

    async def _batch(self, mailer: Mailer, run: "_Run") -> bool:
        """Send some of what is due; tell whether to go on."""
        now = run.now()
        until, last = now + timedelta(seconds=_LEASE_S), now + timedelta(seconds=_LEASE_S - _LEAST_LEFT_S)
        async with self._database.write() as connection:
            claimed = await mail_queue.claim(connection, now=now, until=until, limit=self._batch_mails)
        if not claimed:
            return False
        left = list(claimed)
        before, is_talking = run.outcomes[Outcome.TAKEN], False
        try:
            async with mailer.session() as session:
                is_talking = True
                while left and self._goes_on(run) and run.now() < last:
                    await self._one(session, left[0], run)
                    left.pop(0)
        except MailServerAwayError as error:
            _log.warning("mail.server_away", error=error.detail, left=len(left))
            # One that ends every conversation after a few mails is talked to again at once.
            goes_on = run.outcomes[Outcome.TAKEN] > before
            await self._put_off(left, run, error=error.detail, was_begun=is_talking, is_late=not goes_on)
            return goes_on
        await self._give_back(left, run.now())
        return True

    async def _one(self, session: MailSession, claimed: Claimed, run: "_Run") -> None:
        await pause(self._clock, max(0.0, self._next_at - self._clock.monotonic()), self._stopping)
        self._next_at = self._clock.monotonic() + self._interval_s
        answer = await session.send(self._letter(claimed))
        # What the server has must not be forgotten for a database that is away for a moment.
        await until_it_works(
            lambda: self._record(claimed, answer, run.now()),
            name="mail",
            errors=(StoreUnavailableError,),
            clock=self._clock,
            stopping=self._stopping,
        )
        self._tell(claimed, answer)
        run.outcomes[answer.outcome] += 1

    def _letter(self, claimed: Claimed) -> Letter:
        name = hashlib.sha256(f"{claimed.mail_id}/{claimed.email}".encode()).hexdigest()[:32]
        return Letter(f"{name}@{self._domain}", claimed.email, claimed.words, claimed.sealed_at)

    async def _record(self, claimed: Claimed, answer: Answer, now: datetime) -> None:
        wait_s = next_wait_s(claimed.attempts + 1) if answer.outcome is Outcome.DEFERRED else None
        async with self._database.write() as connection:
            if answer.outcome is Outcome.TAKEN:
                await mail_queue.sent(connection, claimed, now)
            elif wait_s is None:
                await mail_queue.give_up(connection, claimed, error=answer.said)
            else:
                due_at = now + timedelta(seconds=wait_s)
                await mail_queue.postpone(connection, claimed, due_at, error=answer.said, is_counted=True)

    def _tell(self, claimed: Claimed, answer: Answer) -> None:
        self._measures.outcomes.labels(answer.outcome.value).inc()
        told = {"mail_id": str(claimed.mail_id), "kind": claimed.kind.value, "attempt": claimed.attempts + 1}
        if answer.outcome is Outcome.TAKEN:
            _log.info("mail.sent", **told)
        else:
            _log.warning("mail.not_taken", outcome=answer.outcome.value, **told)

    async def _put_off(
        self, left: Sequence[Claimed], run: "_Run", *, error: str, was_begun: bool, is_late: bool
    ) -> None:
        """Keep the mail at hand for later, whose fate is not known once it was begun, and give back the others."""
        at_hand = left[0]
        wait_s = next_wait_s(at_hand.attempts + 1) if was_begun else SERVER_WAIT_S
        later = run.now() + timedelta(seconds=SERVER_WAIT_S)
        async with self._database.write() as connection:
            if wait_s is None:
                await mail_queue.give_up(connection, at_hand, error=error)
            else:
                due_at = run.now() + timedelta(seconds=wait_s)
                await mail_queue.postpone(connection, at_hand, due_at, error=error, is_counted=was_begun)
            await mail_queue.release(connection, at_hand.claim, later if is_late else run.now())

    async def _give_back(self, left: Sequence[Claimed], now: datetime) -> None:
        if left:
            async with self._database.write() as connection:
                await mail_queue.release(connection, left[0].claim, now)


class _Run:
    """One run as at a time, which passes meanwhile."""

    def __init__(self, now: datetime, clock: Clock) -> None:
        self.outcomes = dict.fromkeys(Outcome, 0)
        self._started_at = now
        self._clock = clock
        self._started_s = clock.monotonic()

    def elapsed_s(self) -> float:
        return self._clock.monotonic() - self._started_s

    def now(self) -> datetime:
        return self._started_at + timedelta(seconds=self.elapsed_s())
