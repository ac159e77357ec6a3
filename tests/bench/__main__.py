"""Runs measures and writes the table and the JSON. Exit code 1 if a line that must be reached is not."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tests.bench import machine, report
from tests.bench.measures import MEASURES, SHORT, Measure
from tests.bench.rivals import Fanout, Ssh
from tests.bench.rows import Row
from tests.bench.world import World
from tests.lab import start_lab


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=list(MEASURES), default=list(MEASURES))
    parser.add_argument("--runs", type=int, help="how often each pair is measured")
    parser.add_argument("--json", type=Path, help="where to write every figure, and the table as .md")
    parser.add_argument("--short", action="store_true", help="half a minute, a few hosts, generous bounds")
    asked = parser.parse_args(arguments)
    measures = SHORT if asked.short else {name: MEASURES[name] for name in asked.only}
    rows, facts = measure(measures, asked.runs, asked.json)
    print(report.table(rows, facts), end="")
    return 1 if any(row.verdict == "missed" for row in rows) else 0


def measure(
    measures: Mapping[str, Measure], runs: int | None = None, json: Path | None = None
) -> tuple[list[Row], dict[str, object]]:
    """Measures these, in one lab; writes `json` after each, so that what was measured is not lost."""
    facts = machine.facts()
    rows: list[Row] = []
    hosts = max(each.hosts for each in measures.values())
    with tempfile.TemporaryDirectory(prefix="bench-") as place, start_lab(hosts, Path(place) / "lab") as lab:
        world = World(Path(place), lab, 1)
        facts["kex_openssh"] = Ssh(world).key_exchange(lab.hosts[0])
        facts["kex_asyncssh"] = Fanout.run(world, lab.hosts[:1], "echo hello").key_exchange
        for name, each in measures.items():
            print(f"{name} …", file=sys.stderr, flush=True)
            rows += each.run(replace(world, runs=runs or each.runs))
            if json:
                report.write(json, rows, facts)
    return rows, facts


if __name__ == "__main__":
    sys.exit(main())
