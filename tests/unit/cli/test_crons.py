"""`adapter crons`, with a service running or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from adapter.config import Settings
from adapter.job.commands import VariableValue
from adapter.job.plan import GlobalVariable
from adapter.job.status import VariableType
from adapter.store.opening import open_store
from tests.support.crons import MINUTE, START, Node


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    stores = open_store(Settings(data_dir=tmp_path))
    Node.now[0] = START
    made = Node.on(stores.engine, stores.box)
    made.set_up()
    yield made
    stores.close()


def crons(tmp_path: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["crons", "--data-dir", str(tmp_path), *options])


def test_what_there_is_and_what_became_of_it(node: Node, tmp_path: Path) -> None:
    """A line each: crons by their next time, times by the newest. No secret is in it."""
    secret = GlobalVariable(id=0, name="key", type=VariableType.CIPHER)
    given = (VariableValue(name="key", value="s3cret"),)
    cron = node.started(node.plan_id(variables=(secret,)), "often", variables=given)
    node.started(node.plan_id_again(), "once", execute_time=START // 1000 + 86_400)
    Node.now[0] = START + 5 * MINUTE
    node.firing().look()
    first, second = crons(tmp_path).output.splitlines()
    assert first.startswith(
        f"cron {cron.id} [often]  biz_2  plan {cron.plan_id} [the plan]  * * * * * (UTC)  next "
    )
    assert "app/ann" in first
    assert "once at " in second
    launched, missed = crons(tmp_path, "--cron", str(cron.id)).output.splitlines()
    assert "launched  job 1" in launched
    assert "(4 times)  missed" in missed
    runs = [json.loads(line) for line in crons(tmp_path, "--cron", "1", "--json").output.splitlines()]
    assert [(run["state"], run["count"]) for run in runs] == [("launched", 1), ("missed", 4)]
    found = crons(tmp_path, "--json").output
    assert [json.loads(line)["name"] for line in found.splitlines()] == ["often", "once"]
    assert "s3cret" not in found


def test_one_that_is_none(node: Node, tmp_path: Path) -> None:
    """A line that says so."""
    result = crons(tmp_path, "--cron", "7")
    assert (result.exit_code, result.output) == (1, "Error: there is no cron 7\n")
