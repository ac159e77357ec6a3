"""Terminating and starting jobs."""

from __future__ import annotations

import pytest

from adapter import errors
from adapter.job.status import RunStatus
from tests.support.startable import to_start

from .world import CALLER, SOURCE, TARGET, World, execute_script


def launched(world: World, *, start: bool = True) -> int:
    return world.launch.execute_script(execute_script(start_task=start)).job_instance_id


def test_a_running_job_is_stopped_once(world: World) -> None:
    """Again is not legal, as it no longer runs."""
    job = launched(world)
    world.jobs.begin_job(job, 1)
    world.operate.terminate(CALLER, SOURCE, job)
    assert world.jobs.status(job) == RunStatus.STOPPING
    assert world.woken == 2
    with pytest.raises(errors.UnsupportedOperation, match="stopping"):
        world.operate.terminate(CALLER, SOURCE, job)


def test_a_job_not_yet_picked_up_is_stopped_by_the_engine(world: World) -> None:
    """It never runs."""
    job = launched(world)
    world.operate.terminate(CALLER, SOURCE, job)
    assert world.jobs.status(job) == RunStatus.STOPPING
    assert not world.jobs.begin_job(job, 1)
    assert world.woken == 2


def test_a_job_that_waits_for_its_start_is_started_once(world: World) -> None:
    """Before that it cannot be terminated, after that not be started."""
    job = launched(world, start=False)
    with pytest.raises(errors.UnsupportedOperation, match="waits for operation_code 2"):
        world.operate.terminate(CALLER, SOURCE, job)
    assert world.woken == 0
    world.operate.start(CALLER, SOURCE, job)
    assert to_start(world.jobs) == [job]
    assert world.woken == 1
    with pytest.raises(errors.AlreadyStarted):
        world.operate.start(CALLER, SOURCE, job)


def test_a_finished_job_is_left_alone(world: World) -> None:
    """Neither operation is legal."""
    job = launched(world)
    world.jobs.finish_job(job, RunStatus.SUCCESS, 1)
    with pytest.raises(errors.UnsupportedOperation, match="success"):
        world.operate.terminate(CALLER, SOURCE, job)
    with pytest.raises(errors.AlreadyStarted):
        world.operate.start(CALLER, SOURCE, job)


def test_a_job_of_another_business_does_not_exist(world: World) -> None:
    """As one that never was."""
    job = launched(world)
    for scope, id_ in ((TARGET, job), (SOURCE, 99)):
        with pytest.raises(errors.JobUnknown):
            world.operate.terminate(CALLER, scope, id_)
        with pytest.raises(errors.JobUnknown):
            world.operate.start(CALLER, scope, id_)
    assert world.jobs.status(job) == RunStatus.WAITING
