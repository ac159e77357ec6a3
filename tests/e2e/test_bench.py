"""The bench measures: in small here, so that it works when somebody asks, and that a tenfold is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.__main__ import main
from tests.bench.report import table
from tests.bench.rows import Row


@pytest.mark.timeout(300)
def test_the_short_bench_measures_and_keeps_its_bounds(tmp_path: Path) -> None:
    """Beside the rival in the same run: a busy machine slows both."""
    assert main(["--short", "--json", str(tmp_path / "bench.json")]) == 0
    told = json.loads((tmp_path / "bench.json").read_text())
    (row,) = told["rows"]
    assert (row["line"], row["verdict"]) == ("few_hosts", "must")
    assert 0 < row["ratio"] == row["ours"][0] / row["theirs"][0] < 4
    assert row["also"]["cpu_ms_per_host"] > 0
    assert {"cores", "commit", "kex_openssh", "openssh"} <= told["machine"].keys()
    assert "| 4 hosts, echo, fresh connections |" in (tmp_path / "bench.md").read_text()


def test_a_ratio_is_of_pairs() -> None:
    """The median of the ratios, not the ratio of the medians."""
    row = Row(line="x", what="x", ours=(1, 10, 6), theirs=(2, 10, 1), must=1, aim=0.5)
    assert (row.own, row.other, row.ratio, row.verdict) == (6, 2, 1, "must")


@pytest.mark.parametrize(
    ("own", "more_is_better", "verdict"),
    [
        (70, True, "missed"),
        (80, True, "must"),
        (300, True, "aim"),
        (70, False, "must"),
        (81, False, "missed"),
    ],
)
def test_what_is_reached(own: float, more_is_better: bool, verdict: str) -> None:
    """On either side of a must, and beyond an aim."""
    aim = 300 if more_is_better else 15
    row = Row(line="x", what="x", ours=(own,), must=80, aim=aim, more_is_better=more_is_better)
    assert row.verdict == verdict


def test_figures_that_are_no_pairs_are_refused() -> None:
    """A pair has two figures."""
    with pytest.raises(ValueError, match="2 figures beside 1"):
        Row(line="x", what="x", ours=(1, 2), theirs=(1,))


def test_a_missed_line_is_told() -> None:
    """The table says what was reached, and leaves open what nobody promised."""
    missed = Row(line="x", what="slow", unit="ms", ours=(51,), must=50, aim=15)
    free = Row(line="x", what="free", ours=(1,), beside="other", theirs=(2,))
    text = table([missed, free], {"cores": 2})
    assert "| slow | 51 ms | – | – | – | ≤ 50 ms | ≤ 15 ms | missed | 1 |  |" in text
    assert "| free | 1 s | other | 2 s | 0.5 × | – | – | – | 1 |  |" in text
