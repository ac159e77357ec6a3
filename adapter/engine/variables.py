"""The variables of a plan's step, out of the store: as they were when the step first began."""

from __future__ import annotations

from adapter.job.model import HostResult, StepInstance
from adapter.job.variables import StepVariables, has_variables, step_before
from adapter.store.jobs import JobStore


def variables_of(jobs: JobStore, step: StepInstance) -> StepVariables | None:
    """What the step's executions begin with, all alike; None for a fast task.

    Nothing of it is kept: scripts of earlier steps leave values in the same transaction as their hosts' ends, and
    those steps are over, so whoever goes on with the step reads the same.
    """
    if not has_variables(step):
        return None
    captured = [item for _, item in jobs.captured(step.job_instance_id, before=step.order)]
    return StepVariables.after(jobs.variables(step.job_instance_id, in_clear=True), captured)


def hosts_before(jobs: JobStore, step: StepInstance) -> tuple[HostResult, ...]:
    """The hosts of the step before, as that ended."""
    job = jobs.get(step.job_instance_id)
    before = step_before(job, step) if job is not None else None
    return () if before is None else jobs.hosts(before.id, before.execute_count)
