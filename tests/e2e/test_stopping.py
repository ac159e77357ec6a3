"""How a service ends: SIGTERM drains and hands over, a data directory has one worker, an inventory may be away."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import NewService
from tests.e2e.jobs import Jobs, wait_until
from tests.e2e.restarts import ansible_of, marking, marks, ran_once, wait_for_start
from tests.lab import Lab
from tests.support.service import Service

BROKEN = "all: [this is: {no inventory\n"


def seconds_to_stop(service: Service) -> float:
    """How long SIGTERM took; the exit code must be 0."""
    began = time.monotonic()
    assert service.stop() == 0
    return time.monotonic() - began


def test_sigterm_lets_a_short_job_finish(lab: Lab, fresh_service: NewService) -> None:
    """The service waits for the script and ends with exit code 0 soon after it, not when all its time is up."""
    service = fresh_service("--drain-seconds", "90")
    job = Jobs(service).script(marking("drained", 3), 101)
    wait_for_start(lab, [lab.host(101)], "drained")
    assert seconds_to_stop(service) < 60
    assert marks(lab, lab.host(101), "drained") == ["start", "end"]
    service.start()
    assert service.status(1, job.id)["finished"], "it had ended before the service did"
    ran_once(lab, job, [lab.host(101)], "drained", 3)


def test_sigterm_hands_a_long_job_to_the_next_start_again_and_again(
    lab: Lab, fresh_service: NewService
) -> None:
    """A drain time is kept to, also by a service that took the job over itself; the script runs once."""
    service = fresh_service("--drain-seconds", "1", "--no-warm-ansible")
    hosts = lab.hosts_of(1)
    job = Jobs(service).script(marking("handed", 20), 101, 102, 103)
    wait_for_start(lab, hosts, "handed")
    for _ in range(2):
        assert seconds_to_stop(service) < 20, "by default it is 30"
        assert ansible_of(service) == []
        service.start()
        time.sleep(2)
    ran_once(lab, job, hosts, "handed", 20)


def test_a_second_sigterm_ends_the_draining(lab: Lab, fresh_service: NewService) -> None:
    """Somebody in a hurry presses Ctrl-C twice; the job is handed over all the same."""
    service = fresh_service("--drain-seconds", "120")
    job = Jobs(service).script(marking("hurried", 20), 101)
    wait_for_start(lab, [lab.host(101)], "hurried")
    assert service.process is not None
    service.process.send_signal(signal.SIGINT)
    wait_until(lambda: '"draining"' in service.log(), "the draining")
    assert service.stop() == 0
    assert marks(lab, lab.host(101), "hurried") == ["start"], "nobody waited for the script"
    service.start()
    ran_once(lab, job, [lab.host(101)], "hurried", 20)


def test_one_data_directory_has_one_worker(fresh_service: NewService) -> None:
    """A second service refuses to start, says why in one line, and does the first no harm."""
    service = fresh_service()
    done = service.command("serve", "--port", "0", "--inventory", str(service.inventory), check=False)
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert f"another process works on {service.data_dir}" in line
    assert "--no-worker" in line
    assert service.is_healthy()


@pytest.mark.parametrize("terminated", [False, True], ids=["waits", "is-terminated"])
def test_a_job_waits_for_an_inventory_that_cannot_be_read(
    lab: Lab, fresh_service: NewService, tmp_path: Path, terminated: bool
) -> None:
    """After a restart without an inventory nothing becomes "invalid host"; a terminate is carried out."""
    inventory = tmp_path / "hosts.yml"
    good = (lab.inventory / "hosts.yml").read_text()
    inventory.write_text(good)
    service = fresh_service("--no-worker", inventory=inventory)
    job = Jobs(service).script("echo ran", 101, 102)
    service.kill()
    service.options = ()
    inventory.unlink()
    with pytest.raises(AssertionError, match="there is no inventory at"):
        service.start()
    inventory.write_text(BROKEN)
    service.start(healthy=False)
    wait_until(lambda: "inventory could not be read" in service.log(), "a word on the inventory")
    assert not service.is_healthy()
    assert not service.status(1, job.id)["finished"]
    if terminated:
        service.data("operate_job_instance", bk_biz_id=1, job_instance_id=job.id, operation_code=1)
        assert job.status == 11
        assert set(job.statuses.values()) == {403}
    else:
        inventory.write_text(good)
        job.succeeded()
        assert set(job.statuses.values()) == {9}
    assert (service.data_dir / "artifacts" / str(job.id)).exists() != terminated


def test_a_service_leaves_its_lock_and_its_port_when_it_is_killed(fresh_service: NewService) -> None:
    """SIGKILL leaves nothing that would keep the next start from working."""
    service = fresh_service()
    assert service.process is not None
    os.kill(service.process.pid, signal.SIGKILL)
    service.process.wait()
    service.start()
    assert service.is_healthy()


def test_sqlite_that_is_locked_for_some_seconds_loses_nothing(lab: Lab, fresh_service: NewService) -> None:
    """Somebody copies the database, say: what runs goes on, what is written waits, and no lease runs out."""
    service, hosts = fresh_service(), lab.hosts_of(1)
    job = Jobs(service).script(marking("locked", 8), 101, 102, 103)
    wait_for_start(lab, hosts, "locked")
    with contextlib.closing(sqlite3.connect(service.data_dir / "adapter.db")) as database:
        database.execute("BEGIN IMMEDIATE")
        time.sleep(12)
        database.rollback()
    ran_once(lab, job, hosts, "locked", 8)
    assert '"letting_go"' not in service.log()


def test_a_sqlite_database_has_one_worker(fresh_service: NewService, tmp_path: Path) -> None:
    """`adapter worker` refuses the data directory, and the database from a data directory of its own."""
    service = fresh_service()
    inventory = ("--inventory", str(service.inventory))
    same = service.command("worker", *inventory, check=False)
    assert same.returncode == 1
    assert f"another process works on {service.data_dir}" in same.stderr
    url = f"sqlite:///{service.data_dir / 'adapter.db'}"
    shutil.copytree(service.data_dir, tmp_path / "other", ignore=lambda *_: ["adapter.db", "artifacts"])
    other = Service(tmp_path / "other", service.inventory)
    refused = other.command("worker", *inventory, "--database-url", url, check=False)
    assert refused.returncode == 1
    assert f"another process works on {service.data_dir}" in refused.stderr
    assert "several workers need PostgreSQL" in refused.stderr
