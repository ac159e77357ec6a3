"""The use cases the API calls, as it sees them; adapter.service has them. Errors are adapter.errors' JobError."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from adapter.job.commands import (
    Caller,
    ExecutePlan,
    ExecutePlatformJob,
    ExecuteScript,
    ExecuteSql,
    JobFilter,
    Launched,
    PushConfigFile,
    TransferFile,
)
from adapter.job.model import FileLog, HostResult, JobInstance, JobVariable, Scope, StepInstance
from adapter.job.operations import StepOperation


class Launch(Protocol):
    """Stores a job and starts it, unless it is to wait for operate_job_instance."""

    def execute_script(self, command: ExecuteScript, /) -> Launched:
        """A fast script."""
        ...

    def execute_sql(self, command: ExecuteSql, /) -> Launched:
        """SQL of a database's account."""
        ...

    def transfer_file(self, command: TransferFile, /) -> Launched:
        """A fast file transfer."""
        ...

    def push_config_file(self, command: PushConfigFile, /) -> Launched:
        """Files that the request brings."""
        ...

    def execute_plan(self, command: ExecutePlan, /) -> Launched:
        """A stored plan."""
        ...

    def execute_platform_job(self, command: ExecutePlatformJob, /) -> Launched:
        """A stored plan over two businesses."""
        ...


class Operate(Protocol):
    """Changes what a job instance does."""

    def terminate(self, caller: Caller, scope: Scope, job_instance_id: int, /) -> None:
        """Stop it."""
        ...

    def start(self, caller: Caller, scope: Scope, job_instance_id: int, /) -> None:
        """Start one that was submitted with start_task=false."""
        ...

    def step(
        self,
        caller: Caller,
        scope: Scope,
        job_instance_id: int,
        step_instance_id: int,
        operation: StepOperation,
        /,
    ) -> None:
        """Retry, skip, confirm one of its steps, or go on with its next batch."""
        ...


class Query(Protocol):
    """Tells what became of job instances."""

    def job(self, scope: Scope | None, job_instance_id: int, /) -> JobInstance:
        """The job instance with its steps; JobUnknown also if it is another scope's."""
        ...

    def hosts(self, step: StepInstance, /) -> tuple[HostResult, ...]:
        """The hosts of the step's latest execution, in order."""
        ...

    def hosts_named(
        self, step: StepInstance, bk_host_ids: Collection[int], ips: Collection[str], /
    ) -> tuple[HostResult, ...]:
        """Those of them with one of these ids or addresses."""
        ...

    def jobs(self, wanted: JobFilter, /) -> tuple[int, tuple[JobInstance, ...]]:
        """How many there are, and those on the page, newest first."""
        ...

    def script_logs(self, step: StepInstance, bk_host_ids: Iterable[int], /) -> dict[int, str]:
        """What the hosts printed."""
        ...

    def find_in_logs(self, step: StepInstance, results: Iterable[HostResult], keyword: str, /) -> set[int]:
        """The hosts, of these, whose log has the keyword."""
        ...

    def variables(self, job: JobInstance, /) -> Mapping[int, tuple[JobVariable, ...]]:
        """The variables of the job's plan by step instance, as each step left them."""
        ...

    def resolved(self, step: StepInstance, /) -> StepInstance:
        """The step with its variables replaced, once it has begun."""
        ...

    def file_logs(self, step: StepInstance, bk_host_ids: Iterable[int] | None, /) -> tuple[FileLog, ...]:
        """The file entries of these hosts, of all if None."""
        ...
