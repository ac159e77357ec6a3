"""An audit of a store and artifacts: nothing where they agree, each thing that is spoilt by its name and place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapter.clock import SystemClock
from adapter.engine.audit import Audit, Report
from adapter.job.model import FileLog, FileSource, FileTask, JobInstance, StepInstance
from adapter.job.status import HostStatus, RunStatus, StepType
from adapter.store import tables
from adapter.store.audit import AuditStore
from adapter.store.retention import RetentionStore
from adapter.store.workers import WorkerStore

from .conftest import ONE, SCOPE, TWO, Bench, made_bench

PRINTED = {1: b"first\nsecond job_success:[done]\n", 2: b""}
ENDED = 1_720_069_570_000


class World:
    """A script job that ended on two hosts and a file job that ended on one, with their artifacts."""

    def __init__(self, bench: Bench, *, is_shared: bool = False) -> None:
        self.bench = bench
        self.artifacts = bench.directory / "artifacts"
        self.audit = Audit(
            jobs=bench.jobs,
            logs=bench.logs,
            store=AuditStore(bench.engine),
            workers=WorkerStore(bench.engine),
            clock=SystemClock(),
            artifacts=self.artifacts,
            is_shared=is_shared,
            again_after=0,
        )
        self.job = bench.job("true")
        self.step = self.job.steps[0]
        self.spool = self._directory(self.job) / "spool"
        self._run_script()
        self.file_job = self._stored_file_job()
        self.file_spool = self._directory(self.file_job) / "spool"
        self._run_files()

    def _directory(self, job: JobInstance) -> Path:
        return self.artifacts / str(job.id) / str(job.steps[0].id) / "0"

    def _run_script(self) -> None:
        events = self.spool.parent / "artifacts" / "run-1" / "job_events"
        self.spool.mkdir(parents=True)
        events.mkdir(parents=True)
        for counter, (host, code) in enumerate(((ONE, 0), (TWO, 3)), start=1):
            printed = PRINTED[host.bk_host_id]
            result = {"state": "finished", "exit_code": code, "log_bytes": len(printed), "end_time": ENDED}
            self.record(host.bk_host_id, **result)
            if printed:
                (self.spool / f"{host.bk_host_id}.log").write_bytes(printed)
            data = {"host": host.name, "task": "script", "res": {"job": result}}
            event = {"event": "runner_on_ok", "uuid": f"u{counter}", "counter": counter, "event_data": data}
            (events / f"{counter}-u{counter}.json").write_text(json.dumps(event))
        jobs, logs = self.bench.jobs, self.bench.logs
        jobs.begin_job(self.job.id, 1)
        jobs.begin_step(self.step.id, 1)
        logs.append(self.step.id, 0, 1, 0, PRINTED[1][:6])
        logs.append(self.step.id, 0, 1, 6, PRINTED[1][6:])
        one, two = jobs.hosts(self.step.id, 0)
        size = len(PRINTED[1])
        done = {"start_time": 5, "end_time": ENDED}
        ended = [
            one.evolve(
                status=HostStatus.SUCCESS, exit_code=0, tag="done", log_bytes=size, log_kept=size, **done
            ),
            two.evolve(status=HostStatus.NON_ZERO_EXIT, exit_code=3, **done),
        ]
        jobs.save_hosts(self.step.id, 0, ended)
        jobs.finish_step(self.step.id, RunStatus.FAILED, ENDED)
        jobs.finish_job(self.job.id, RunStatus.FAILED, ENDED)

    def _stored_file_job(self) -> JobInstance:
        task = FileTask(
            sources=(FileSource(files=("/a",), account_id=1, hosts=(ONE,)),), target_path="/b/", account_id=1
        )
        step = StepInstance(type=StepType.FILE, file=task, create_time=self.bench.now)
        return self.bench.jobs.add(JobInstance(scope=SCOPE, steps=(step,), create_time=1), [(TWO,)])

    def _run_files(self) -> None:
        self.file_spool.mkdir(parents=True)
        arrived = FileLog(
            bk_host_id=2, mode=1, src_host_id=1, src_path="/a", dest_host_id=2, dest_path="/b/a", status=4,
            status_desc="finished", progress=100, time=ENDED,
        )  # fmt: skip
        self.say(arrived)
        result = {"state": "ok", "exit_code": None, "end_time": ENDED}
        (self.file_spool / "2.json").write_text(json.dumps(result))
        jobs, step = self.bench.jobs, self.file_job.steps[0]
        jobs.begin_job(self.file_job.id, 1)
        jobs.begin_step(step.id, 1)
        self.bench.logs.save_file_logs(step.id, 0, [arrived])
        (host,) = jobs.hosts(step.id, 0)
        jobs.save_hosts(step.id, 0, [host.evolve(status=HostStatus.SUCCESS, start_time=5, end_time=ENDED)])
        jobs.finish_step(step.id, RunStatus.SUCCESS, ENDED)
        jobs.finish_job(self.file_job.id, RunStatus.SUCCESS, ENDED)

    def say(self, entry: FileLog) -> None:
        """What the plugin says of a file."""
        with (self.file_spool / "2.files.jsonl").open("a") as file:
            file.write(json.dumps(vars(entry)) + "\n")

    def record(self, host_id: int, **result: Any) -> None:
        """What the plugin recorded of a host."""
        (self.spool / f"{host_id}.json").write_text(json.dumps(result))

    def change(self, table: sa.Table, *conditions: sa.ColumnElement[bool], **values: Any) -> None:
        """Spoil rows."""
        with self.bench.engine.begin() as connection:
            assert connection.execute(sa.update(table).where(*conditions).values(values)).rowcount

    def change_host(self, host_id: int, **values: Any) -> None:
        """Spoil a host of the script job."""
        mine = tables.host_result.c.step_instance_id == self.step.id
        self.change(tables.host_result, mine, tables.host_result.c.bk_host_id == host_id, **values)

    def report(self) -> Report:
        """Of all jobs."""
        return self.audit.run(self.audit.store.job_ids())

    def found(self) -> list[str]:
        """The findings' lines."""
        return [str(finding) for finding in self.report().findings]


@pytest.fixture
def world(bench: Bench) -> World:
    """On SQLite."""
    return World(bench)


@pytest.fixture
def each_world(each_database: str, tmp_path: Path) -> Iterator[World]:
    """On SQLite and on PostgreSQL, as one of many nodes there."""
    for bench in made_bench(tmp_path, each_database):
        yield World(bench, is_shared=each_database.startswith("postgresql"))


def test_nothing_is_found_where_all_agree(each_world: World) -> None:
    """And everything was looked at."""
    report = each_world.report()
    assert report.findings == []
    assert not report.not_looked_at
    assert (report.jobs, report.hosts) == (2, 3)


def _spoil_log(world: World) -> None:
    chunk = tables.log_chunk.c
    world.change(tables.log_chunk, chunk.offset == 6, content=b"s" + b"E" + PRINTED[1][8:])


def _shift_log(world: World) -> None:
    world.change(tables.log_chunk, tables.log_chunk.c.offset == 6, offset=7)


def _forget_run(world: World) -> None:
    shutil.rmtree(world.spool.parent / "artifacts")
    (world.spool / "1.json").unlink()


def _say_of_file(world: World) -> None:
    (stored,) = world.bench.logs.file_logs(world.file_job.steps[0].id, 0, None)
    world.say(replace(stored, status=5, status_desc="failed"))


#: How it is spoilt, what is said, and where.
SPOILT: dict[str, tuple[Callable[[World], object], str]] = {
    "host state": (lambda world: world.change_host(2, status=102), "host 2 (0:127.0.0.2): state: reads SCRIPT"),
    "exit code": (lambda world: world.change_host(2, exit_code=4), "reads exit code 4, the plugin recorded 3"),
    "error code": (lambda world: world.change_host(1, error_code=117), "with error code 117"),
    "tag": (lambda world: world.change_host(1, tag="z"), "reads tag 'z', the host printed 'done'"),
    "no end": (lambda world: world.change_host(1, end_time=None), "has no end time"),
    "unfinished": (lambda world: world.change_host(1, status=7), "1 of its hosts have not"),
    "a byte": (_spoil_log, "differs from what the host printed, from byte 7 on"),
    "a hole": (_shift_log, "a hole: bytes 6 to 7"),
    "no evidence": (_forget_run, "reads SUCCESS (9), Ansible's events tell nothing"),
    "record": (
        lambda world: world.record(1, state="timeout", exit_code=0, end_time=ENDED, log_bytes=32),
        "the plugin recorded SCRIPT_TIMEOUT (102)",
    ),
    "half a record": (lambda world: (world.spool / "1.json").write_text("{"), "the recorded result cannot be"),
    "spool": (lambda world: (world.spool / "2.log").write_text("x"), "1 spooled bytes read as 0 kept"),
    "step state": (
        lambda world: world.change(tables.step_instance, tables.step_instance.c.id == world.step.id, status=3),
        "step 1.0: state: reads SUCCESS (3), its hosts add up to FAILED (4)",
    ),
    "job state": (
        lambda world: world.change(tables.job_instance, tables.job_instance.c.id == world.job.id, status=3),
        "job 1: state: reads SUCCESS (3), its steps add up to FAILED (4)",
    ),
    "forgotten": (
        lambda world: world.change(
            tables.job_instance, tables.job_instance.c.id == world.job.id, status=2, open=True, end_time=None
        ),
        "no worker has claimed it",
    ),
    "unknown job": (lambda world: (world.artifacts / "99").mkdir(), "job 99: artifact: has artifacts"),
    "unknown step": (
        lambda world: (world.artifacts / str(world.job.id) / "98").mkdir(),
        "job 1 step 98: artifact: has artifacts",
    ),
    "file": (_say_of_file, "/b/a reads 4 finished 100%, the plugin said 5 failed 100%"),
    "file state": (
        lambda world: world.change(
            tables.host_result,
            tables.host_result.c.step_instance_id == world.file_job.steps[0].id,
            status=202,
        ),
        "reads COPY_FAILED, none of its 1 files has failed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SPOILT)
def test_what_is_spoilt_is_named(world: World, what: str) -> None:
    """In the store, in the spool, in the artifacts."""
    spoil, words = SPOILT[what]
    spoil(world)
    found = world.found()
    assert [line for line in found if words in line], found


def test_postgresql_shows_the_same(each_world: World) -> None:
    """Logs and states, through the other database's driver."""
    _spoil_log(each_world)
    each_world.change_host(2, exit_code=4)
    found = each_world.found()
    assert len(found) == 2, found
    assert "from byte 7 on" in "".join(found)


def test_artifacts_that_are_not_here_are_not_looked_at(world: World) -> None:
    """Removed, or on the node that ran the step: what the store alone can tell is still compared."""
    shutil.rmtree(world.artifacts)
    report = world.report()
    assert report.findings == []
    assert list(report.not_looked_at.values()) == [2]
    world.change_host(1, exit_code=4)
    assert len(world.found()) == 1


def test_logs_that_were_removed_for_their_age_are_not_missed(world: World) -> None:
    """It says of how many hosts; that a host which ran again afterwards has none is still found."""
    bench = world.bench
    removed = RetentionStore(bench.engine).remove_logs(ENDED + 1, ENDED + 2)
    assert removed == [world.job.id, world.file_job.id]
    report = world.report()
    assert [str(finding) for finding in report.findings] == []
    assert dict(report.not_looked_at) == {"hosts whose logs were removed for their age": 2}
    world.change_host(1, end_time=ENDED + 3)
    report = world.report()
    assert any("host 1" in str(finding) and "log" in str(finding) for finding in report.findings), report
    assert report.not_looked_at["hosts whose logs were removed for their age"] == 1


def test_artifacts_of_jobs_that_were_removed_are_no_orphans(each_world: World) -> None:
    """Another node's, or a prune that was cut off: how many is said. Those of a job that never was are found."""
    engine = each_world.bench.engine
    with engine.begin() as connection:
        connection.execute(sa.delete(tables.installation))
        connection.execute(sa.insert(tables.installation).values(id=1, key_digest="x"))
    assert len(RetentionStore(engine).remove_jobs(ENDED + 1)) == 2
    report = each_world.report()
    assert (report.findings, report.jobs) == ([], 0)
    reason = "jobs that were removed for their age and whose artifacts are still here"
    assert dict(report.not_looked_at) == {reason: 2}
    (each_world.artifacts / "99").mkdir()
    report = each_world.report()
    assert [str(finding) for finding in report.findings] == [
        "job 99: artifact: has artifacts, and the store knows no such job"
    ]


def test_artifacts_of_an_earlier_attempt_of_another_node_are_no_evidence(bench: Bench) -> None:
    """This node recorded one end, lost the job, and another saw and stored the next."""
    world = World(bench, is_shared=True)
    world.record(2, state="no_answer", exit_code=None, end_time=ENDED - 9, log_bytes=0)
    report = world.report()
    assert [str(finding) for finding in report.findings] == []
    assert list(report.not_looked_at.values()) == [1]


@pytest.mark.parametrize("is_shared", [True, False])
def test_a_host_that_was_lost_before_all_its_output_came_again(bench: Bench, is_shared: bool) -> None:
    """Another node stored it: this one's spool is no evidence of the log. Without other nodes it is."""
    world = World(bench, is_shared=is_shared)
    (world.spool / "1.json").unlink()
    world.spool.joinpath("1.log").write_bytes(PRINTED[1][:6])
    data = {"host": ONE.name, "task": "script", "res": {"msg": "cannot be reached"}}
    event = {"event": "runner_on_unreachable", "uuid": "u1", "counter": 1, "event_data": data}
    (world.spool.parent / "artifacts/run-1/job_events/1-u1.json").write_text(json.dumps(event))
    world.change_host(1, status=int(HostStatus.AGENT_ABNORMAL), exit_code=None, error_code=117)
    report = world.report()
    assert bool(report.findings) is not is_shared
    assert list(report.not_looked_at.values()) == [1] * is_shared


def test_what_is_gone_a_moment_later_is_no_finding(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a running service things are read while they change."""
    world.change_host(2, exit_code=4)
    monkeypatch.setattr("adapter.engine.audit.time.sleep", lambda _seconds: world.change_host(2, exit_code=3))
    assert world.found() == []


def test_running_jobs_are_no_findings(world: World) -> None:
    """One that waits, one whose host runs and has printed something."""
    running = world.bench.job("true")
    step = running.steps[0]
    world.bench.jobs.begin_job(running.id, 1)
    world.bench.jobs.begin_step(step.id, 1)
    one = world.bench.jobs.hosts(step.id, 0)[0]
    world.bench.jobs.save_hosts(step.id, 0, [one.evolve(status=HostStatus.RUNNING, start_time=5)])
    world.bench.logs.append(step.id, 0, 1, 0, b"so far")
    now = SystemClock().now_ms()
    world.change(tables.job_instance, tables.job_instance.c.id == running.id, start_time=now)
    assert world.found() == []


def test_a_job_that_is_not_there_is_said(world: World) -> None:
    """It is no clean one."""
    with pytest.raises(LookupError, match="no job 77"):
        world.audit.run([77])
