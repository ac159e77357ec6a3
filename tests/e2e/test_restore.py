"""A service that comes back from a backup: scripts that ran then and now run once, and new ones are new."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

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


def test_nothing_runs_twice_and_nothing_new_is_taken_for_old(tmp_path: Path) -> None:
    """Backed up while a script runs; other jobs run; it is restored, and their ids are not given again."""
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(LOCAL)
    service = Service(data_dir=tmp_path / "data", inventory=inventory, options=("--drain-seconds", "0"))
    service.new_credentials()
    service.apply(ACCOUNT)
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
