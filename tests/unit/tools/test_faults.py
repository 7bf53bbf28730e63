"""`make faults`: what does not hold fails, every scenario has its line, the page is written from a whole run."""

import ast
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, Source, python_sources
from tests.faults.__main__ import KEPT, PAGE, Reporter, main, section
from tests.faults.reporting import COLUMNS, Result
from tests.faults.run import keep
from tests.faults.scenarios import Scenario

TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
EMPTY = "before\n<!-- generated: faults -->\nold\n<!-- end: faults -->\nafter\n"


def make_result(**changes: object) -> Result:
    values: dict[str, object] = {
        "scenario": Scenario.PAUSED,
        "events": 1_000,
        "deliveries": 2_000,
        "arrived": 2_000,
        "lost": 0,
        "duplicates": 5,
        "in_flight": 5,
        "recovery_s": 6.0,
        "limit_s": 6.0,
    } | changes
    return Result(**values)  # type: ignore[arg-type] # by name


ALL = [make_result(scenario=one) for one in Scenario]
BROKEN = [{"lost": 1}, {"duplicates": 6}, {"recovery_s": 6.1}]


def test_a_line_holds_when_nothing_is_lost_and_its_limits_are_kept() -> None:
    results: list[Result] = []
    keep(results, make_result())
    assert [result.cells()[-1] for result in results] == ["yes"]
    assert all(figure.holds is not False for result in results for figure in result.figures())


@pytest.mark.parametrize("broken", BROKEN)
def test_a_line_fails_and_is_kept_when_one_of_its_limits_is_not(broken: dict[str, object]) -> None:
    results: list[Result] = []
    with pytest.raises(AssertionError):
        keep(results, make_result(**broken))
    assert [result.cells()[-1] for result in results] == ["NO"]
    assert [figure.holds for figure in results[0].figures()].count(False) == 1


def lines(text: str) -> list[list[str]]:
    """Return the cells of the rows below a table's head."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return rows[2:]


def test_the_table_has_a_line_of_each_result_with_how_often_it_was_done() -> None:
    table = section([make_result(), make_result(scenario=Scenario.REBALANCES, times=1_000, recovery_s=2.25)])
    assert re.search(r"^Of \d{4}-\d\d-\d\d, on \d+ cores\.$", table, re.MULTILINE)
    assert next(line for line in table.splitlines() if line.startswith("|")) == f"| {' | '.join(COLUMNS)} |"
    assert lines(table) == [
        ["SIGSTOP for longer than the lease", "1,000", "2,000", "2,000", "0", "5", "5", "6.0", "6", "yes"],
        ["1,000 rebalances in a row", "1,000", "2,000", "2,000", "0", "5", "5", "2.2", "6", "yes"],
    ]


def test_the_page_has_a_line_and_a_description_of_every_scenario_of_the_code() -> None:
    (measured,) = re.findall(r"<!-- generated: faults -->\n(.*?)<!-- end", TEXT, re.DOTALL)
    assert {re.sub(r"^[\d,]+ ", "", cells[0]) for cells in lines(measured)} == set(Scenario)
    assert {cells[-1] for cells in lines(measured)} == {"yes"}
    (described,) = re.findall(r"\n(\| scenario \| the fault \|.*?)\n\n", TEXT, re.DOTALL)
    assert sorted(name for cells in lines(described) for name in cells[0].split(" · ")) == sorted(Scenario)


def scenario_files() -> Iterable[Source]:
    return (one for one in python_sources() if one.is_under("tests/faults") and one.name.startswith("test_"))


def test_every_test_of_the_faults_reports_and_every_scenario_is_reported_by_one() -> None:
    named = []
    for source in scenario_files():
        tests = [node for node in source.nodes if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)]
        for test in (one for one in tests if one.name.startswith("test_")):
            assert "report" in {argument.arg for argument in test.args.args}, f"{source.path}: {test.name}"
        named += re.findall(r"\bScenario\.([A-Z_]+)", source.text)
    assert sorted(named) == sorted(Scenario.__members__)


class Runs:
    """Stands for pytest: tells these results and ends with this code."""

    def __init__(self, results: Sequence[Result], code: int = 0) -> None:
        self.arguments: list[str] = []
        self._results = results
        self._code = code

    def __call__(self, args: list[str], plugins: Sequence[object]) -> int:
        self.arguments = args
        (reporter,) = plugins
        assert isinstance(reporter, Reporter)
        reporter.results.extend(self._results)
        return self._code


@pytest.fixture
def root(tmp_path: Path) -> Path:
    page = tmp_path / PAGE
    page.parent.mkdir()
    page.write_text(EMPTY, encoding="utf-8")
    return tmp_path


def test_the_page_is_written_when_every_scenario_holds(root: Path) -> None:
    run = Runs(ALL)
    assert main([], run=run, root=root) == 0
    written = (root / PAGE).read_text(encoding="utf-8")
    assert written.startswith("before\n<!-- generated: faults -->\nOf ")
    assert written.endswith("<!-- end: faults -->\nafter\n")
    assert [cells[0] for cells in lines(written)] == list(Scenario)
    assert run.arguments[0] == "tests/faults"
    kept = json.loads((root / KEPT).read_text(encoding="utf-8"))
    assert {figure["scenario"] for figure in kept} == set(Scenario)


@pytest.mark.parametrize(
    ("arguments", "run", "code"),
    [
        ([], Runs(ALL, code=1), 1),
        (["-k", "killed"], Runs(ALL), 0),
        ([], Runs(ALL[1:]), 1),
    ],
    ids=["a scenario failed", "a part was wanted", "a scenario left no line"],
)
def test_the_page_stays_as_it_is_when_the_run_was_not_whole(
    root: Path, arguments: list[str], run: Runs, code: int
) -> None:
    assert main(arguments, run=run, root=root) == code
    assert (root / PAGE).read_text(encoding="utf-8") == EMPTY
    assert (root / KEPT).exists()
