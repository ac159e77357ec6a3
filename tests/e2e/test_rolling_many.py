"""Batches of 10 % over many hosts, one in the third fails, in each mode (contract e): `make rolling`, 200 hosts.

Without ROLLING_HOSTS there are 20. Each host writes down when its script ran, so that nothing runs twice unseen.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.bench.client import BIZ
from tests.bench.world import World, ids
from tests.e2e.jobs import Job, Jobs
from tests.e2e.operating import operate_step, status_of
from tests.lab import LabHost, start_lab

HOSTS = int(os.environ.get("ROLLING_HOSTS") or 20)
RETRY_FAILED, IGNORE, NEXT_BATCH = 2, 3, 13
PAUSE, GO_ON, MANUAL = 1, 2, 3
#: Seconds for a whole job.
PATIENCE = 60 + 3 * HOSTS


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with start_lab(HOSTS) as lab:
        yield World(tmp_path_factory.mktemp("rolling"), lab, runs=1)


@pytest.fixture(scope="module")
def jobs(world: World) -> Iterator[Jobs]:
    with world.serving() as serving:
        yield Jobs(serving.service, int(BIZ))


class Rolled:
    """A job over all hosts, and what each of them says of it."""

    def __init__(self, world: World, jobs: Jobs, mode: int) -> None:
        self.world = world
        self.mark = f"/tmp/rolled-{time.monotonic_ns()}"
        hosts = world.hosts(HOSTS)
        self.size = -(-HOSTS // 10)
        self.bad = hosts[2 * self.size]
        world.lab.exec(self.bad, f"touch {self.mark}-bad")
        script = f"echo ran >> {self.mark}; test ! -e {self.mark}-bad"
        rolling = {"mode": mode, "expression": "10%"}
        self.job = jobs.script(script, *ids(hosts), rolling_config=rolling)

    def comes_to(self, status: int) -> dict[str, Any]:
        """The step, once the job has that status."""
        found = status_of(
            self.job, until=lambda now: now["job_instance"]["status"] == status, timeout=PATIENCE
        )
        (step,) = found["step_instance_list"]
        return dict(step)

    def runs(self, host: LabHost) -> int:
        """How often the script ran there."""
        return int(self.world.lab.exec(host, f"wc -l < {self.mark}").stdout)

    def batches(self, step: dict[str, Any]) -> list[list[dict[str, Any]]]:
        """The hosts' results, batch by batch."""
        results = step["step_ip_result_list"]
        return [results[begin : begin + self.size] for begin in range(0, len(results), self.size)]


def assert_in_order(batches: list[list[dict[str, Any]]]) -> None:
    """No host of a batch began before the last of the one before had ended."""
    ran = [batch for batch in batches if all(item["start_time"] for item in batch)]
    for before, after in pairwise(ran):
        assert max(item["end_time"] for item in before) <= min(item["start_time"] for item in after)


def statuses(batches: list[list[dict[str, Any]]]) -> list[set[int]]:
    return [{item["status"] for item in batch} for batch in batches]


def test_a_failure_pauses(world: World, jobs: Jobs) -> None:
    """Two batches are good, the third has a host that failed, the others never began; retried, all run, once."""
    rolled = Rolled(world, jobs, PAUSE)
    failed = rolled.batches(rolled.comes_to(4))
    assert statuses(failed)[:2] == [{9}, {9}]
    assert 104 in statuses(failed)[2]
    assert all(found == {5} for found in statuses(failed)[3:])
    assert_in_order(failed)
    world.lab.exec(rolled.bad, f"rm {rolled.mark}-bad")
    assert operate_step(rolled.job, RETRY_FAILED)["code"] == 0
    step = rolled.comes_to(3)
    assert (step["status"], step["execute_count"]) == (3, 1)
    assert statuses(rolled.batches(step)) == [{9}] * len(failed)
    assert_in_order(rolled.batches(step)[3:])
    for host in world.hosts(HOSTS):
        assert rolled.runs(host) == (2 if host is rolled.bad else 1), host.name


def test_failures_are_ignored(world: World, jobs: Jobs) -> None:
    """Every batch runs, one after the other."""
    rolled = Rolled(world, jobs, GO_ON)
    step = rolled.comes_to(3)
    batches = rolled.batches(step)
    assert step["status"] == 3
    failed = [item["bk_host_id"] for batch in batches for item in batch if item["status"] != 9]
    assert failed == [rolled.bad.bk_host_id]
    assert_in_order(batches)


def test_batches_by_hand(world: World, jobs: Jobs) -> None:
    """Each waits for an operator; the one that failed is ignored by one."""
    rolled = Rolled(world, jobs, MANUAL)
    number = len(rolled.batches(rolled.comes_to(7)))
    for begun in range(1, number):
        if begun == 3:
            assert rolled.comes_to(4)["status"] == 4
            assert operate_step(rolled.job, IGNORE)["code"] == 0
        else:
            found = statuses(rolled.batches(rolled.comes_to(7)))
            assert all(item == {5} for item in found[begun:]), begun
            assert operate_step(rolled.job, NEXT_BATCH)["code"] == 0
            _leaves_7(rolled.job, begun, rolled)
    step = rolled.comes_to(3)
    assert_in_order(rolled.batches(step))
    assert [item["status"] for item in step["step_ip_result_list"]].count(104) == 1


def _leaves_7(job: Job, begun: int, rolled: Rolled) -> None:
    """The next batch has begun: what reads 7 after that is the wait after it."""

    def has_begun(status: dict[str, Any]) -> bool:
        (step,) = status["step_instance_list"]
        return statuses(rolled.batches(step))[begun] != {5}

    status_of(job, until=has_begun, timeout=PATIENCE)
