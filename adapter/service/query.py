"""What became of jobs: states, lists and logs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from adapter import errors
from adapter.job.commands import JobFilter
from adapter.job.model import FileLog, HostResult, JobInstance, JobVariable, Scope, StepInstance
from adapter.job.status import RunStatus
from adapter.job.variables import CapturedValue, StepVariables, has_variables
from adapter.messages import say
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore

_TOLD_AT_ONCE = 64 * 1024 * 1024  #: of the logs of several hosts, in bytes
_SEARCHED_AT_ONCE = 32 * 1024 * 1024
_LOG_OF_A_RUNNING_HOST = 1024 * 1024  #: it may be more, or nothing: nobody has counted yet
_LITTLE = 4096  #: of what the service itself says in a log


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

    def hosts_named(
        self, step: StepInstance, bk_host_ids: Collection[int], ips: Collection[str]
    ) -> tuple[HostResult, ...]:
        """Those of the step's hosts with one of these ids or addresses, in the same order."""
        return self._jobs.hosts_named(step.id, step.execute_count, bk_host_ids, ips)

    def jobs(self, wanted: JobFilter) -> tuple[int, tuple[JobInstance, ...]]:
        """How many there are, and a page of them without their steps, newest first."""
        return self._jobs.list(wanted)

    def script_logs(self, step: StepInstance, bk_host_ids: Iterable[int]) -> dict[int, str]:
        """What hosts printed; one that printed nothing is absent. Bytes that are no UTF-8 are shown as U+FFFD.

        Of several hosts at once there is a limit for all of them: the longest logs are cut, and say so.
        """
        wanted = set(bk_host_ids)
        found = self._stored_logs(step, wanted)
        return found | self._removed(step, wanted - set(found))

    def _removed(self, step: StepInstance, without_log: set[int]) -> dict[int, str]:
        """What is said instead of logs that were removed for their age: these scripts were not silent."""
        removed = self._jobs.logs_removed_time(step.job_instance_id) if without_log else None
        if removed is None:
            return {}
        results = self._jobs.hosts_named(step.id, step.execute_count, without_log, ())
        words = f"[{say('this log was removed for its age')}]\n"
        return {
            item.host.bk_host_id: words
            for item in results
            if item.end_time is not None and item.end_time <= removed
        }

    def _stored_logs(self, step: StepInstance, wanted: set[int]) -> dict[int, str]:
        if len(wanted) < 2:
            return self._texts(step, wanted)
        executions = self._executions(step, wanted)
        sizes = {
            bk_host_id: (size, count)
            for count, ids in executions.items()
            for bk_host_id, size in self._logs.sizes(step.id, count, ids).items()
        }
        share = fair_share([size for size, _ in sizes.values()], _TOLD_AT_ONCE)
        found = self._texts(step, {bk_host_id for bk_host_id, (size, _) in sizes.items() if size <= share})
        for bk_host_id, (size, count) in sizes.items():
            if size > share:
                content = self._logs.read(step.id, count, bk_host_id, 0, share)
                found[bk_host_id] = (
                    f"{content.decode(errors='replace')}\n[{share} of {size} bytes of this log are in this reply; "
                    "ask for fewer hosts at once]\n"
                )
        return found

    def _texts(self, step: StepInstance, bk_host_ids: set[int]) -> dict[int, str]:
        return {
            bk_host_id: content.decode(errors="replace")
            for count, ids in self._executions(step, bk_host_ids).items()
            for bk_host_id, content in self._logs.read_many(step.id, count, ids).items()
        }

    def _executions(self, step: StepInstance, bk_host_ids: set[int]) -> dict[int, set[int]]:
        """The executions that hosts' results and logs are of: an earlier one for those that were not run again.

        Of a step that rolls by its file sources a host's batches may be of several.
        """
        if not step.execute_count:
            return {0: bk_host_ids}
        earlier = self._jobs.executed_earlier(step.id, step.execute_count)
        found = {count: ids & bk_host_ids for count, ids in earlier.items() if ids & bk_host_ids}
        present = bk_host_ids if step.rolls_by_sources else bk_host_ids.difference(*found.values())
        return found | ({step.execute_count: present} if present else {})

    def find_in_logs(self, step: StepInstance, results: Iterable[HostResult], keyword: str) -> set[int]:
        """The hosts, of these, whose log has the keyword. At most some megabytes are in memory at once."""
        found: set[int] = set()
        for some in _portions(results):
            texts = self._texts(step, set(some))
            found.update(bk_host_id for bk_host_id, text in texts.items() if keyword in text)
        return found

    def variables(self, job: JobInstance) -> dict[int, tuple[JobVariable, ...]]:
        """The plan's variables by step instance, as each step left them; ciphers masked.

        A step that has not ended shows those that it has begun, or would begin now, with.
        """
        current = self._jobs.variables(job.id)
        if not current:
            return {}
        captured: dict[int, list[CapturedValue]] = {}
        for step_id, item in self._jobs.captured(job.id, of_hosts=False):
            captured.setdefault(step_id, []).append(item)
        after = {}
        for step in job.steps:
            current = StepVariables.after(current, captured.get(step.id, ())).variables
            after[step.id] = current
        return after

    def resolved(self, step: StepInstance) -> StepInstance:
        """The step with its variables replaced, once it has begun: before that a script may change them."""
        if step.status is RunStatus.WAITING or not has_variables(step):
            return step
        captured = self._jobs.captured(step.job_instance_id, before=step.order, of_hosts=False)
        variables = self._jobs.variables(step.job_instance_id)
        return StepVariables.after(variables, (item for _, item in captured)).resolved(step)

    def file_logs(self, step: StepInstance, bk_host_ids: Iterable[int] | None) -> tuple[FileLog, ...]:
        """Where the files of some hosts stand, of all for None."""
        executions: Mapping[int, set[int] | None]
        if bk_host_ids is not None:
            executions = self._executions(step, set(bk_host_ids))
        else:
            earlier = self._jobs.executed_earlier(step.id, step.execute_count) if step.execute_count else {}
            executions = {**earlier, step.execute_count: None}
        return tuple(
            entry
            for count, ids in sorted(executions.items())
            for entry in self._logs.file_logs(step.id, count, ids)
        )


def fair_share(sizes: Iterable[int], limit: int) -> int:
    """How much of each log fits if all together may have `limit` bytes: short ones leave more to the others."""
    ordered = sorted(sizes)
    share, left = limit, limit
    for taken, size in enumerate(ordered):
        share = left // (len(ordered) - taken)
        if size > share:
            return share
        left -= size
    return max(share, *ordered) if ordered else share


def _portions(results: Iterable[HostResult]) -> Iterator[list[int]]:
    """Hosts with about _SEARCHED_AT_ONCE bytes of logs, again and again."""
    ids: list[int] = []
    size = 0
    for result in results:
        ids.append(result.host.bk_host_id)
        size += (result.log_kept if result.status.is_finished else _LOG_OF_A_RUNNING_HOST) + _LITTLE
        if size >= _SEARCHED_AT_ONCE:
            yield ids
            ids, size = [], 0
    if ids:
        yield ids


def visible(job: JobInstance | None, scope: Scope | None, job_instance_id: int) -> JobInstance:
    """The job if the scope may see it: a platform job is both its businesses'. Raises JobUnknown."""
    if job is None or (scope is not None and scope not in (job.scope, job.other_scope)):
        raise errors.JobUnknown(job_instance_id)
    return job
