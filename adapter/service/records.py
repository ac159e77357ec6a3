"""What is recorded of a job beside what JOB tells: its callbacks, and how much its hosts printed."""

from __future__ import annotations

from dataclasses import dataclass

from adapter.job.callbacks import Callback, Delivery, shown_url
from adapter.job.model import HostResult, JobInstance, Scope, StepInstance
from adapter.service.pages import Page, page_of
from adapter.service.query import visible
from adapter.store.callbacks import CallbackStore
from adapter.store.jobs import JobStore
from adapter.store.log_accounts import LogAccounts, LogTotals


@dataclass(frozen=True, kw_only=True)
class CallbackRecord:
    """The callbacks of a job and every POST of them that is remembered, in order. `url` is without secrets."""

    job: JobInstance
    url: str | None
    is_signed: bool
    callbacks: tuple[Callback, ...]
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, kw_only=True)
class LogRecord:
    """How much the hosts of a step printed."""

    step: StepInstance
    totals: LogTotals
    hosts: Page[HostResult]


class Records:
    """Reads only."""

    def __init__(self, jobs: JobStore, callbacks: CallbackStore, accounts: LogAccounts) -> None:
        self._jobs = jobs
        self._callbacks = callbacks
        self._accounts = accounts

    def callbacks(self, scope: Scope | None, job_instance_id: int) -> CallbackRecord:
        """Raises JobUnknown also for another scope's job; None is any scope."""
        job = visible(self._jobs.get(job_instance_id), scope, job_instance_id)
        return CallbackRecord(
            job=job,
            url=shown_url(job.callback_url) if job.callback_url else None,
            is_signed=self._jobs.has_callback_secret(job.id),
            callbacks=self._callbacks.of_job(job.id),
            deliveries=self._callbacks.deliveries(job.id),
        )

    def logs(self, step: StepInstance, start: int | None, length: int | None) -> LogRecord:
        """Of the step's execution `execute_count`. Out of range is moved into it, as in JOB's pages."""
        totals = self._accounts.totals(step.id, step.execute_count)

        def read(start: int, length: int) -> tuple[int, tuple[HostResult, ...]]:
            return totals.hosts, self._accounts.page(step.id, step.execute_count, start, length)

        return LogRecord(step=step, totals=totals, hosts=page_of(read, start, length))
