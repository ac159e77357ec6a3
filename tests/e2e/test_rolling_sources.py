"""rolling_config of type 2 on real hosts: file sources in batches, to every target (contract e)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.jobs import Job, Jobs, Source
from tests.e2e.operating import operate_step, status_of
from tests.e2e.test_files import place, tree, write
from tests.lab import Lab
from tests.support.audits import agrees

__all__ = ["place"]  # a fixture

RETRY_FAILED, IGNORE, NEXT_BATCH = 2, 3, 13
PAUSE, GO_ON, MANUAL = 1, 2, 3
#: One source host and one file of it at a time.
ONE_BY_ONE = {"max_execute_object_num_in_batch": 1, "max_file_num_of_single_execute_object": 1}


@pytest.fixture(autouse=True)
def _own_file_systems(lab: Lab) -> None:
    if not lab.isolated:
        pytest.skip("source and target need file systems of their own")


def rolled(jobs: Jobs, place: str, mode: int, *names: str) -> Job:
    """Files of host 101, one a batch, to 102 and 103."""
    files = Source([101], [f"{place}/in/{name}" for name in names])
    config = {"type": 2, "mode": mode, "file_source": ONE_BY_ONE}
    return jobs.files([files], f"{place}/out/", 102, 103, rolling_config=config)


def rows(job: Job) -> list[tuple[int, int]]:
    """(host, status), batch after batch."""
    (step,) = status_of(job)["step_instance_list"]
    return [(result["bk_host_id"], result["status"]) for result in step["step_ip_result_list"]]


def step_status(job: Job, **fields: Any) -> dict[str, Any]:
    return dict(
        job.service.data(
            "get_step_instance_status",
            bk_scope_type="biz",
            bk_scope_id="1",
            job_instance_id=job.id,
            step_instance_id=job.step_id,
            **fields,
        )
    )


def test_batches_follow_each_other(lab: Lab, jobs: Jobs, place: str) -> None:
    """Every target gets each batch's files; each batch tells of itself, and has a directory of its own."""
    for name in "abc":
        write(lab, 101, f"{place}/in/{name}", name)
    job = rolled(jobs, place, PAUSE, "a", "b", "c").succeeded()
    assert rows(job) == [(102, 9), (103, 9)] * 3
    for host in (102, 103):
        assert tree(lab, host, f"{place}/out") == {"a": "a", "b": "b", "c": "c"}
        entries = [entry for entry in job.files(host) if entry["mode"] == 1]
        assert sorted(entry["dest_path"] for entry in entries) == [f"{place}/out/{name}" for name in "abc"]
        assert {entry["status"] for entry in entries} == {4}
    for batch, hosts in ((None, 2), (1, 2), (0, 6)):
        groups = step_status(job, **({} if batch is None else {"batch": batch}))["step_result_group_list"]
        assert sum(len(group["host_result_list"]) for group in groups) == hosts, batch
    directory = job.service.data_dir / "artifacts" / str(job.id) / str(job.step_id) / "0"
    plays = {path.name: (path / "project" / "step.yml").read_text() for path in Path(directory).iterdir()}
    assert sorted(plays) == ["batch-1", "batch-2", "batch-3"]
    assert [f"{place}/in/b" in plays[f"batch-{batch}"] for batch in (1, 2, 3)] == [False, True, False]
    agrees(job.service.data_dir, lab.inventory, job=job.id)


def test_a_failure_stops_the_batches(lab: Lab, jobs: Jobs, place: str) -> None:
    """What is missing fails its batch; retried, that batch runs again and the others follow."""
    for name in "ac":
        write(lab, 101, f"{place}/in/{name}", name)
    job = rolled(jobs, place, PAUSE, "a", "b", "c")
    assert job.status == 4
    first, second, third = rows(job)[0:2], rows(job)[2:4], rows(job)[4:6]
    assert (first, third) == ([(102, 9), (103, 9)], [(102, 5), (103, 5)])
    assert all(status not in (5, 7, 9) for _, status in second), second
    assert tree(lab, 102, f"{place}/out") == {"a": "a"}
    write(lab, 101, f"{place}/in/b", "b")
    assert operate_step(job, RETRY_FAILED)["code"] == 0
    status = status_of(job, until=lambda status: status["finished"])
    (step,) = status["step_instance_list"]
    assert (status["job_instance"]["status"], step["execute_count"]) == (3, 1)
    assert rows(job) == [(102, 9), (103, 9)] * 3
    assert tree(lab, 103, f"{place}/out") == {"a": "a", "b": "b", "c": "c"}
    finished = {entry["dest_path"] for entry in job.files(102) if entry["mode"] == 1 and entry["status"] == 4}
    assert finished == {f"{place}/out/{name}" for name in "abc"}
    agrees(job.service.data_dir, lab.inventory, job=job.id)


def test_failures_are_ignored(lab: Lab, jobs: Jobs, place: str) -> None:
    """Every batch runs; the step ends as its last batch does."""
    for name in "bc":
        write(lab, 101, f"{place}/in/{name}", name)
    job = rolled(jobs, place, GO_ON, "a", "b", "c")
    assert job.status == 3, job.why()
    assert [status for _, status in rows(job)[2:]] == [9, 9, 9, 9]
    assert all(status not in (5, 7, 9) for _, status in rows(job)[:2])
    assert tree(lab, 102, f"{place}/out") == {"b": "b", "c": "c"}


def test_batches_by_hand(lab: Lab, jobs: Jobs, place: str) -> None:
    """Each waits for an operator; a failed one can be ignored, and the job be terminated while one waits."""
    for name in "acd":
        write(lab, 101, f"{place}/in/{name}", name)
    job = rolled(jobs, place, MANUAL, "a", "b", "c", "d")
    status_of(job, until=lambda status: status["job_instance"]["status"] == 7)
    assert [status for _, status in rows(job)] == [9, 9, 5, 5, 5, 5, 5, 5]
    assert operate_step(job, NEXT_BATCH)["code"] == 0
    status_of(job, until=lambda status: status["job_instance"]["status"] == 4)
    assert operate_step(job, IGNORE)["code"] == 0
    status_of(job, until=lambda status: status["job_instance"]["status"] == 7)
    assert [status for _, status in rows(job)][4:] == [9, 9, 5, 5]
    stopped = job.service.call("operate_job_instance", bk_biz_id=1, job_instance_id=job.id, operation_code=1)
    assert stopped["code"] == 0
    assert job.status == 11
    assert [status for _, status in rows(job)][4:] == [9, 9, 403, 403]
    assert tree(lab, 103, f"{place}/out") == {"a": "a", "c": "c"}
    agrees(job.service.data_dir, lab.inventory, job=job.id)
