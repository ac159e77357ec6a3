"""Operations on a job instance: terminate, and start what waits for it (contract section e)."""

from __future__ import annotations

from collections.abc import Callable

from adapter import errors
from adapter.job.commands import Caller
from adapter.job.model import JobInstance, Scope
from adapter.service.query import visible
from adapter.store.jobs import JobStore


class Operate:
    """operate_job_instance. Both only note what is wanted and `wake` the engine, which then does it."""

    def __init__(self, jobs: JobStore, wake: Callable[[], None]) -> None:
        self._jobs = jobs
        self._wake = wake

    def terminate(self, caller: Caller, scope: Scope, job_instance_id: int) -> None:
        """Stop a job that runs, or that has been started and not yet picked up.

        Raises JobUnknown, UnsupportedOperation for any other state.
        """
        job = self._job(scope, job_instance_id)
        if not self._jobs.request_stop(job.id):
            status = self._jobs.status(job.id)
            hint = "" if status.is_finished or job.started else "; it waits for operation_code 2 (start)"
            raise errors.UnsupportedOperation(
                f"Unsupported operation: job [{job.id}] cannot be terminated "
                f"in state {int(status)} ({status.name.lower()}){hint}"
            )
        self._wake()

    def start(self, caller: Caller, scope: Scope, job_instance_id: int) -> None:
        """Start a job that was launched with start_task=false. Raises JobUnknown, AlreadyStarted."""
        job = self._job(scope, job_instance_id)
        if not self._jobs.request_start(job.id):
            raise errors.AlreadyStarted(job.id)
        self._wake()

    def _job(self, scope: Scope, job_instance_id: int) -> JobInstance:
        return visible(self._jobs.get(job_instance_id), scope, job_instance_id)
