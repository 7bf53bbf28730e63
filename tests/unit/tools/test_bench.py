"""`make bench`: it runs what its page lists, keeps every figure, and fails where one is not reached."""

import json
import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.bench.__main__ import SCENARIOS, main
from tests.bench.figures import Figure, percentile

PAGE = (ROOT / "docs/performance.md").read_text(encoding="utf-8")

REACHED = Figure("one", "ratio", 0.6, "", floor=1.0, reach="≥ 0.50", holds=True)
MISSED = Figure("one", "ratio", 0.4, "", floor=1.0, reach="≥ 0.50", holds=False)
TOLD = Figure("one", "memory", 100.0, "MB")


def test_the_page_lists_the_scenarios_of_the_code_in_their_order() -> None:
    (table,) = re.findall(r"^\| scenario \| what happens \|.*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    assert re.findall(r"^\| `(\w+)`:", table, re.MULTILINE) == list(SCENARIOS)


@pytest.mark.parametrize(("figures", "code"), [([REACHED, TOLD], 0), ([REACHED, MISSED, TOLD], 1), ([TOLD], 0)])
def test_the_exit_code_is_1_when_a_figure_is_not_reached(tmp_path: Path, figures: list[Figure], code: int) -> None:
    assert main(["one"], measure=lambda _: figures, kept=tmp_path / "latest.json") == code


def test_the_named_scenarios_alone_are_measured(tmp_path: Path) -> None:
    asked: list[str] = []

    def measure(names: list[str]) -> list[Figure]:
        asked.extend(names)
        return []

    main(["nine", "many"], measure=measure, kept=tmp_path / "latest.json")
    assert asked == ["nine", "many"]


def test_every_figure_is_kept_with_the_keys_that_the_page_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "bench/latest.json"
    main([], measure=lambda _: [REACHED, MISSED, TOLD], kept=kept)
    figures = json.loads(kept.read_text(encoding="utf-8"))
    (documented,) = re.findall(r"^`\{(\"scenario\".*?)\}`", PAGE, re.MULTILINE)
    assert [list(figure) for figure in figures] == [re.findall(r"\"(\w+)\"", documented)] * 3
    assert figures[1] == {
        "scenario": "one",
        "figure": "ratio",
        "value": 0.4,
        "unit": "",
        "floor": 1.0,
        "reach": "≥ 0.50",
        "holds": False,
    }
    assert [figure["holds"] for figure in figures] == [True, False, None]
    shown = capsys.readouterr().out
    assert "yes" in shown
    assert "NO" in shown


def test_percentile_is_the_value_below_which_the_share_lies() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1.0)) == (51.0, 100.0, 100.0)
    assert percentile([], 0.5) == 0.0
