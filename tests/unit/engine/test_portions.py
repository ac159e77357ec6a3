"""A step of more hosts than one run of the play is about: portions of them, each with an inventory of its own."""

from __future__ import annotations

import getpass
import json
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapter.engine import playing, turns
from adapter.job.model import Host
from adapter.job.status import HostStatus, RunStatus
from adapter.testing.hosts import MemoryHosts

from .conftest import SCOPE, Bench
from .test_step_run import Runs

HOSTS = tuple(
    Host(bk_host_id=number, bk_cloud_id=0, ip=f"127.0.0.{number}", name=f"h{number}")
    for number in range(1, 6)
)


@pytest.fixture
def runs(bench: Bench, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """Five hosts of this machine, of which one run is about two, one after the other."""
    monkeypatch.setattr(playing, "_PORTION", 2)
    local = {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}
    names = [host.name for host in HOSTS]
    bench.hosts = MemoryHosts(list(HOSTS), {"biz_2": names}, variables=dict.fromkeys(names, local))
    bench.settings = replace(bench.settings, forks=1)
    user = getpass.getuser()
    bench.accounts.create(SCOPE, alias="me", account=user, category=1, type=1, operator="ann", now_ms=1)
    found = Runs(bench, runtime)
    found.runs = replace(
        found.runs, preparation=replace(found.runs.preparation, installation=secrets.token_hex(4))
    )
    yield found
    for left in Path("/tmp").glob(f"bkjob.{user}/{found.runs.preparation.installation}.*"):
        shutil.rmtree(left)


def about(runs: Runs, job_id: int, step_id: int, prefix: str) -> list[set[str]]:
    """The hosts that each run of the play spoke of, run by run."""
    artifacts = runs.artifacts / str(job_id) / str(step_id) / "0" / "artifacts"
    found = sorted(artifacts.glob(f"{prefix}-*"), key=lambda path: int(path.name.split("-")[1]))
    return [
        {
            event["event_data"]["host"]
            for path in sorted((run / "job_events").glob("*.json"))
            if "host" in (event := json.loads(path.read_text()))["event_data"]
        }
        for run in found
    ]


def test_every_host_is_in_one_portion_and_runs_once(runs: Runs, tmp_path: Path) -> None:
    """What a person finds afterwards is an inventory with all of them."""
    account = runs.bench.accounts.by_alias(SCOPE, "me")
    assert account is not None
    ran = tmp_path / "ran"
    job = runs.bench.job(f"echo x >> {ran}; echo hello", account_id=account.id, hosts=HOSTS)
    (step,) = job.steps
    assert runs.runs.run(step.id) is RunStatus.SUCCESS
    assert ran.read_text() == "x\n" * 5
    assert [runs.bench.logs.read(step.id, 0, host.bk_host_id) for host in HOSTS] == [b"hello\n"] * 5
    portions = about(runs, job.id, step.id, "run")
    assert all(len(hosts) <= 2 for hosts in portions), portions
    assert portions[:3] == [{"h1", "h2"}, {"h3", "h4"}, {"h5"}]
    directory = runs.artifacts / str(job.id) / str(step.id) / "0"
    inventory = json.loads((directory / "inventory" / "hosts.yml").read_text())
    assert set(inventory["all"]["hosts"]) == {host.name for host in HOSTS}
    assert not (directory / "present").exists()


def test_hosts_that_nothing_was_begun_on_end_at_once_when_the_job_is_stopped(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stop play is about the others alone."""
    monkeypatch.setattr(turns, "_FIRST", 60)  # the first portion has its turn until then
    account = runs.bench.accounts.by_alias(SCOPE, "me")
    assert account is not None
    job = runs.bench.job("sleep 300", account_id=account.id, hosts=HOSTS)
    (step,) = job.steps
    runs.bench.jobs.begin_job(job.id, 1)

    def stop() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            states = [item.status for item in runs.bench.jobs.hosts(step.id, 0)]
            if states[0] is HostStatus.RUNNING:
                break
            time.sleep(0.02)
        runs.bench.jobs.request_stop(job.id, 5)

    stopper = threading.Thread(target=stop)
    stopper.start()
    assert runs.runs.run(step.id) is RunStatus.STOPPED
    stopper.join()
    results = runs.bench.jobs.hosts(step.id, 0)
    assert {item.status for item in results} == {HostStatus.TERMINATED}
    assert set().union(*about(runs, job.id, step.id, "stop")) == {"h1", "h2"}


def test_a_step_that_somebody_began_before_is_stopped_everywhere(runs: Runs) -> None:
    """Nobody here knows which hosts that was about."""
    account = runs.bench.accounts.by_alias(SCOPE, "me")
    assert account is not None
    job = runs.bench.job("sleep 300", account_id=account.id, hosts=HOSTS)
    (step,) = job.steps
    runs.bench.jobs.begin_job(job.id, 1)
    runs.bench.jobs.begin_step(step.id, 1)
    runs.bench.jobs.request_stop(job.id, 5)
    assert runs.runs.run(step.id) is RunStatus.STOPPED
    assert set().union(*about(runs, job.id, step.id, "stop")) == {host.name for host in HOSTS}
