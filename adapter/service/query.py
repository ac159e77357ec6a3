"""What became of jobs: states, lists and logs."""

from __future__ import annotations

from collections.abc import Iterable

from adapter import errors
from adapter.job.commands import JobFilter
from adapter.job.model import FileLog, HostResult, JobInstance, Scope, StepInstance
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore


class Query:
    """Reads only. A step is asked about as of its latest execution."""

    def __init__(self, jobs: JobStore, logs: LogStore) -> None:
        self._jobs = jobs
        self._logs = logs

    def job(self, scope: Scope | None, job_instance_id: int) -> JobInstance:
        """The job with its steps. Raises JobUnknown also for another scope's; None is any scope."""
        return visible(self._jobs.get(job_instance_id), scope, job_instance_id)

    def hosts(self, step: StepInstance) -> tuple[HostResult, ...]:
        """The step's hosts, in order of its targets."""
        return self._jobs.hosts(step.id, step.execute_count)

    def jobs(self, wanted: JobFilter) -> tuple[int, tuple[JobInstance, ...]]:
        """How many there are, and a page of them without their steps, newest first."""
        return self._jobs.list(wanted)

    def script_logs(self, step: StepInstance, bk_host_ids: Iterable[int]) -> dict[int, str]:
        """What hosts printed; one that printed nothing is absent. Bytes that are no UTF-8 are shown as U+FFFD."""
        found = self._logs.read_many(step.id, step.execute_count, set(bk_host_ids))
        return {bk_host_id: content.decode(errors="replace") for bk_host_id, content in found.items()}

    def file_logs(self, step: StepInstance, bk_host_ids: Iterable[int] | None) -> tuple[FileLog, ...]:
        """Where the files of some hosts stand, of all for None."""
        wanted = None if bk_host_ids is None else set(bk_host_ids)
        return self._logs.file_logs(step.id, step.execute_count, wanted)


def visible(job: JobInstance | None, scope: Scope | None, job_instance_id: int) -> JobInstance:
    """The job if the scope may see it: a platform job is both its businesses'. Raises JobUnknown."""
    if job is None or (scope is not None and scope not in (job.scope, job.other_scope)):
        raise errors.JobUnknown(job_instance_id)
    return job
