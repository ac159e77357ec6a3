"""The table, and everything as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.rows import Row

_HEAD = ("what", "ours", "beside", "theirs", "ratio", "must", "aim", "reached", "runs", "also")


def table(rows: Sequence[Row], facts: Mapping[str, Any]) -> str:
    """Markdown: the facts of the machine, then a line of each row."""
    lines = ["; ".join(f"{name} {value}" for name, value in facts.items()), ""]
    lines += ["| " + " | ".join(_HEAD) + " |", "|" + " --- |" * len(_HEAD)]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _cells(row: Row) -> list[str]:
    bound = ("≥ " if row.more_is_better else "≤ ", " ×" if row.ratio is not None else f" {row.unit}")
    return [
        row.what,
        f"{_number(row.own)} {row.unit}",
        row.beside or "–",
        "–" if row.other is None else f"{_number(row.other)} {row.unit}",
        "–" if row.ratio is None else f"{_number(row.ratio)} ×",
        "–" if row.must is None else f"{_number(row.must)}".join(bound),
        "–" if row.aim is None else f"{_number(row.aim)}".join(bound),
        row.verdict or "–",
        str(len(row.ours)),
        ", ".join(f"{name} {_number(value)}" for name, value in row.also.items()),
    ]


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write(path: Path, rows: Sequence[Row], facts: Mapping[str, Any]) -> None:
    """Every figure of every run as JSON, and the table beside it (.md); what was there is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".md").write_text(table(rows, facts))
    told = {"machine": dict(facts), "rows": [row.as_json() for row in rows]}
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
