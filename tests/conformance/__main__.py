"""`python -m tests.conformance`: plays the table against a service and prints what came of it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

from tests.conformance.own import own_service
from tests.conformance.playing import Outcome, play_all
from tests.conformance.profile import profile
from tests.conformance.report import has_failed, report
from tests.conformance.rows import Row, contract, not_over_http, rows


@click.command()
@click.option("--base-url", default="", help="Where the service is; without it this one is started.")
@click.option("--profile", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--section", default="", help="Only rows of sections that begin with this.")
@click.option("--short", is_flag=True, help="Without the rows that take long.")
def main(base_url: str, file: Path | None, section: str, short: bool) -> None:
    """Exit code 0: every row that was run passed; 1: some failed."""
    table = [row for row in rows() if row.section.startswith(section) and not (short and row.slow)]
    outcomes = _played(base_url, file, table)
    click.echo(report(outcomes, contract(), not_over_http()))
    sys.exit(1 if has_failed(outcomes) else 0)


def _played(base_url: str, file: Path | None, table: list[Row]) -> list[Outcome]:
    if base_url:
        return play_all(profile(base_url, file), table)
    with tempfile.TemporaryDirectory(prefix="conformance-") as directory, own_service(Path(directory)) as own:
        return play_all(own, table)


if __name__ == "__main__":
    main()
