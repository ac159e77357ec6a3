"""A service that comes back from a backup: scripts that ran then and now run once, and new ones are new."""

from __future__ import annotations

import secrets
import shutil
import time
from pathlib import Path
from typing import Any

from adapter.bootstrap import installation_of
from adapter.config import Settings
from tests.e2e.jobs import Jobs, wait_until
from tests.support.service import Service

LOCAL = """
all:
  hosts:
    localhost: {ansible_connection: local, ansible_host: 127.0.0.1, bk_host_id: 1}
  children:
    biz_1: {hosts: {localhost: }}
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
"""
ACCOUNT = 'scope: {type: biz, id: "1"}\naccounts: [{alias: root, account: root}]\n'


def made(directory: Path) -> Service:
    """A service of this machine, not yet started, that lets go of its jobs at once when it is stopped."""
    inventory = directory / "hosts.yml"
    inventory.write_text(LOCAL)
    service = Service(data_dir=directory / "data", inventory=inventory, options=("--drain-seconds", "0"))
    service.new_credentials()
    service.apply(ACCOUNT)
    return service


def test_nothing_runs_twice_and_nothing_new_is_taken_for_old(tmp_path: Path) -> None:
    """Backed up while a script runs; other jobs run; it is restored, and their ids are not given again."""
    service = made(tmp_path)
    ran, go = tmp_path / "ran", Path(f"/tmp/go-{secrets.token_hex(4)}")
    service.start()
    jobs = Jobs(service)
    try:
        running = jobs.script(f"echo once >> {ran}; until [ -e {go} ]; do sleep 0.1; done; echo done", 1)
        wait_until(ran.exists, "the script's start")
        service.command("backup", str(tmp_path / "backup"))
        later = jobs.script("echo later", 1)
        assert later.succeeded().log(1) == "later\n"
    finally:
        service.stop()
    service.data_dir.rename(tmp_path / "lost")
    service.command("restore", str(tmp_path / "backup"))
    service.start()
    try:
        again = Jobs(service)
        new = again.script("echo new", 1)
        assert new.id > later.id + 1_000
        assert new.succeeded().log(1) == "new\n", "it was taken for a script that ran before"
        time.sleep(0.5)
        go.touch()
        end = service.finished(1, running.id)
        assert end["job_instance"]["status"] == 3, end
        assert service.log_of(1, running.id, running.step_id, 1) == "done\n"
    finally:
        go.touch()
        service.stop()
        go.unlink()
    assert ran.read_text() == "once\n"


def test_a_backup_that_is_older_than_the_hosts_marks(tmp_path: Path) -> None:
    """As docs/backup.md says: nothing begins again if its jobs are terminated before there is a worker."""
    service = made(tmp_path)
    ran, go = tmp_path / "ran", Path(f"/tmp/go-{secrets.token_hex(4)}")
    service.start()
    try:
        job = Jobs(service).script(f"echo once >> {ran}; until [ -e {go} ]; do sleep 0.1; done", 1)
        wait_until(ran.exists, "the script's start")
        service.command("backup", str(tmp_path / "backup"))
        go.touch()
        job.succeeded()
        service.stop()
        _a_week_passes(service)
        with_worker = service.options
        _restored(service, "first", *with_worker, "--no-worker")
        now = 1000 * int(time.time())
        span: dict[str, Any] = {"create_time_start": now - 600_000, "create_time_end": now + 600_000}
        left = service.data("get_job_instance_list", bk_biz_id=1, status=2, **span)["data"]
        assert [one["job_instance_id"] for one in left] == [job.id]
        service.data("operate_job_instance", bk_biz_id=1, job_instance_id=job.id, operation_code=1)
        service.stop()
        service.options = with_worker
        service.start()
        assert service.finished(1, job.id)["job_instance"]["status"] == 11
        service.stop()
        assert ran.read_text() == "once\n"

        _a_week_passes(service)
        _restored(service, "second", *with_worker)
        assert service.finished(1, job.id)["job_instance"]["status"] == 3
        assert ran.read_text() == "once\nonce\n", "what the steps are for"
    finally:
        go.touch()
        service.stop()
        go.unlink()


def _restored(service: Service, lost: str, *options: str) -> None:
    """In place of what it has, and started."""
    service.data_dir.rename(service.data_dir.with_name(lost))
    service.command("restore", str(service.data_dir.with_name("backup")))
    service.options = options
    service.start()


def _a_week_passes(service: Service) -> None:
    """The host forgets what ran for this service."""
    installation = installation_of(Settings(data_dir=service.data_dir))
    marks = list(Path("/tmp").glob(f"bkjob.*/{installation}.*"))
    assert marks
    for mark in marks:
        if mark.is_dir():
            shutil.rmtree(mark)
        else:
            mark.unlink()
