"""`adapter dangerous-records`: scripts that ran though a dangerous rule had matched them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from adapter.cli.stores import opened, store_options
from adapter.store.dangerous import DangerousRecord, DangerousRuleStore


@click.command("dangerous-records")
@click.option("--job", "job_id", type=int, help="Of one job instance.")
@click.option("--most", type=click.IntRange(1), default=100, show_default=True, help="The newest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@store_options
def dangerous_records(
    *, job_id: int | None, most: int, as_json: bool, data_dir: Path | None, database_url: str | None
) -> None:
    """Lines of scripts that ran though a dangerous rule with action 1 (scan) matches them, newest first."""
    with opened(data_dir, database_url) as stores:
        for record in DangerousRuleStore(stores.engine).records(job_id, most):
            click.echo(_json(record) if as_json else _line(record))


def _json(record: DangerousRecord) -> str:
    return json.dumps({**asdict(record), "scope": str(record.scope)}, ensure_ascii=False)


def _line(record: DangerousRecord) -> str:
    return (
        f"job {record.job_instance_id}  step {record.step_instance_id} [{record.step_name}]  {record.scope}  "
        f"{record.app_code}/{record.operator}  rule {record.rule_id} [{record.expression}]  "
        f"line {record.line}: {record.line_content.strip()}"
    )
