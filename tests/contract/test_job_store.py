"""What the stores of job instances and logs promise, on a real database."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from adapter import errors
from adapter.job.commands import JobFilter
from adapter.job.model import (
    FileLog,
    FileSource,
    FileTask,
    Host,
    HostResult,
    JobInstance,
    JobVariable,
    Scope,
    ScriptTask,
    StepInstance,
)
from adapter.job.status import HostStatus, RunStatus, StepType, TaskType
from adapter.store import tables
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore
from tests.support.startable import to_start

BIZ = Scope("biz", "2")
OTHER = Scope("biz", "3")
WEB = Host(bk_host_id=1, bk_cloud_id=0, ip="10.0.0.1", name="web1")
DB = Host(bk_host_id=2, bk_cloud_id=0, ip="10.0.0.2", name="db1")


@pytest.fixture
def logs(engine: sa.Engine) -> LogStore:
    return LogStore(engine)


def script_step(**changes: object) -> StepInstance:
    task = ScriptTask(language=1, content="echo", param="a b", account_id=7)
    return replace(StepInstance(name="run", script=task, create_time=100), **changes)  # type: ignore[arg-type]


def a_job(*steps: StepInstance, **changes: object) -> JobInstance:
    job = JobInstance(scope=BIZ, name="a job", operator="ann", app_code="app", create_time=100, steps=steps)
    return replace(job, **changes)  # type: ignore[arg-type]


def stored(jobs: JobStore, **changes: object) -> JobInstance:
    return jobs.add(a_job(script_step(), **changes), [(WEB, DB)])


def wanted(**changes: object) -> JobFilter:
    everything = JobFilter(scope=BIZ, create_time_start=0, create_time_end=10_000)
    return replace(everything, **changes)  # type: ignore[arg-type]


# --- storing and reading ---------------------------------------------------------------------------------


def test_a_job_is_read_as_it_was_stored(jobs: JobStore) -> None:
    """With its ids, its steps in order and a waiting result for each host."""
    file = FileTask(
        sources=(FileSource(files=("/tmp/a",), account_id=7, hosts=(DB,)),), target_path="/tmp/", account_id=7
    )
    job = jobs.add(
        a_job(
            script_step(),
            StepInstance(name="copy", order=1, type=StepType.FILE, file=file, create_time=100),
            other_scope=OTHER,
            callback_url="http://example.com/",
            plan_id=5,
            type=TaskType.PLAN,
        ),
        [(DB, WEB), (WEB,)],
    )
    assert job.id > 0
    assert all(step.id > 0 and step.job_instance_id == job.id for step in job.steps)
    assert jobs.get(job.id) == job
    assert jobs.step(job.steps[1].id) == job.steps[1]
    assert jobs.hosts(job.steps[0].id, 0) == (HostResult(host=DB), HostResult(host=WEB))
    assert jobs.hosts(job.steps[0].id, 1) == ()
    assert jobs.status(job.id) == RunStatus.WAITING


@pytest.mark.parametrize("unknown", [0, -1, 99, 2**63, 2**80])
def test_unknown_ids_name_nothing(jobs: JobStore, unknown: int) -> None:
    """However large they are."""
    assert jobs.get(unknown) is None
    assert jobs.step(unknown) is None
    assert jobs.list(wanted(job_instance_id=unknown)) == (0, ())
    with pytest.raises(errors.StepInstanceUnknown):
        jobs.script_param(unknown)


def test_an_unknown_job_has_no_status(jobs: JobStore) -> None:
    """It is an error, not a state."""
    with pytest.raises(errors.JobUnknown):
        jobs.status(99)


def test_a_sensitive_param_comes_back_only_where_it_is_used(jobs: JobStore, engine: sa.Engine) -> None:
    """Nothing in the database has it in clear."""
    secret = ScriptTask(language=1, content="echo", param="s3cret", param_sensitive=True)
    job = jobs.add(a_job(script_step(script=secret), script_step(order=1)), [(WEB,), (WEB,)])
    read = jobs.get(job.id)
    assert read == job
    assert read is not None
    assert read.steps[0].script == replace(secret, param="******")
    assert jobs.script_param(job.steps[0].id) == "s3cret"
    assert jobs.script_param(job.steps[1].id) == "a b"
    with engine.connect() as connection:
        assert "s3cret" not in str(connection.execute(sa.select(tables.step_instance)).all())


def test_a_job_that_cannot_be_stored_leaves_no_row(jobs: JobStore, engine: sa.Engine) -> None:
    """The same host twice is refused by the table; the job is not there either."""
    with pytest.raises(sa.exc.IntegrityError):
        jobs.add(a_job(script_step(), script_step(order=1)), [(WEB,), (WEB, WEB)])
    with pytest.raises(ValueError, match="2 steps with the hosts of 1"):
        jobs.add(a_job(script_step(), script_step()), [(WEB,)])
    with pytest.raises(ValueError, match="neither a script nor files"):
        jobs.add(a_job(script_step(script=None)), [(WEB,)])
    with engine.connect() as connection:
        for table in (tables.job_instance, tables.step_instance, tables.host_result):
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 0


def test_fifty_thousand_hosts_are_stored_and_saved_many_at_once(jobs: JobStore, engine: sa.Engine) -> None:
    """One statement for many rows, both times: counted, for seconds are the machine's."""
    hosts = tuple(Host(bk_host_id=i, bk_cloud_id=0, ip="", name=f"h{i}") for i in range(1, 50_001))
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement[:40])

    sa.event.listen(engine, "before_cursor_execute", note)
    job = jobs.add(a_job(script_step()), [hosts])
    step = job.steps[0].id
    jobs.save_hosts(step, 0, (HostResult(host=host, status=HostStatus.SUCCESS) for host in hosts))
    results = jobs.hosts(step, 0)
    sa.event.remove(engine, "before_cursor_execute", note)
    assert len(statements) < 100, set(statements)
    assert [result.host for result in results] == list(hosts)
    assert all(result.status == HostStatus.SUCCESS for result in results)


# --- lists -----------------------------------------------------------------------------------------------


def test_lists_are_newest_first_in_pages(jobs: JobStore) -> None:
    """With the total, and without steps."""
    ids = [stored(jobs, create_time=100 + i).id for i in range(5)]
    total, page = jobs.list(wanted(start=1, length=2))
    assert total == 5
    assert [job.id for job in page] == [ids[3], ids[2]]
    assert all(job.steps == () for job in page)
    assert jobs.list(wanted(start=2**70)) == (5, ())


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, True),
        ({"scope": OTHER}, False),
        ({"create_time_start": 101}, False),
        ({"create_time_end": 99}, False),
        ({"create_time_end": 2**70}, True),
        ({"operator": "ann"}, True),
        ({"operator": "an"}, False),
        ({"name": "A J"}, True),
        ({"name": "%"}, False),
        ({"name": "\0"}, False),
        ({"launch_mode": 2}, True),
        ({"launch_mode": 1}, False),
        ({"type": 1}, True),
        ({"type": 0}, False),
        ({"status": 1}, True),
        ({"status": 3}, False),
        ({"ip": "10.0.0.2"}, True),
        ({"ip": "10.0.0.3"}, False),
    ],
)
def test_filters(jobs: JobStore, changes: dict[str, object], found: bool) -> None:
    """Each narrows the list by itself."""
    job = stored(jobs)
    total, page = jobs.list(wanted(**changes))
    assert total == len(page) == int(found)
    assert [one.id for one in page] == [job.id] * found


def test_a_platform_job_is_in_the_lists_of_both_businesses(jobs: JobStore) -> None:
    """Once in each."""
    job = stored(jobs, other_scope=OTHER)
    for scope in (BIZ, OTHER):
        assert [one.id for one in jobs.list(wanted(scope=scope))[1]] == [job.id]


# --- progress --------------------------------------------------------------------------------------------


def test_jobs_to_start_are_those_that_were_started_and_have_not_finished(jobs: JobStore) -> None:
    """Oldest first; also those to be stopped, and those that a dead worker left running."""
    waiting, running, stopping = (stored(jobs).id for _ in range(3))
    stored(jobs, started=False)
    finished = stored(jobs).id
    jobs.begin_job(running, 1)
    jobs.request_stop(stopping, 5)
    jobs.finish_job(finished, RunStatus.SUCCESS, 2)
    assert to_start(jobs) == [waiting, running, stopping]


def test_a_job_begins_once_and_finishes_once(jobs: JobStore) -> None:
    """The first to say so is right; beginning again what runs is fine after a crash."""
    job = stored(jobs).id
    assert jobs.begin_job(job, 200)
    assert jobs.begin_job(job, 300)
    assert jobs.finish_job(job, RunStatus.FAILED, 400)
    assert not jobs.finish_job(job, RunStatus.SUCCESS, 500)
    assert not jobs.begin_job(job, 600)
    read = jobs.get(job)
    assert read is not None
    assert (read.status, read.start_time, read.end_time) == (RunStatus.FAILED, 200, 400)
    assert not jobs.begin_job(99, 1)


def test_a_step_begins_once_and_finishes_once(jobs: JobStore) -> None:
    """As a job does."""
    step = stored(jobs).steps[0].id
    assert jobs.begin_step(step, 200)
    assert jobs.begin_step(step, 300)
    assert jobs.finish_step(step, RunStatus.SUCCESS, 400)
    assert not jobs.finish_step(step, RunStatus.FAILED, 500)
    read = jobs.step(step)
    assert read is not None
    assert (read.status, read.start_time, read.end_time) == (RunStatus.SUCCESS, 200, 400)


def test_many_hosts_start_at_once(jobs: JobStore) -> None:
    """Several hosts that run in one batch: many rows are updated by one statement."""
    step = stored(jobs).steps[0].id
    jobs.save_hosts(step, 0, [HostResult(host=host, status=HostStatus.RUNNING) for host in (WEB, DB)])
    assert [result.status for result in jobs.hosts(step, 0)] == [HostStatus.RUNNING] * 2


def test_a_finished_host_stays_finished(jobs: JobStore) -> None:
    """An event that comes late does not bring a host back."""
    step = stored(jobs).steps[0].id
    done = HostResult(
        host=WEB,
        status=HostStatus.NON_ZERO_EXIT,
        exit_code=3,
        tag="t",
        start_time=1,
        end_time=2,
        log_bytes=9,
        log_kept=8,
    )
    running = HostResult(host=DB, status=HostStatus.RUNNING, start_time=1)
    jobs.save_hosts(step, 0, [done, running])
    assert jobs.hosts(step, 0) == (done, running)
    jobs.save_hosts(step, 0, [HostResult(host=WEB, status=HostStatus.RUNNING)])
    jobs.save_hosts(step, 0, [])
    assert jobs.hosts(step, 0) == (done, running)
    jobs.save_hosts(step, 0, [done.evolve(status=HostStatus.TERMINATED)])
    assert jobs.hosts(step, 0)[0].status == HostStatus.TERMINATED


# --- operations ------------------------------------------------------------------------------------------


def test_a_running_job_and_its_step_are_stopped(jobs: JobStore) -> None:
    """And the job ends STOPPED whatever its step's own end."""
    job = stored(jobs)
    jobs.begin_job(job.id, 1)
    jobs.begin_step(job.steps[0].id, 1)
    assert jobs.request_stop(job.id, 5)
    assert not jobs.request_stop(job.id, 5)
    read = jobs.get(job.id)
    assert read is not None
    assert (read.status, read.steps[0].status) == (RunStatus.STOPPING, RunStatus.STOPPING)
    assert not jobs.begin_job(job.id, 2)
    assert jobs.finish_step(job.steps[0].id, RunStatus.SUCCESS, 3)
    assert jobs.finish_job(job.id, RunStatus.SUCCESS, 3)
    assert jobs.status(job.id) == RunStatus.STOPPED


def test_a_job_not_yet_picked_up_is_stopped_before_it_begins(jobs: JobStore) -> None:
    """The engine still hears of it, to end it."""
    job = stored(jobs).id
    assert jobs.request_stop(job, 5)
    assert not jobs.begin_job(job, 1)
    assert to_start(jobs) == [job]


def test_a_job_waiting_for_its_start_is_started_once_and_cannot_be_stopped(jobs: JobStore) -> None:
    """Operation 1 is not legal for it."""
    job = stored(jobs, started=False).id
    assert not jobs.request_stop(job, 5)
    assert jobs.request_start(job)
    assert not jobs.request_start(job)
    assert to_start(jobs) == [job]


def test_of_many_that_race_one_finishes_the_job(jobs: JobStore) -> None:
    """Conditional updates need no other lock."""
    job = stored(jobs).id
    jobs.begin_job(job, 1)
    won: list[bool] = []
    threads = [
        threading.Thread(target=lambda: won.append(jobs.finish_job(job, RunStatus.SUCCESS, 2)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 7 + [True]


# --- logs ------------------------------------------------------------------------------------------------


def test_output_is_read_as_it_was_written(logs: LogStore) -> None:
    """From any offset, up to any limit."""
    logs.append(1, 0, 7, 0, b"hello ")
    logs.append_many(
        [(1, 0, 7, 6, b"world"), (1, 0, 8, 0, b"other"), (1, 1, 7, 0, b"again"), (1, 0, 9, 0, b"")]
    )
    assert logs.read(1, 0, 7) == b"hello world"
    text = b"hello world"
    for offset in range(13):
        for limit in (0, 1, 4, 7, 20):
            assert logs.read(1, 0, 7, offset, limit) == text[offset : offset + limit]
    assert logs.read_many(1, 0, [7, 8, 9, 10]) == {7: text, 8: b"other"}
    assert logs.read_many(1, 0, []) == {}
    assert (logs.size(1, 0, 7), logs.size(1, 0, 9)) == (11, 0)
    assert (logs.sizes(1, 0), logs.sizes(1, 1), logs.sizes(2, 0)) == ({7: 11, 8: 5}, {7: 5}, {})


def test_a_chunk_written_again_is_ignored(logs: LogStore) -> None:
    """Whoever re-attaches may send the last one twice."""
    logs.append(1, 0, 7, 0, b"abc")
    logs.append_many([(1, 0, 7, 0, b"abcdef"), (1, 0, 7, 3, b"def")])
    assert logs.read(1, 0, 7) == b"abcdef"


def test_bytes_of_two_chunks_are_read_once(logs: LogStore) -> None:
    """Two workers that cut the output differently do not double it."""
    logs.append_many([(1, 0, 7, 0, b"abcd"), (1, 0, 7, 2, b"cd"), (1, 0, 7, 3, b"def")])
    assert logs.read(1, 0, 7) == b"abcdef"


def test_many_hosts_are_read_at_once(logs: LogStore) -> None:
    """More than fit in one statement."""
    logs.append_many([(1, 0, host, 0, b"%d" % host) for host in range(1, 1202)])
    assert logs.read_many(1, 0, range(1, 1202)) == {host: b"%d" % host for host in range(1, 1202)}


def test_a_file_s_entry_is_replaced_and_keeps_its_place(logs: LogStore) -> None:
    """Same mode, source and destination are the same entry."""
    upload = FileLog(bk_host_id=2, mode=0, src_host_id=2, src_path="/a", content="begun")
    download = FileLog(
        bk_host_id=1, mode=1, src_host_id=2, src_path="/a", dest_host_id=1, dest_path="/t/a", content="begun"
    )
    logs.save_file_logs(1, 0, [upload, download])
    done = replace(upload, status=4, progress=100, content="done")
    logs.save_file_logs(1, 0, [done])
    logs.save_file_logs(1, 0, [])
    assert logs.file_logs(1, 0, None) == (done, download)
    assert logs.file_logs(1, 0, [1]) == (download,)
    assert logs.file_logs(1, 0, []) == ()
    assert logs.file_logs(1, 1, None) == ()


def test_variables_are_stored_with_their_job(jobs: JobStore) -> None:
    """In order; with the job or not at all."""
    variables = [JobVariable(name=name, type=1, value=f"é {name}") for name in ("b", "a", "b")]
    first = jobs.add(a_job(script_step()), [(WEB,)], variables)
    assert list(jobs.variables(first.id)) == variables
    assert jobs.variables(stored(jobs).id) == ()
    with pytest.raises((TypeError, ValueError, sa.exc.StatementError)):
        jobs.add(a_job(script_step()), [(WEB,)], [replace(variables[0], type="no number")])  # type: ignore[arg-type]
    assert jobs.list(wanted())[0] == 2


def test_hosts_by_name(jobs: JobStore) -> None:
    """By id or by address, of one execution, in order; what is no id finds nobody."""
    step = stored(jobs).steps[0].id
    other = stored(jobs).steps[0].id
    assert [item.host for item in jobs.hosts_named(step, 0, [2, 99], [])] == [DB]
    assert [item.host for item in jobs.hosts_named(step, 0, [2], ["10.0.0.1"])] == [WEB, DB]
    assert [item.host for item in jobs.hosts_named(other, 0, [], ["10.0.0.2", "%", "x\x00"])] == [DB]
    assert jobs.hosts_named(step, 1, [1, 2], ["10.0.0.1"]) == ()
    assert jobs.hosts_named(step, 0, [2**63, -(2**63) - 1], []) == jobs.hosts_named(step, 0, [], []) == ()
