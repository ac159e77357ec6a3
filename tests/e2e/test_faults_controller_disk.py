"""The disk that the service's data are on is full: it says so, loses nothing, and goes on when there is room."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Prepared
from tests.e2e.jobs import Jobs, wait_until
from tests.e2e.restarts import marking, marks, no_ansible_left, ran_once, wait_for_end, wait_for_start
from tests.lab import Lab
from tests.support.service import Service, b64

_MARK = f"full-{os.getpid()}"


class OnSmallDisk(Service):
    """A service whose data directory is a file system of its own; what it logs is not on it."""

    @property
    def log_file(self) -> Path:
        return self.data_dir.with_name("service.log")

    @property
    def ballast(self) -> Path:
        """What takes the room that is left."""
        return self.data_dir / "ballast"

    def fill(self) -> None:
        """Leave not a single byte."""
        with self.ballast.open("wb", buffering=0) as file:
            for size in (1024 * 1024, 4096, 1):
                try:
                    while file.write(bytes(size)):
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        """There is room again."""
        self.ballast.unlink(missing_ok=True)


@pytest.fixture
def service(lab: Lab, prepared: Prepared, tmp_path: Path) -> Iterator[OnSmallDisk]:
    """Running, with 64 MiB for its data."""
    if not lab.isolated:
        pytest.skip("mounting needs root")
    data = tmp_path / "data"
    data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "small", str(data)], check=True)
    running = OnSmallDisk(data_dir=data, inventory=lab.inventory)
    try:
        yield running
    finally:
        running.free()
        running.stop()
        no_ansible_left(running)
        subprocess.run(["umount", "--lazy", str(data)], check=True)


def refused(service: Service) -> dict[str, Any]:
    """The envelope of a submission that is not taken."""
    return service.call(
        "fast_execute_script",
        bk_biz_id=1,
        script_content=b64(f'echo ran >> "$HOME/{_MARK}-refused"'),
        script_language=1,
        account_alias="root",
        target_server={"host_id_list": [101]},
    )


def job_ids(service: Service) -> list[int]:
    """Every job there is."""
    now = int(time.time() * 1000)
    hour: dict[str, Any] = {"create_time_start": now - 3_600_000, "create_time_end": now + 3_600_000}
    found = service.data("get_job_instance_list", bk_biz_id=1, length=50, **hour)
    return sorted(job["job_instance_id"] for job in found["data"])


def test_nothing_is_taken_that_cannot_be_kept(lab: Lab, prepared: Prepared, service: OnSmallDisk) -> None:
    """A submission is refused with the reason and leaves no trace; what is stored can be read all the time."""
    prepared.started(service)
    before = Jobs(service).script("echo before", 101).succeeded()
    service.fill()
    for _ in range(3):
        envelope = refused(service)
        assert (envelope["result"], envelope["code"]) == (False, 1240002)
        assert "disk of the service's database is full" in envelope["message"]
    assert before.log_now(101) == "before\n"
    assert job_ids(service) == [before.id]
    service.free()
    after = Jobs(service).script("echo after", 101).succeeded()
    assert after.log(101) == "after\n"
    assert job_ids(service) == [before.id, after.id]
    assert marks(lab, lab.host(101), f"{_MARK}-refused") == []


def test_what_runs_while_the_disk_is_full_is_told_whole_afterwards(
    lab: Lab, prepared: Prepared, service: OnSmallDisk
) -> None:
    """Scripts that end meanwhile and later, one that is to be stopped: each ran once, and nobody gives up."""
    prepared.started(service)
    jobs, hosts = Jobs(service), lab.hosts_of(1)
    names = [f"{_MARK}-{word}" for word in ("short", "long", "stops")]
    short = jobs.script(marking(names[0], 12), 101, 102, 103)
    long = jobs.script(marking(names[1], 25), 101, 102)
    stops = jobs.script(marking(names[2], 60), 103)
    for name, where in zip(names, (hosts, hosts[:2], hosts[2:]), strict=True):
        wait_for_start(lab, where, name)
    service.fill()
    stop: dict[str, Any] = {"bk_biz_id": 1, "job_instance_id": stops.id, "operation_code": 1}
    assert service.call("operate_job_instance", **stop)["code"] == 1240002
    wait_for_end(lab, hosts, names[0])
    wait_until(
        lambda: service.log().count('"workflow_step_waits"') > 6,
        "a word in the service's log, again and again",
        timeout=90,
    )
    for job in (short, long, stops):
        assert not service.status(1, job.id)["finished"]
    service.free()
    assert service.call("operate_job_instance", **stop)["code"] == 0
    ran_once(lab, short, hosts, names[0], 12)
    ran_once(lab, long, hosts[:2], names[1], 25)
    assert (stops.status, stops.statuses) == (11, {103: 403})
    said = [line for line in service.log().splitlines() if '"workflow_step_waits"' in line]
    assert all("disk is full" in line or "No space left" in line for line in said)
    assert '"job_abnormal"' not in service.log()
