"""A figure: what was measured, beside its floor and what it is to reach."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        scenario: What ran.
        figure: What was measured.
        value: In `unit`.
        unit: Of value and floor.
        floor: The same measure of the bare thing in the same run, where there is one.
        reach: What it is to reach, in words with a number.
        holds: Whether it does; none where nothing is to be reached.
    """

    scenario: str
    figure: str
    value: float
    unit: str
    floor: float | None = None
    reach: str = ""
    holds: bool | None = None


def percentile(values: list[float], share: float) -> float:
    """Return the value below which this share of all lies; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def write(figures: list[Figure], path: Path) -> None:
    """Keep the figures for programs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(figure) for figure in figures], indent=2) + "\n", encoding="utf-8")


def show(figures: list[Figure], title: str) -> None:
    """Print the figures for people."""
    table = Table(title=title)
    for column in ("scenario", "figure", "value", "unit", "floor", "reach", "holds"):
        table.add_column(column, justify="right" if column in {"value", "floor"} else "left")
    for one in figures:
        holds = {True: "yes", False: "NO", None: ""}[one.holds]
        floor = "" if one.floor is None else f"{one.floor:,.2f}"
        table.add_row(one.scenario, one.figure, f"{one.value:,.2f}", one.unit, floor, one.reach, holds)
    Console(width=150).print(table)
