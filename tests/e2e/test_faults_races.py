"""Many things at the same moment: a terminate against a job's end, and more jobs than a service runs at once."""

from __future__ import annotations

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.bench.processes import of_service, pss
from tests.e2e.conftest import NewService
from tests.e2e.jobs import Jobs
from tests.e2e.restarts import marks
from tests.lab import Lab

#: More of each through the environment.
RACES = int(os.environ.get("TEST_RACES", "16"))
JOBS = int(os.environ.get("TEST_JOBS_AT_ONCE", "200"))
SEED = int(os.environ.get("TEST_RACES_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)

#: Legal ends: (job, host) if the terminate was taken, and if it was refused. A script may end before it is killed.
_TAKEN, _REFUSED = {(11, 403), (11, 9)}, {(3, 9)}
_MARK = f"race-{os.getpid()}"


def test_a_terminate_that_races_with_the_end_has_one_outcome(lab: Lab, fresh_service: NewService) -> None:
    """Four clients ask at once for each of many jobs: all see the same, before the end what may become of it."""
    service, chance = fresh_service(), random.Random(SEED)
    print(f"seed {SEED}")
    jobs = Jobs(service)
    jobs.script("true", 101, 102, 103).succeeded()

    def race(number: int) -> None:
        host = 101 + number % 3
        job = jobs.script(f'echo {number} >> "$HOME/{_MARK}-term"; sleep 0.3; echo done', host)
        time.sleep(pauses[number])
        operate: dict[str, Any] = {"bk_biz_id": 1, "job_instance_id": job.id, "operation_code": 1}
        with ThreadPoolExecutor(4) as clients:
            codes = list(
                clients.map(lambda _: service.call("operate_job_instance", **operate)["code"], range(4))
            )
            assert set(codes) <= {0, 1241003}, f"seed {SEED}: {codes}"
            assert codes.count(0) <= 1, f"seed {SEED}: one of them stops it: {codes}"
            service.finished(1, job.id)
            ends = list(clients.map(lambda _: service.status(1, job.id), range(4)))
        assert all(end == ends[0] for end in ends)
        legal = _TAKEN if 0 in codes else _REFUSED
        assert (job.status, job.statuses[host]) in legal, f"seed {SEED}: {codes} {job.why()}"
        assert job.statuses[host] != 9 or job.log(host) == "done\n"
        outcomes.append((job.status, job.statuses[host]))

    outcomes: list[tuple[int, int]] = []
    pauses = [chance.uniform(0.2, 1.6) for _ in range(RACES)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(race, range(RACES)))
    print({outcome: outcomes.count(outcome) for outcome in set(outcomes)})
    ran = [number for host in lab.hosts_of(1) for number in marks(lab, host, f"{_MARK}-term")]
    assert len(ran) == len(set(ran)), f"seed {SEED}: twice"


@pytest.mark.timeout(400)
def test_two_hundred_jobs_at_once_on_one_machine(lab: Lab, fresh_service: NewService) -> None:
    """All are taken, each runs once and tells its own number, in bounded time and memory."""
    service, hosts = fresh_service(), lab.hosts_of(1)
    jobs = Jobs(service)
    assert service.process is not None
    began = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        started = list(
            pool.map(
                lambda number: jobs.script(
                    f'echo {number} >> "$HOME/{_MARK}-many"; echo {number}', hosts[number % 3].bk_host_id
                ),
                range(JOBS),
            )
        )
    submitted = time.monotonic() - began
    peak = 0.0
    for job in reversed(started):
        while not service.status(1, job.id)["finished"]:
            assert time.monotonic() < began + 300, "no end within a bounded time"
            peak = max(peak, pss(of_service(service.process.pid, [str(service.data_dir)])))
            time.sleep(0.5)
    print(f"{submitted:.1f} s to submit, {time.monotonic() - began:.1f} s in all, {peak:.0f} MB at most")
    ran = [int(number) for host in hosts for number in marks(lab, host, f"{_MARK}-many")]
    assert sorted(ran) == list(range(JOBS))
    for number, job in enumerate(started):
        assert job.status == 3
        if number % 20 == 0:
            assert job.log(hosts[number % 3].bk_host_id) == f"{number}\n"
    assert peak < 900
