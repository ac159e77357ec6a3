"""Asking what became of jobs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapter import errors
from adapter.job.commands import JobFilter
from adapter.job.model import FileLog
from adapter.service import query

from .world import NOW, SOURCE, SRC1, SRC2, TARGET, World, execute_script


def test_a_job_is_seen_in_its_own_business(world: World) -> None:
    """And by whoever may ask for any."""
    job_id = world.launch.execute_script(execute_script()).job_instance_id
    job = world.query.job(SOURCE, job_id)
    assert world.query.job(None, job_id) == job
    assert [result.host for result in world.query.hosts(job.steps[0])] == [SRC2, SRC1]
    for scope, id_ in ((TARGET, job_id), (None, 99)):
        with pytest.raises(errors.JobUnknown):
            world.query.job(scope, id_)


def test_jobs_are_listed(world: World) -> None:
    """Without their steps."""
    job_id = world.launch.execute_script(execute_script()).job_instance_id
    total, jobs = world.query.jobs(JobFilter(scope=SOURCE, create_time_start=NOW, create_time_end=NOW))
    assert (total, [job.id for job in jobs], jobs[0].steps) == (1, [job_id], ())


def test_logs_are_searched_in_portions(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many hosts there are, only some logs are in memory at once; a word may cross two chunks."""
    launched = world.launch.execute_script(execute_script())
    step = world.query.job(None, launched.job_instance_id).steps[0]
    world.logs.append(step.id, 0, 1, 0, b"one nee")
    world.logs.append(step.id, 0, 1, 7, b"dle")
    world.logs.append(step.id, 0, 2, 0, b"no Needle")
    results = world.query.hosts(step)
    for at_once in (1, 10**9):
        monkeypatch.setattr(query, "_SEARCHED_AT_ONCE", at_once)
        assert world.query.find_in_logs(step, results, "needle") == {1}
        assert world.query.find_in_logs(step, results, "eedle") == {1, 2}
        assert world.query.find_in_logs(step, results, "%") == set()
    assert world.query.find_in_logs(step, (), "needle") == set()
    assert [len(some) for some in query._portions(results)] == [2]
    monkeypatch.setattr(query, "_SEARCHED_AT_ONCE", 1)
    assert [len(some) for some in query._portions(results)] == [1, 1]


def test_logs_are_those_of_the_latest_execution(world: World) -> None:
    """As text, whatever the bytes are."""
    launched = world.launch.execute_script(execute_script())
    step = world.query.job(None, launched.job_instance_id).steps[0]
    world.logs.append(step.id, 0, 1, 0, "é".encode() + b"\xff")
    world.logs.append(step.id, 1, 1, 0, b"retried")
    assert world.query.script_logs(step, iter([1, 2])) == {1: "é\ufffd"}
    assert world.query.script_logs(replace(step, execute_count=1), [1]) == {1: "retried"}
    entry = FileLog(bk_host_id=1, mode=0, src_host_id=1, src_path="/a")
    world.logs.save_file_logs(step.id, 0, [entry])
    assert world.query.file_logs(step, None) == world.query.file_logs(step, iter([1])) == (entry,)
    assert world.query.file_logs(step, [2]) == ()


@pytest.mark.parametrize(
    ("sizes", "limit", "share"),
    [
        ([], 100, 100),
        ([5], 100, 100),
        ([50, 50], 100, 50),
        ([100, 100], 100, 50),
        ([10, 100, 100], 100, 45),
        ([10, 20, 1000], 100, 70),
        ([0, 0, 1000], 100, 100),
        ([30, 30, 41], 100, 40),
        ([1] * 1000, 100, 0),
        ([1000], 0, 0),
    ],
)
def test_a_fair_share(sizes: list[int], limit: int, share: int) -> None:
    """Nobody is cut who fits, and all together are within the limit."""
    found = query.fair_share(sizes, limit)
    assert sum(min(size, found) for size in sizes) <= limit
    if sum(sizes) <= limit:
        assert all(size <= found for size in sizes)
    else:
        assert found == share


def test_logs_of_many_hosts_are_cut_and_say_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest ones; a single host's log is never cut, nor a search."""
    launched = world.launch.execute_script(execute_script())
    step = world.query.job(None, launched.job_instance_id).steps[0]
    world.logs.append(step.id, 0, 1, 0, b"short")
    world.logs.append(step.id, 0, 2, 0, b"long " * 20 + b"end")
    monkeypatch.setattr(query, "_TOLD_AT_ONCE", 25)
    told = world.query.script_logs(step, [1, 2, 3])
    assert told[1] == "short"
    assert told[2] == (
        "long long long long \n[20 of 103 bytes of this log are in this reply; ask for fewer hosts at once]\n"
    )
    assert world.query.script_logs(step, [2])[2].endswith("end")
    assert world.query.find_in_logs(step, world.query.hosts(step), "end") == {2}
