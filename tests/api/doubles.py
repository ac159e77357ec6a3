"""Doubles of the use cases that would run Ansible."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from adapter.errors import JobUnknown
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

Command = ExecuteScript | ExecuteSql | TransferFile | PushConfigFile | ExecutePlan | ExecutePlatformJob


class RecordingLaunch:
    """Keeps every command, and answers as JOB would; `error` is raised instead."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.error: Exception | None = None

    def execute_script(self, command: ExecuteScript, /) -> Launched:
        return self._launch(command, 10001)

    def execute_sql(self, command: ExecuteSql, /) -> Launched:
        return self._launch(command, None)

    def transfer_file(self, command: TransferFile, /) -> Launched:
        return self._launch(command, 10001)

    def push_config_file(self, command: PushConfigFile, /) -> Launched:
        return self._launch(command, None)

    def execute_plan(self, command: ExecutePlan, /) -> Launched:
        return self._launch(command, None)

    def execute_platform_job(self, command: ExecutePlatformJob, /) -> Launched:
        return self._launch(command, None)

    def _launch(self, command: Command, step_instance_id: int | None) -> Launched:
        if self.error:
            raise self.error
        self.commands.append(command)
        return Launched(job_instance_id=10000, job_instance_name="Test", step_instance_id=step_instance_id)


class RecordingOperate:
    """Keeps what was asked for."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Caller, Scope, int]] = []

    def terminate(self, caller: Caller, scope: Scope, job_instance_id: int, /) -> None:
        self.calls.append(("terminate", caller, scope, job_instance_id))

    def start(self, caller: Caller, scope: Scope, job_instance_id: int, /) -> None:
        self.calls.append(("start", caller, scope, job_instance_id))

    def step(
        self,
        caller: Caller,
        scope: Scope,
        job_instance_id: int,
        step_instance_id: int,
        operation: StepOperation,
        /,
    ) -> None:
        self.calls.append((f"{operation.name.lower()} of {step_instance_id}", caller, scope, job_instance_id))


@dataclass
class MemoryQuery:
    """Job instances that are just there."""

    known: dict[int, JobInstance] = field(default_factory=dict)
    results: dict[int, tuple[HostResult, ...]] = field(default_factory=dict)
    texts: dict[int, dict[int, str]] = field(default_factory=dict)
    entries: dict[int, tuple[FileLog, ...]] = field(default_factory=dict)
    filters: list[JobFilter] = field(default_factory=list)
    values: dict[int, dict[int, tuple[JobVariable, ...]]] = field(default_factory=dict)

    def job(self, scope: Scope | None, job_instance_id: int, /) -> JobInstance:
        job = self.known.get(job_instance_id)
        if job is None or (scope is not None and scope not in (job.scope, job.other_scope)):
            raise JobUnknown(job_instance_id)
        return job

    def hosts(self, step: StepInstance, /) -> tuple[HostResult, ...]:
        return self.results.get(step.id, ())

    def hosts_named(
        self, step: StepInstance, bk_host_ids: Collection[int], ips: Collection[str], /
    ) -> tuple[HostResult, ...]:
        return tuple(
            result
            for result in self.hosts(step)
            if result.host.bk_host_id in bk_host_ids or result.host.ip in ips
        )

    def jobs(self, wanted: JobFilter, /) -> tuple[int, tuple[JobInstance, ...]]:
        self.filters.append(wanted)
        found = [job for job in self.known.values() if job.scope == wanted.scope]
        return len(found), tuple(found[wanted.start : wanted.start + wanted.length])

    def script_logs(self, step: StepInstance, bk_host_ids: Iterable[int], /) -> dict[int, str]:
        wanted = set(bk_host_ids)
        return {id_: text for id_, text in self.texts.get(step.id, {}).items() if id_ in wanted}

    def find_in_logs(self, step: StepInstance, results: Iterable[HostResult], keyword: str, /) -> set[int]:
        known = self.script_logs(step, [result.host.bk_host_id for result in results])
        return {id_ for id_, text in known.items() if keyword in text}

    def resolved(self, step: StepInstance, /) -> StepInstance:
        """As it is."""
        return step

    def variables(self, job: JobInstance, /) -> dict[int, tuple[JobVariable, ...]]:
        return self.values.get(job.id, {})

    def file_logs(self, step: StepInstance, bk_host_ids: Iterable[int] | None, /) -> tuple[FileLog, ...]:
        wanted = None if bk_host_ids is None else set(bk_host_ids)
        return tuple(
            entry for entry in self.entries.get(step.id, ()) if wanted is None or entry.bk_host_id in wanted
        )
