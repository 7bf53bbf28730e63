"""Cursors as clients carry them, and cells that a spreadsheet takes for text: pure."""

import base64
import csv
import io
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from services.api.activity.ports import Cursor, Line

CSV_HEAD = ("time", "workspaceId", "actor", "action", "subject", "detail", "id")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CURSOR = re.compile(rb"([0-9]{1,17})\.([0-9]{1,18})")
# What makes a spreadsheet calculate, also behind spaces.
_FORMULA = re.compile(r"\s*[=+\-@\t\r\n|]")


def write_cursor(cursor: Cursor) -> str:
    """Return a cursor as a word that means nothing to its reader."""
    return base64.urlsafe_b64encode(b"%d.%d" % ((cursor.at - _EPOCH) // _MICROSECOND, cursor.id)).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """Return what `write_cursor` made the word of.

    Raises:
        ValueError: It made no such word.
    """
    try:
        found = _CURSOR.fullmatch(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except ValueError:
        found = None
    if found is None:
        raise ValueError("is not the nextCursor of an answer")
    return Cursor(_EPOCH + int(found[1]) * _MICROSECOND, int(found[2]))


def csv_text(rows: Iterable[Iterable[str]]) -> str:
    """Return rows as RFC 4180 has them, every cell quoted and none a formula."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(map(_harmless, row) for row in rows)
    return text.getvalue()


def csv_row(line: Line) -> tuple[str, ...]:
    """Return a line in the order of CSV_HEAD."""
    at = line.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    detail = json.dumps(dict(line.detail), ensure_ascii=False, sort_keys=True)
    return (at, line.workspace_id, line.actor, line.action, line.subject, detail, str(line.id))


def wants_csv(accept: str) -> bool:
    """Return whether a header Accept asks for CSV; where it asks for JSON as well, it gets JSON."""
    accepted = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return "text/csv" in accepted and "application/json" not in accepted


def _harmless(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell
