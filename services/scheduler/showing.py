"""What the command line prints: a JSON line for each chore that ran, and for each thing that would be done."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from services.scheduler.planned import Planned
from services.scheduler.rounds import Report

_HEAD = ("chore", "would", "what", "workspace", "")


def report_line(report: Report, now: datetime) -> str:
    """Return one JSON line on a run of a chore."""
    outcome: dict[str, object] = {"error": report.error} if report.error else dict(report.did)
    head = {
        "chore": report.chore,
        "ok": report.is_ok,
        "now": now.isoformat(),
        "duration_s": round(report.duration_s, 3),
    }
    return json.dumps(head | outcome)


def plan_lines(plan: Sequence[tuple[str, Planned]], now: datetime) -> Iterator[str]:
    """Return one JSON line for each thing that a chore would do."""
    for chore, planned in plan:
        yield json.dumps(
            {
                "chore": chore,
                "now": now.isoformat(),
                "action": planned.action,
                "subject": planned.subject,
                "workspaceId": planned.workspace_id,
                "detail": planned.detail,
                "count": planned.count,
            }
        )


def plan_table(plan: Sequence[tuple[str, Planned]], now: datetime) -> Iterator[str]:
    """Return a table for people of what the chores would do."""
    if not plan:
        yield f"At {now:%Y-%m-%d %H:%M} UTC nothing would be done."
        return
    yield f"At {now:%Y-%m-%d %H:%M} UTC this would be done; nothing is changed now."
    rows = [_HEAD, *(_cells(chore, planned) for chore, planned in plan)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _cells(chore: str, planned: Planned) -> tuple[str, str, str, str, str]:
    what = planned.subject or f"{planned.count:,} of them"
    return chore, planned.action, what, planned.workspace_id, planned.detail
