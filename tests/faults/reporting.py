"""What each scenario came to: a line of the table, figures for programs, the section of docs/reliability.md."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from tests.bench.figures import Figure
from tests.faults.scenarios import Scenario

COLUMNS = (
    "scenario",
    "events",
    "deliveries",
    "arrived",
    "lost",
    "duplicates",
    "in flight",
    "recovery s",
    "limit s",
    "holds",
)


@dataclass(frozen=True)
class Result:
    """One line of the table.

    Attributes:
        scenario: What was done to the dispatcher.
        events: Accepted by Kafka.
        deliveries: What these events owe to webhooks.
        arrived: How many of them came to the receiver at least once.
        lost: Owed and neither arrived nor explained by a record.
        duplicates: Requests beyond those that are recorded as attempts.
        in_flight: Attempts that were begun and not yet recorded at the fault; duplicates may be so many.
        recovery_s: From the fault, or its end, until what it had stopped was recorded.
        limit_s: The stated limit of that.
        times: How often it was done, where that was more than once.
    """

    scenario: Scenario
    events: int
    deliveries: int
    arrived: int
    lost: int
    duplicates: int
    in_flight: int
    recovery_s: float
    limit_s: float
    times: int = 1

    @property
    def name(self) -> str:
        """The scenario, and how often."""
        return self.scenario if self.times == 1 else f"{self.times:,} {self.scenario}"

    @property
    def holds(self) -> bool:
        """Whether nothing was lost, few were doubled, and recovery was in time."""
        return self.lost == 0 and self.duplicates <= self.in_flight and self.recovery_s <= self.limit_s

    def cells(self) -> list[str]:
        """Return the cells of the table, in the order of COLUMNS."""
        counts = (self.events, self.deliveries, self.arrived, self.lost, self.duplicates, self.in_flight)
        return [
            self.name,
            *(f"{count:,}" for count in counts),
            f"{self.recovery_s:.1f}",
            f"{self.limit_s:.0f}",
            "yes" if self.holds else "NO",
        ]

    def figures(self) -> list[Figure]:
        """Return the same for programs."""
        name = self.name
        return [
            Figure(name, "events", self.events, "events"),
            Figure(name, "deliveries", self.deliveries, "deliveries"),
            Figure(name, "arrived", self.arrived, "deliveries"),
            Figure(name, "lost", self.lost, "deliveries", None, "0", self.lost == 0),
            Figure(
                name,
                "duplicates",
                self.duplicates,
                "requests",
                None,
                f"≤ {self.in_flight}",
                self.duplicates <= self.in_flight,
            ),
            Figure(
                name, "recovery", self.recovery_s, "s", None, f"≤ {self.limit_s:g}", self.recovery_s <= self.limit_s
            ),
        ]


def show(results: Sequence[Result], title: str) -> None:
    """Print the table for people."""
    table = Table(title=title)
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in {"scenario", "holds"} else "right")
    for result in results:
        table.add_row(*result.cells())
    Console(width=150).print(table)


def as_markdown(results: Sequence[Result]) -> str:
    """Return the table for the documentation."""
    rules = ["---" if column in {"scenario", "holds"} else "---:" for column in COLUMNS]
    rows = [list(COLUMNS), rules, *(result.cells() for result in results)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
