"""Somebody else holds SQLite's lock: who submits or asks waits or is answered clearly, and nothing is lost."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.e2e.conftest import NewService
from tests.e2e.jobs import Jobs
from tests.e2e.restarts import marking, marks, ran_once, wait_for_start
from tests.lab import Lab

_MARK = f"lock-{os.getpid()}"


@contextlib.contextmanager
def locked(database: Path) -> Iterator[None]:
    """While this lasts nobody else can write."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.rollback()


def test_submitting_waits_for_the_lock_and_polling_does_not(lab: Lab, fresh_service: NewService) -> None:
    """Ten seconds: a running job goes on, polls are answered, five submissions are taken and each runs once."""
    service, host = fresh_service(), lab.host(101)
    jobs = Jobs(service)
    running = jobs.script(marking(f"{_MARK}-runs", 10), 101)
    wait_for_start(lab, [host], f"{_MARK}-runs")
    with ThreadPoolExecutor(5) as pool:
        with locked(service.data_dir / "adapter.db"):
            began = time.monotonic()
            submitted = [
                pool.submit(jobs.script, f'echo {number} >> "$HOME/{_MARK}-new"', 101) for number in range(5)
            ]
            slowest = 0.0
            while time.monotonic() < began + 10:
                asked = time.monotonic()
                assert not service.status(1, running.id)["finished"]
                slowest = max(slowest, time.monotonic() - asked)
                time.sleep(0.5)
            assert slowest < 5, "readers wait for no writer"
            assert not any(future.done() for future in submitted)
        new = [future.result() for future in submitted]
    assert len({job.id for job in new}) == 5
    for job in new:
        job.succeeded()
    ran_once(lab, running, [host], f"{_MARK}-runs", 10)
    assert sorted(marks(lab, host, f"{_MARK}-new")) == ["0", "1", "2", "3", "4"]
