"""Reads a job's rows, artifacts and hosts and finds where they disagree; beside a running service too.

What is read changes meanwhile, so order matters: a job is read before its steps, these before their hosts, these
before their logs and artifacts, as they are written the other way round. Where something is found the job is read
once more a moment later: only what is found again is told.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

from adapter.audit import ends, logs, states
from adapter.audit.finding import Disagreement, Finding, Kind, Place, at
from adapter.audit.states import Owner
from adapter.engine.evidence import StepEvidence
from adapter.engine.host_audit import HostAudit
from adapter.job.model import HostResult, JobInstance, StepInstance
from adapter.job.status import RunStatus
from adapter.ports import Clock
from adapter.store.audit import AuditStore
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore
from adapter.store.workers import WorkerReport, WorkerState, WorkerStore

#: Seconds after which what was found must still be so: longer than a host takes to end or a worker to claim.
AGAIN_AFTER = 2.0
#: Seconds without a beat after which a worker does not count as living.
_SILENT = 60

_NO_ARTIFACTS = "steps whose artifacts are not here: removed, or on the node that ran them"
_LOGS_REMOVED = "hosts whose logs were removed for their age"
_JOB_REMOVED = "jobs that were removed for their age and whose artifacts are still here"
_ELSEWHERE = "hosts whose artifacts here are of an earlier attempt: another node went on with the job"


@dataclass
class Report:
    """What an audit came to. `not_looked_at` counts by reason what could not be compared."""

    findings: list[Finding] = field(default_factory=list)
    not_looked_at: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
    hosts: int = 0


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Audits jobs. `is_shared`: other nodes may have run a part of a job. `hosts` looks at hosts, if it is to."""

    jobs: JobStore
    logs: LogStore
    store: AuditStore
    workers: WorkerStore
    clock: Clock
    artifacts: Path
    is_shared: bool
    hosts: HostAudit | None = None
    again_after: float = AGAIN_AFTER

    def run(self, job_ids: Iterable[int]) -> Report:
        """Audit these jobs. Raises LookupError for one that is not stored, and what the database raises."""
        report = Report()
        wanted = list(job_ids)
        suspects = {}
        for job_id in wanted:
            report.jobs += 1
            if found := set(self._of_job(job_id, report)):
                suspects[job_id] = found
        on_hosts = set(self._on_hosts(wanted, report))
        orphans = set(self._orphans(report))
        if suspects or on_hosts or orphans:
            time.sleep(self.again_after)
            unread = Report()
            for job_id, found in suspects.items():
                report.findings += [item for item in self._of_job(job_id, unread) if item in found]
            report.findings += [
                item for item in self._on_hosts(wanted, unread) if on_hosts and item in on_hosts
            ]
            report.findings += [item for item in self._orphans(unread) if item in orphans]
        return report

    # --- jobs ------------------------------------------------------------------------------------------

    def _of_job(self, job_id: int, report: Report) -> Iterator[Finding]:
        holding = self.store.holding(job_id)
        job = self.jobs.get(job_id)
        if job is None:
            raise LookupError(f"there is no job {job_id}")
        yield from at(Place.of(job), states.of_job(job))
        by = {item.worker.id: item for item in self.workers.reports()} if not job.status.is_finished else {}
        owner = Owner(
            is_open=holding.is_open,
            worker_id=holding.worker_id,
            worker_silence=_silence(by.get(holding.worker_id or "")),
            somebody_works=any(_lives(item) for item in by.values()),
        )
        age = (self.clock.now_ms() - (job.start_time or job.create_time or 0)) / 1000
        yield from at(Place.of(job), states.of_owner(job, owner, age))
        for step in job.steps:
            yield from self._of_step(job, step, report)

    def _of_step(self, job: JobInstance, step: StepInstance, report: Report) -> Iterator[Finding]:
        for count in range(step.execute_count + 1):
            results = self.jobs.hosts(step.id, count)
            place = Place.of(job, step, count)
            report.hosts += len(results)
            if count == step.execute_count:
                stopped = job.status in (RunStatus.STOPPING, RunStatus.STOPPED)
                yield from at(place, states.of_step(step, results, stopped))
            for result in results:
                yield from at(Place.of(job, step, count, result), states.of_host(step, result))
            results = tuple(item for item in results if item.executed_in == count)
            for part, members in _by_directory(step, results):
                yield from self._of_run(job, part, count, members, report)

    def _of_run(
        self,
        job: JobInstance,
        step: StepInstance,
        count: int,
        results: tuple[HostResult, ...],
        report: Report,
    ) -> Iterator[Finding]:
        """What was run in one private data directory."""
        evidence = self._evidence(step, count, results)
        if evidence is None and any(item.start_time is not None for item in results):
            report.not_looked_at[_NO_ARTIFACTS] += 1
        if evidence is not None:
            results = tuple(self._told_of_here(step, results, evidence, report))
            for result in results:
                yield from at(Place.of(job, step, count, result), self._of_artifacts(step, result, evidence))
        removed = self.jobs.logs_removed_time(job.id)
        if step.script is not None and removed is not None:
            kept = tuple(item for item in results if item.end_time is None or item.end_time > removed)
            report.not_looked_at[_LOGS_REMOVED] += len(results) - len(kept)
            results = kept
        of_logs = self._of_script_logs if step.script is not None else self._of_file_logs
        yield from of_logs(job, step, count, results, evidence)

    def _evidence(self, step: StepInstance, count: int, results: Sequence[HostResult]) -> StepEvidence | None:
        directory = self.artifacts / replace(step, execute_count=count).directory
        evidence = StepEvidence(directory, step, results)
        return evidence if evidence.is_here else None

    def _told_of_here(
        self, step: StepInstance, results: Sequence[HostResult], evidence: StepEvidence, report: Report
    ) -> Iterator[HostResult]:
        """Without the hosts of which these artifacts need not know: another node may have gone on."""
        for result in results:
            if self.is_shared and result.status.is_finished and self._is_of_another_node(result, evidence):
                report.not_looked_at[_ELSEWHERE] += 1
            else:
                yield result

    def _is_of_another_node(self, result: HostResult, evidence: StepEvidence) -> bool:
        try:
            known = evidence.of(result)
        except ValueError:
            return False
        if known.recorded is not None:
            return ends.is_of_another_attempt(result, known)
        if evidence.log(result).size < result.log_kept:
            return True  # the host was lost here, before its output had come once more
        return result.status not in {event.status for event in known.told}

    def _of_artifacts(
        self, step: StepInstance, result: HostResult, evidence: StepEvidence
    ) -> Iterator[Disagreement]:
        if result.status.is_finished:
            try:
                known = evidence.of(result)
            except ValueError as error:
                yield Kind.ARTIFACT, f"the recorded result cannot be read: {error}"
            else:
                yield from ends.of_end(step, result, known)

    def _of_script_logs(
        self,
        job: JobInstance,
        step: StepInstance,
        count: int,
        results: Sequence[HostResult],
        evidence: StepEvidence | None,
    ) -> Iterator[Finding]:
        by_id = {item.host.bk_host_id: item for item in results}
        silent = dict(by_id)
        for host_id, chunks in self.store.logs(step.id, count):
            result = by_id.get(host_id)
            silent.pop(host_id, None)
            if result is not None:
                spooled = evidence.log(result) if evidence is not None else None
                yield from at(Place.of(job, step, count, result), logs.of_log(result, chunks, spooled))
        for result in silent.values():
            spooled = evidence.log(result) if evidence is not None else None
            yield from at(Place.of(job, step, count, result), logs.of_log(result, (), spooled))

    def _of_file_logs(
        self,
        job: JobInstance,
        step: StepInstance,
        count: int,
        results: Sequence[HostResult],
        evidence: StepEvidence | None,
    ) -> Iterator[Finding]:
        stored = self.logs.file_logs(step.id, count, None)
        spooled = evidence.file_logs() if evidence is not None else []
        # Of one that rolls by its file sources: its other batches had other files.
        told = logs.same_files(stored, spooled) if step.rolls_by_sources else stored
        for result in results:
            entries = told if result.status.is_success else stored
            yield from at(Place.of(job, step, count, result), logs.of_files(result, entries))
        if evidence is not None and step.status.is_finished and not self.is_shared:
            yield from at(Place.of(job, step, count), logs.of_file_logs(stored, spooled))

    # --- hosts and artifacts ---------------------------------------------------------------------------

    def _on_hosts(self, job_ids: Iterable[int], report: Report) -> Iterator[Finding]:
        if self.hosts is not None:
            yield from self.hosts.findings(job_ids, report.not_looked_at)

    def _orphans(self, report: Report) -> Iterator[Finding]:
        """Artifacts of jobs and steps that the store does not know."""
        jobs = _numbers(self.artifacts)
        unknown = jobs - self.store.known_jobs(jobs)
        removed_to = self.store.removed_to()
        for job_id in sorted(unknown):
            if job_id <= removed_to:
                report.not_looked_at[_JOB_REMOVED] += 1
                continue
            yield Finding(
                Place(job_instance_id=job_id), Kind.ARTIFACT, "has artifacts, and the store knows no such job"
            )
        steps = {step: job_id for job_id in jobs - unknown for step in _numbers(self.artifacts / str(job_id))}
        for step_id in sorted(set(steps) - self.store.known_steps(steps)):
            place = Place(job_instance_id=steps[step_id], step_instance_id=step_id)
            yield Finding(place, Kind.ARTIFACT, "has artifacts, and the store knows no such step")


def _by_directory(
    step: StepInstance, results: tuple[HostResult, ...]
) -> Iterator[tuple[StepInstance, tuple[HostResult, ...]]]:
    """The step with its hosts; as of each batch where that has a directory of its own."""
    if not step.rolls_by_sources:
        yield step, results
        return
    for batch, members in groupby(results, key=lambda item: item.batch):
        yield replace(step, batch=batch), tuple(members)


def _numbers(directory: Path) -> set[int]:
    """Names of directories that are ids."""
    if not directory.is_dir():
        return set()
    return {int(path.name) for path in directory.iterdir() if path.name.isdecimal()}


def _silence(report: WorkerReport | None) -> float | None:
    if report is None or report.worker.state is WorkerState.ENDED:
        return None
    return report.beat_age


def _lives(report: WorkerReport) -> bool:
    return report.worker.state is WorkerState.WORKING and report.beat_age < _SILENT
