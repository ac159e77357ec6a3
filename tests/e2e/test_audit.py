"""`adapter audit` on a real service: jobs of every end agree with artifacts and hosts, until one is spoilt."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any

from adapter.bootstrap import installation_of
from adapter.config import Settings
from tests.e2e.conftest import NewService
from tests.e2e.jobs import Job, Jobs, Source, wait_until
from tests.lab import Lab
from tests.support.service import Service

_ALL_AGREE = (0, "")


class World:
    """A service with jobs that ended in every way, and one that runs."""

    def __init__(self, lab: Lab, service: Service) -> None:
        self.lab, self.service = lab, service
        jobs = Jobs(service)
        missing = f"{lab.host(101).home or ''}/nowhere"
        place = f"{lab.host(102).home or '/root'}/audited/"
        self.good = jobs.script("echo one; echo two", 101, 102)
        stopped = jobs.script("sleep 60", 103)
        self.ended = [
            (self.good, 3),
            (jobs.script("exit 3", 101), 4),
            (jobs.script("echo early; sleep 60", 102, timeout=1), 4),
            (jobs.script("true", 199), 4),
            (jobs.script("true", 101, account="job", param="'"), 4),
            (jobs.files([Source([101], ["/etc/hostname"])], place, 102, 103), 3),
            (jobs.files([Source([101], [missing])], place, 102), 4),
            (jobs.files([Source([199], ["/etc/hostname"])], place, 102), 4),
            (stopped, 11),
        ]
        self.long = jobs.script("echo begun; sleep 300", 102)
        wait_until(lambda: stopped.service.status(1, stopped.id)["job_instance"]["status"] == 2, "its begin")
        service.data("operate_job_instance", bk_biz_id=1, job_instance_id=stopped.id, operation_code=1)
        for job, status in self.ended:
            assert job.status == status, job.why()
        wait_until(lambda: self.long.log_now(102) == "begun\n", "the running script")

    def on_hosts(self) -> tuple[int, str]:
        """Exit code and findings of `adapter audit --hosts`."""
        inventory = str(self.lab.inventory)
        done = self.service.command("audit", "--hosts", "--inventory", inventory, check=False)
        assert done.returncode in (0, 1), done.stderr
        return done.returncode, done.stdout

    def spoil(self, statement: str, *values: object) -> None:
        """Change rows behind the service's back."""
        database = self.service.data_dir / "adapter.db"
        with contextlib.closing(sqlite3.connect(database, timeout=30)) as connection, connection:
            assert connection.execute(statement, values).rowcount


def test_jobs_of_every_end_agree_and_what_is_spoilt_is_named(lab: Lab, fresh_service: NewService) -> None:
    """Store, artifacts and hosts; then a log's byte, an exit code, a state, a run that nobody knows."""
    world = World(lab, fresh_service("--drain-seconds", "0"))
    assert world.on_hosts() == _ALL_AGREE
    good = world.good
    _spoil_store(world, good)
    _spoil_host(world)
    code, found = world.on_hosts()
    assert code == 1
    for words in (
        f"job {good.id} step {good.step_id}.0 host 101 (0:{lab.host(101).ip}): log: differs from what the host"
        " printed, from byte 1 on",
        "exit code: reads exit code 4, the plugin recorded 0",
        "exit code: reads exit code 4, the host says SUCCESS (9), exit code 0",
        "log: the 8 bytes that are stored are not those that the host has",
        "reads SUCCESS (9), the script is running on the host",
        "step 9999.0: finished; the store knows no such run",
    ):
        assert words in found, found
    _tell_as_json(world, good)


def _spoil_store(world: World, job: Job) -> None:
    of = "WHERE step_instance_id = ? AND bk_host_id = ?"
    world.spoil(f"UPDATE log_chunk SET content = ? {of}", b"oNe\ntwo\n", job.step_id, 101)
    world.spoil(f"UPDATE host_result SET exit_code = 4 {of}", job.step_id, 102)
    done = "status = 9, exit_code = 0, end_time = start_time"
    world.spoil(f"UPDATE host_result SET {done} {of}", world.long.step_id, 102)


def _spoil_host(world: World) -> None:
    """A run of this installation that the store has never heard of."""
    host = world.lab.host(101)
    runs = world.lab.exec(host, f"ls -d /tmp/bkjob.*/*.{world.good.step_id}.0.101").stdout.split()
    (run,) = [run for run in runs if _installation(world.service.data_dir) in run]
    strange = run.replace(f".{world.good.step_id}.0.101", ".9999.0.101")
    done = world.lab.exec(host, f"mkdir {strange} && echo finished 0 > {strange}/rc")
    assert done.returncode == 0, done.stderr


def _installation(data_dir: Path) -> str:
    return installation_of(Settings(data_dir=data_dir))


def _tell_as_json(world: World, good: Job) -> None:
    """For programs; one job's only."""
    done = world.service.command("audit", "--json", "--job", str(good.id), check=False)
    assert done.returncode == 1
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["jobs"] == 1
    assert {(item["job_instance_id"], item["bk_host_id"], item["kind"]) for item in told["findings"]} >= {
        (good.id, 101, "log"),
        (good.id, 102, "exit code"),
    }
