"""How hosts make a step's state and steps a job's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.job.model import Host, HostResult, JobInstance, Scope, StepInstance
from adapter.job.roll_up import job_status, next_step, step_status, tag_of
from adapter.job.status import HostStatus, RunStatus

FINISHED_HOST = st.sampled_from([status for status in HostStatus if status.is_finished])


def results(*statuses: HostStatus) -> list[HostResult]:
    return [
        HostResult(host=Host(bk_host_id=i, bk_cloud_id=0, ip="", name=f"h{i}"), status=status)
        for i, status in enumerate(statuses)
    ]


def steps(*statuses: RunStatus) -> tuple[StepInstance, ...]:
    return tuple(StepInstance(id=i + 1, order=i, status=status) for i, status in enumerate(statuses))


@pytest.mark.parametrize(
    ("statuses", "stopped", "ignore_error", "expected"),
    [
        ([HostStatus.SUCCESS, HostStatus.LAST_SUCCESS], False, False, RunStatus.SUCCESS),
        ([HostStatus.SUCCESS, HostStatus.INVALID_HOST], False, False, RunStatus.FAILED),
        ([HostStatus.SUCCESS, HostStatus.NO_AGENT], False, True, RunStatus.IGNORED),
        ([HostStatus.SUCCESS, HostStatus.NON_ZERO_EXIT], False, False, RunStatus.FAILED),
        ([HostStatus.SUCCESS, HostStatus.NON_ZERO_EXIT], False, True, RunStatus.IGNORED),
        ([HostStatus.NON_ZERO_EXIT, HostStatus.TERMINATED], False, False, RunStatus.STOPPED),
        ([HostStatus.NON_ZERO_EXIT, HostStatus.TERMINATED], False, True, RunStatus.STOPPED),
        ([HostStatus.NON_ZERO_EXIT], True, False, RunStatus.STOPPED),
        ([HostStatus.SUCCESS], True, False, RunStatus.SUCCESS),
        ([], False, False, RunStatus.FAILED),
    ],
)
def test_a_step_ends_as_the_contract_says(
    statuses: list[HostStatus], stopped: bool, ignore_error: bool, expected: RunStatus
) -> None:
    """Success only if every host succeeded; terminated before failed; ignored errors last."""
    assert step_status(results(*statuses), stopped, ignore_error) == expected


@given(st.lists(FINISHED_HOST), st.booleans(), st.booleans())
def test_a_step_never_succeeds_with_a_host_that_did_not(
    statuses: list[HostStatus], stopped: bool, ignore_error: bool
) -> None:
    """And it always ends."""
    status = step_status(results(*statuses), stopped, ignore_error)
    assert status.is_finished
    assert (status == RunStatus.SUCCESS) == (bool(statuses) and all(s.is_success for s in statuses))
    assert (status == RunStatus.IGNORED) <= ignore_error


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([RunStatus.SUCCESS, RunStatus.SUCCESS], RunStatus.SUCCESS),
        ([RunStatus.IGNORED, RunStatus.SKIPPED], RunStatus.SUCCESS),
        ([RunStatus.SUCCESS, RunStatus.WAITING], RunStatus.RUNNING),
        ([RunStatus.FAILED, RunStatus.WAITING], RunStatus.FAILED),
        ([RunStatus.ABNORMAL, RunStatus.WAITING], RunStatus.ABNORMAL),
        ([RunStatus.STOPPED, RunStatus.WAITING], RunStatus.STOPPED),
    ],
)
def test_a_job_ends_as_its_first_step_that_did_not_pass(
    statuses: list[RunStatus], expected: RunStatus
) -> None:
    """What comes after it does not run."""
    assert job_status(steps(*statuses)) == expected
    assert job_status(steps(*statuses), stopped=True) == RunStatus.STOPPED


@given(st.lists(st.sampled_from(RunStatus), max_size=6))
def test_there_is_a_next_step_exactly_while_the_job_runs(statuses: list[RunStatus]) -> None:
    """job_status() and next_step() agree on when a job has come to its end."""
    job = JobInstance(scope=Scope("biz", "2"), steps=steps(*statuses))
    step = next_step(job)
    assert (step is not None) == (job_status(job.steps) == RunStatus.RUNNING)
    if step:
        assert not step.status.is_finished


@pytest.mark.parametrize(
    ("output", "tag"),
    [
        ("[2024][1] job_success:[blue]\n", "blue"),
        ("job_fail:[a]\njob_success:[b c]\nbye", "b c"),
        ("job_success:[]", ""),
        ("job_success:[open", ""),
        ("nothing", ""),
        (f"job_fail:[{'x' * 300}]", "x" * 256),
    ],
)
def test_the_tag_is_what_the_last_mark_has_in_brackets(output: str, tag: str) -> None:
    """At most 256 characters of it."""
    assert tag_of(output) == tag
