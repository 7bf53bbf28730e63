"""The one wide line per attempt and per recorded batch, and their metrics."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from coro_events.runtime.logs import get_logger, write_lines
from services.dispatcher.deliver.outcome import Outcome
from services.dispatcher.metrics import Metrics
from services.dispatcher.record.effects import Effect

_log = get_logger("record")


class Reporter:
    """Tells what attempts came to."""

    def __init__(self, *, metrics: Metrics) -> None:
        self._metrics = metrics

    def attempted(self, effects: Sequence[Effect], recorded_at: datetime) -> None:
        """Report attempts whose outcomes are recorded: one line each, the same fields on success and failure."""
        ages_s = [_age_s(effect) for effect in effects]
        write_lines([_line(effect, age_s, recorded_at) for effect, age_s in zip(effects, ages_s, strict=True)])
        for outcome, count in Counter(effect.attempt.answer.outcome for effect in effects).items():
            self._metrics.attempts.labels(outcome.value).inc(count)
        self._metrics.attempt_seconds.observe(effect.attempt.duration_ms / 1000 for effect in effects)
        self._metrics.age.observe(
            age_s
            for effect, age_s in zip(effects, ages_s, strict=True)
            if effect.attempt.answer.outcome is Outcome.DELIVERED
        )

    def recorded(self, given: int, written: Sequence[Effect], duration_s: float) -> None:
        """Report a recorded batch: how many outcomes it had, which of them count, how long it took with all tries."""
        self._metrics.record_batch.observe(given)
        _log.info(
            "batch.recorded",
            outcomes=given,
            written=len(written),
            claims_lost=given - len(written),
            duration_ms=round(duration_s * 1000),
        )
        if given > len(written):
            self._metrics.lost_claims.inc(given - len(written))
            _log.warning("claim.lost", deliveries=given - len(written))
        for effect in written:
            if effect.disable_reason is not None:
                self._metrics.disabled.inc()
                _log.warning(
                    "webhook.disabled",
                    webhook_id=str(effect.attempt.delivery.target.webhook_id),
                    reason=effect.disable_reason,
                )


def _age_s(effect: Effect) -> float:
    """Return the seconds from the event's own time to the end of the attempt."""
    attempt = effect.attempt
    waited = attempt.started_at - attempt.delivery.happening.occurred_at
    return max(0.0, waited.total_seconds() + attempt.duration_ms / 1000)


def _line(effect: Effect, age_s: float, recorded_at: datetime) -> dict[str, object]:
    attempt = effect.attempt
    delivery = attempt.delivery
    return {
        "at": recorded_at,
        "level": "info",
        "service": "dispatcher",
        "room": "record",
        "event": "delivery.attempted",
        "hook_id": delivery.hook_id,
        "webhook_id": delivery.target.webhook_id,
        "workspace_id": delivery.happening.workspace_id,
        "type": delivery.happening.type,
        "kind": delivery.kind,
        "attempt": attempt.number,
        "outcome": attempt.answer.outcome,
        "status": attempt.answer.status,
        "duration_ms": attempt.duration_ms,
        "age_ms": round(age_s * 1000),
        "state": effect.state,
        "again_in_s": effect.again_in_s,
        "traceparent": delivery.happening.traceparent,
    }
