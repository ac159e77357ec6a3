"""Results that are kept are always what the database has, whoever wrote it, on SQLite and PostgreSQL."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from sqlalchemy import event

from adapter.job.model import Host, HostResult, JobInstance, Scope, ScriptTask, StepInstance
from adapter.job.status import HostStatus
from adapter.store import job_rows
from adapter.store.jobs import JobStore
from adapter.store.kept_results import KeptResults
from adapter.store.secrets import SecretBox
from tests.support.lives import HOSTS, Life, new_job

SEED = 20261129
LIVES, STEPS = 10, 25


def test_what_is_kept_is_what_is_stored(engine: sa.Engine, jobs: JobStore) -> None:
    """Through states of hosts, retries, batches, stops and skips, in any order: every execution of every step."""
    print("seed", SEED)
    rng = random.Random(SEED)
    kept = KeptResults(engine, large=1)
    happened: Counter[str] = Counter()
    for _ in range(LIVES):
        life = Life(jobs, new_job(jobs).id, rng)
        for _ in range(STEPS):
            done = life.goes_on()
            happened[done.split()[0]] += "True" in done or "_hosts_move" in done
            for step in life.job.steps:
                for execute_count in range(step.execute_count + 1):
                    stored = KeptResults(engine).of(step.id, execute_count)
                    assert kept.of(step.id, execute_count) == stored, done
                happened["retries"] += step.execute_count > 0
    assert len(+happened) == 7, happened


def test_a_new_job_needs_no_reading(engine: sa.Engine) -> None:
    """What a launch has stored is kept as whoever reads it finds it: batches, executions, invalid hosts."""
    box = SecretBox(Fernet.generate_key())
    kept = KeptResults(engine, large=6)
    job = new_job(JobStore(engine, box, results=kept))
    known = [kept.of(step.id, 0) for step in job.steps]
    assert known == [KeptResults(engine).of(step.id, 0) for step in job.steps]
    assert all(one is other.host for one, other in zip(HOSTS, known[0], strict=True))


def _one_step(jobs: JobStore, hosts: int) -> JobInstance:
    targets = tuple(Host(bk_host_id=n, bk_cloud_id=0, ip="", name=f"h{n}") for n in range(1, hosts + 1))
    step = StepInstance(
        name="run", script=ScriptTask(language=1, content="echo", account_id=7), create_time=1
    )
    return jobs.add(JobInstance(scope=Scope("biz", "2"), create_time=1, steps=(step,)), [targets])


def _say(jobs: JobStore, step_id: int, results: tuple[HostResult, ...], number: int) -> None:
    moved = [replace(item, status=HostStatus.RUNNING, log_bytes=number) for item in results]
    jobs.save_hosts(step_id, 0, moved)


def test_nothing_is_passed_over_while_others_write(engine: sa.Engine, jobs: JobStore) -> None:
    """Between what was stored before and after it was read: writers that commit meanwhile are all seen."""
    job = _one_step(jobs, 40)
    (step,) = job.steps
    first = jobs.hosts(step.id, 0)
    kept = KeptResults(engine, large=1)
    ended = threading.Event()

    def write(part: int) -> None:
        for number in range(1, 40):
            _say(jobs, step.id, first[part::4], number)

    def read() -> None:
        while not ended.is_set():
            before = KeptResults(engine).of(step.id, 0)
            found = kept.of(step.id, 0)
            after = KeptResults(engine).of(step.id, 0)
            for low, one, high in zip(before, found, after, strict=True):
                if not low.log_bytes <= one.log_bytes <= high.log_bytes:
                    wrong.append((low, one, high))

    wrong: list[tuple[HostResult, ...]] = []
    writers = [threading.Thread(target=write, args=(part,)) for part in range(4)]
    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    for thread in readers:
        thread.join()
    assert not wrong
    assert {item.log_bytes for item in kept.of(step.id, 0)} == {39}


def test_only_changed_rows_are_read(engine: sa.Engine, jobs: JobStore) -> None:
    """Those that are as they were are the same objects; one statement each time."""
    job = _one_step(jobs, 30)
    (step,) = job.steps
    kept = KeptResults(engine, large=30)
    before = kept.of(step.id, 0)
    _say(jobs, step.id, before[3:5], 7)
    statements: list[str] = []
    event.listen(
        engine, "before_cursor_execute", lambda _c, _cursor, statement, *_more: statements.append(statement)
    )
    after = kept.of(step.id, 0)
    assert len(statements) == 1
    assert [place for place in range(30) if after[place] is not before[place]] == [3, 4]


def test_few_hosts_and_too_many_are_read_as_ever(engine: sa.Engine, jobs: JobStore) -> None:
    """Below the one bound and above the other nothing is kept; what was asked for last is kept longest."""
    steps = [_one_step(jobs, hosts).steps[0] for hosts in (9, 10, 11, 31)]
    kept = KeptResults(engine, large=10, most=30)
    small, first, second, huge = ([kept.of(step.id, 0)[0] for _ in range(2)] for step in steps)
    assert small[0] is not small[1]
    assert first[0] is first[1]
    assert second[0] is second[1]
    assert huge[0] is not huge[1]
    third = _one_step(jobs, 12).steps[0]
    kept.of(steps[1].id, 0)
    kept.of(third.id, 0)  # 33 hosts: the second one has to go
    assert kept.of(steps[1].id, 0)[0] is first[0]
    assert kept.of(steps[2].id, 0)[0] is not second[0]


def test_a_read_that_breaks_off_is_made_up_for(
    engine: sa.Engine, jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it took in of a change without the rest is not taken for all of it."""
    job = _one_step(jobs, 8)
    (step,) = job.steps
    kept = KeptResults(engine, large=1)
    before = kept.of(step.id, 0)
    _say(jobs, step.id, before, 5)

    taken: list[sa.Row[Any]] = []

    def break_off(row: sa.Row[Any]) -> HostResult:
        if len(taken) == 3:
            raise ConnectionError("gone")
        taken.append(row)
        return to_host_result(row)

    to_host_result = job_rows.to_host_result
    with monkeypatch.context() as patch:
        patch.setattr(job_rows, "to_host_result", break_off)
        with pytest.raises(ConnectionError):
            kept.of(step.id, 0)
    assert [item.log_bytes for item in kept.of(step.id, 0)] == [5] * 8
