"""From deliveries on record to what clients read."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from services.api.history.cursor import write_cursor
from services.api.history.ports import Attempt, Detail, Entry, Figures, LastAttempt, Slice, Statistics
from services.api.history.request import sent_body, sent_headers
from services.api.history.schemas import (
    Answer,
    AttemptView,
    DeliveryDetail,
    DeliveryView,
    History,
    HourView,
    LastAttemptView,
    StatisticsView,
)
from services.api.webhooks.view import milliseconds

_HOUR = timedelta(hours=1)


def view_of_slice(part: Slice) -> History:
    """Return a page as clients read it."""
    return History(
        items=[DeliveryView(**_fields(entry)) for entry in part.entries],
        next_cursor=None if part.next is None else write_cursor(part.next),
    )


def view_of_detail(detail: Detail, *, header_names: Iterable[str]) -> DeliveryDetail:
    """Return one delivery as clients read it."""
    names = tuple(header_names)
    return DeliveryDetail(
        **_fields(detail.entry),
        url=detail.sent.url,
        body=sent_body(detail),
        attempted=[_attempt(detail, attempt, names) for attempt in detail.attempts],
    )


def view_of_statistics(statistics: Statistics, *, asked: datetime, until: datetime) -> StatisticsView:
    """Return figures as clients read them, with a row for each hour."""
    total = statistics.total
    over = total.delivered + total.failed
    return StatisticsView(
        since=milliseconds(statistics.since),
        until=milliseconds(until),
        complete=statistics.since <= asked,
        deliveries=total.deliveries,
        delivered=total.delivered,
        failed=total.failed,
        success_rate=total.delivered / over if over else None,
        attempts=total.attempts,
        p50_ms=total.p50_ms,
        p95_ms=total.p95_ms,
        hours=_hours(statistics, until),
    )


def _hours(statistics: Statistics, until: datetime) -> list[HourView]:
    known = {figures.hour: figures for figures in statistics.hours}
    hour = statistics.since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    views = []
    while hour < until:
        views.append(_hour(hour, known.get(hour) or Figures(hour, 0, 0, 0, 0, None, None)))
        hour += _HOUR
    return views


def _hour(hour: datetime, figures: Figures) -> HourView:
    return HourView(
        hour=milliseconds(hour),
        deliveries=figures.deliveries,
        delivered=figures.delivered,
        failed=figures.failed,
        attempts=figures.attempts,
        p50_ms=figures.p50_ms,
        p95_ms=figures.p95_ms,
    )


def _fields(entry: Entry) -> dict[str, Any]:
    return {
        "id": str(entry.hook_id),
        "webhook_id": str(entry.key.webhook_id),
        "event_id": str(entry.key.event_id),
        "workspace_id": entry.workspace_id,
        "kind": entry.kind.value,
        "type": entry.type,
        "state": entry.state.value,
        "attempts": entry.attempts,
        "created": milliseconds(entry.key.created_at),
        "due": None if entry.due_at is None else milliseconds(entry.due_at),
        "finished": None if entry.finished_at is None else milliseconds(entry.finished_at),
        "last_attempt": None if entry.last is None else _last(entry.last),
    }


def _last(last: LastAttempt) -> LastAttemptView:
    return LastAttemptView(
        started=milliseconds(last.started_at),
        duration_ms=last.duration_ms,
        outcome=last.outcome,
        status_code=last.status,
    )


def _attempt(detail: Detail, attempt: Attempt, names: tuple[str, ...]) -> AttemptView:
    answered = attempt.response_head is not None or attempt.response_body is not None
    return AttemptView(
        number=attempt.number,
        started=milliseconds(attempt.started_at),
        duration_ms=attempt.duration_ms,
        outcome=attempt.outcome,
        status_code=attempt.status,
        error=attempt.error,
        headers=sent_headers(detail, attempt, names),
        response=Answer(head=attempt.response_head, body=attempt.response_body) if answered else None,
    )
