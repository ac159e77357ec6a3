"""`adapter dangerous-records`: what an operator reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from adapter.cli.dangerous import dangerous_records
from adapter.config import Settings
from adapter.job.dangerous import DangerousRule, Finding, RuleAction
from adapter.job.model import Host, JobInstance, Scope, ScriptTask, StepInstance
from adapter.store.jobs import JobStore
from adapter.store.opening import open_store


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """With two jobs; one line of the second's script was noted."""
    stores = open_store(Settings(data_dir=tmp_path))
    jobs = JobStore(stores.engine, stores.box)
    rule = DangerousRule(id=7, expression="rm -", languages=(1,), action=RuleAction.SCAN)
    finding = Finding(rule=rule, line=3, line_content="  rm -rf 中\n", match_content="rm -")
    for found in ((), (finding,)):
        step = StepInstance(name="clean", script=ScriptTask(language=1, content="x"), create_time=1)
        job = JobInstance(
            scope=Scope("biz", "2"), name="j", operator="ann", app_code="app", steps=(step,), create_time=1
        )
        host = Host(bk_host_id=1, bk_cloud_id=0, ip="10.0.0.1", name="a")
        jobs.add(job, [(host,)], dangerous=[found])
    stores.close()
    return tmp_path


def _printed(data_dir: Path, *options: str) -> str:
    result = CliRunner().invoke(dangerous_records, [*options, "--data-dir", str(data_dir)])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_record_is_a_line(data_dir: Path) -> None:
    """With everything to go on with: job, step, who, rule, line."""
    line = "job 2  step 2 [clean]  biz_2  app/ann  rule 7 [rm -]  line 3: rm -rf 中\n"
    assert _printed(data_dir) == _printed(data_dir, "--job", "2", "--most", "1") == line
    assert _printed(data_dir, "--job", "1") == ""


def test_a_record_is_json(data_dir: Path) -> None:
    """For programs."""
    record = json.loads(_printed(data_dir, "--json"))
    assert (record["job_instance_id"], record["rule_id"], record["scope"]) == (2, 7, "biz_2")
    assert record["match_content"] == "rm -"
