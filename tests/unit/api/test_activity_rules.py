"""Cursors and cells of the activity log."""

import csv
import io
from datetime import UTC, datetime

import pytest

from services.api.activity.ports import Cursor, Line
from services.api.activity.rules import CSV_HEAD, csv_row, csv_text, read_cursor, wants_csv, write_cursor

AT = datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC)


def test_a_cursor_comes_back_as_it_went() -> None:
    cursor = Cursor(AT, 42)
    assert read_cursor(write_cursor(cursor)) == cursor


@pytest.mark.parametrize("text", ["", "x", "!!!!", "ä", "MS4y\n", "bm8", "LTEuMg", "MSAuMg"])
def test_a_cursor_is_refused_when_nobody_wrote_it(text: str) -> None:
    with pytest.raises(ValueError, match="nextCursor"):
        read_cursor(text)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "|calc"])
def test_a_cell_is_no_formula_when_it_looks_like_one(cell: str) -> None:
    ((read,),) = csv.reader(io.StringIO(csv_text([[cell]]), newline=""))
    assert read == f"'{cell}"


def test_cells_are_quoted_and_come_back_as_they_are() -> None:
    cells = ['a "word"', "two\r\nlines", "a,b", "zwölf", ""]
    assert list(csv.reader(io.StringIO(csv_text([cells]), newline=""))) == [cells]


def test_a_row_has_a_cell_for_each_column() -> None:
    line = Line(
        id=7, workspace_id="acme", at=AT, actor="user:a@b.example", action="webhook.created", subject="x", detail={}
    )
    row = dict(zip(CSV_HEAD, csv_row(line), strict=True))
    assert (row["time"], row["action"], row["detail"]) == ("2026-03-01T09:00:00.123Z", "webhook.created", "{}")


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/csv", True),
        ("Text/CSV; q=0.9, */*", True),
        ("text/csv, application/json", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_csv_is_given_when_only_csv_is_asked_for(accept: str, *, wanted: bool) -> None:
    assert wants_csv(accept) is wanted
