"""`adapter audit`: exit codes, and what it says when it cannot look."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from adapter.cli import main
from adapter.config import Settings
from adapter.job.model import Host, JobInstance, Scope, ScriptTask, StepInstance
from adapter.store import tables
from adapter.store.jobs import JobStore
from adapter.store.opening import open_store

HOST = Host(bk_host_id=1, bk_cloud_id=0, ip="127.0.0.1", name="one")


@pytest.fixture(autouse=True)
def _logging_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's own would write to what the test runner closes."""
    monkeypatch.setattr("adapter.cli.audit.set_up_logging", lambda _level: None)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """With two jobs: one of long ago, one of now that waits."""
    path = tmp_path / "data"
    stores = open_store(Settings(data_dir=path))
    jobs = JobStore(stores.engine, stores.box)
    now = int(time.time() * 1000)
    for created in (1, now):
        step = StepInstance(script=ScriptTask(language=1, content="true"), create_time=created)
        jobs.add(JobInstance(scope=Scope("biz", "2"), steps=(step,), create_time=created), [(HOST,)])
    stores.close()
    return path


def audit(data_dir: Path, *words: str) -> Result:
    """`adapter audit WORDS`."""
    return CliRunner().invoke(main, ["audit", "--data-dir", str(data_dir), *words])


def test_what_agrees_ends_with_0_and_what_does_not_with_1(data_dir: Path) -> None:
    """One line each; the older job waits since 1970 and nobody works."""
    done = audit(data_dir, "--since", "1h")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "1 jobs, 1 hosts: no disagreement" in done.stderr
    done = audit(data_dir)
    assert done.exit_code == 1
    (line,) = done.stdout.splitlines()
    assert line.startswith("job 1: owner: is WAITING (1) for more")
    told = json.loads(audit(data_dir, "--json", "--job", "1").stdout)
    assert [item["kind"] for item in told["findings"]] == ["owner"]
    assert (told["jobs"], told["hosts"], told["not_looked_at"]) == (1, 1, {})


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--job", "777"], "there is no job 777"),
        (["--hosts", "--inventory", "/nowhere"], "/nowhere"),
        (["--since", "yesterday"], "'yesterday' is neither"),
        (["--database-url", "postgresql://127.0.0.1:1/x"], "refused"),
    ],
)
def test_what_cannot_be_looked_at_ends_with_2(data_dir: Path, words: list[str], reason: str) -> None:
    """No such job, no inventory, no such time, no database: none of it reads as clean."""
    done = audit(data_dir, *words)
    assert done.exit_code == 2
    assert reason in done.stderr


def test_a_setting_that_is_none_ends_with_2(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is told by the other commands."""
    monkeypatch.setenv("ADAPTER_PORT", "words")
    done = audit(data_dir)
    assert done.exit_code == 2
    assert "ADAPTER_PORT='words' is no whole number" in done.stderr


def test_a_directory_that_is_none_stays_none(tmp_path: Path) -> None:
    """A mistyped name is not made into an empty store that agrees with everything."""
    done = audit(tmp_path / "nowhere")
    assert done.exit_code == 2
    assert "is no data directory of the adapter" in done.stderr
    assert not (tmp_path / "nowhere").exists()


def test_times_are_taken_as_people_write_them(data_dir: Path) -> None:
    """Ago, or a time of this machine."""
    assert audit(data_dir, "--since", "2020-01-01T00:00").exit_code == 0
    assert audit(data_dir, "--since", "90s").exit_code == 0
    stores = open_store(Settings(data_dir=data_dir))
    with stores.engine.begin() as connection:
        connection.execute(sa.update(tables.job_instance).values(open=False))
    stores.close()
    assert audit(data_dir, "--since", "1d").exit_code == 1
