"""The clock is set back an hour, or on, while a step runs: it ends as it did, in its time, with sensible times."""

from __future__ import annotations

import getpass
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapter.job.status import HostStatus, RunStatus

from .conftest import SCOPE, Bench
from .test_step_run import Runs

HOUR = 3_600_000


@pytest.fixture
def runs(bench: Bench, runtime: Path) -> Iterator[Runs]:
    """Step runs whose scripts really run, on this machine."""
    bench.now = time.time_ns() // 1_000_000
    made, name = Runs(bench, runtime), f"clock{secrets.token_hex(4)}"
    made.runs = replace(made.runs, preparation=replace(bench.preparation(), installation=name))
    yield made
    for left in Path(f"/tmp/bkjob.{os.getuid()}").glob(f"{name}.*"):
        shutil.rmtree(left)


@pytest.mark.parametrize(
    ("jump", "forks"), [(-HOUR, 50), (-HOUR, 1), (HOUR, 1)], ids=["back", "back, in turns", "on, in turns"]
)
def test_a_clock_that_is_set_ends_nothing_early_or_late(runs: Runs, jump: int, forks: int) -> None:
    """No host is given up, none is followed for an hour, and no end is before its start."""
    bench = runs.bench
    settings = replace(bench.settings, forks=forks)
    runs.runs = replace(runs.runs, preparation=replace(runs.runs.preparation, settings=settings))
    account = bench.accounts.create(
        SCOPE, alias="me", account=getpass.getuser(), operator="tester", now_ms=bench.now
    )
    job = bench.job("echo before; sleep 3; echo after", account_id=account.id)
    bench.jobs.begin_job(job.id, bench.now)

    def set_clock() -> None:
        until = time.monotonic() + 30
        while not bench.logs.read(job.steps[0].id, 0, 1) and time.monotonic() < until:
            time.sleep(0.05)
        bench.now += jump

    began = time.monotonic()
    setter = threading.Thread(target=set_clock)
    setter.start()
    status = runs.runs.run(job.steps[0].id)
    assert status is RunStatus.SUCCESS, bench.logs.read(job.steps[0].id, 0, 1)
    setter.join()
    assert time.monotonic() - began < 150
    bench.jobs.finish_job(job.id, RunStatus.SUCCESS, bench.now)
    ended = bench.again(job)
    for result in bench.jobs.hosts(job.steps[0].id, 0):
        assert result.status is HostStatus.SUCCESS
        assert result.start_time is not None
        assert result.end_time is not None
        assert result.end_time >= result.start_time
        assert bench.logs.read(job.steps[0].id, 0, result.host.bk_host_id) == b"before\nafter\n"
    times = [(ended.start_time, ended.end_time), *((step.start_time, step.end_time) for step in ended.steps)]
    for start, end in times:
        assert start is not None
        assert end is not None
        assert end >= start
