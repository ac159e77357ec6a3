"""Removes collected runs from their hosts: later, many runs in one exchange, and never in a job's way.

A script's directory must stay on the host until the service has stored what it held, else a worker that takes
over would find nothing and could not tell that the script ran. Removing it at once would cost every host of every
job an exchange more. What is left in its place is an empty file, for a week: see supervisor.sh.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import structlog

from adapter.engine.errands import Errands
from adapter.engine.preparation import CLEAN_PLAYBOOK, AccountGone, Preparation
from adapter.job.model import Host
from adapter.job.status import HostStatus
from adapter.ports import Clock
from adapter.store.collected import CollectedRun, CollectedRuns
from adapter.store.jobs import JobStore

log = structlog.get_logger(__name__)

#: Seconds between looks.
_PAUSE = 2.0
#: Runs that are cleaned together at most.
_AT_ONCE = 200
#: Milliseconds after which runs that were taken and not cleaned are due again.
_AGAIN = 10 * 60 * 1000
#: Milliseconds after which nobody tries any more: hosts remove what is that old themselves.
_GIVEN_UP = 7 * 24 * 3600 * 1000
#: Milliseconds that cleaning waits for a worker to be idle.
_PATIENCE = 10 * 60 * 1000
#: Hosts where nothing can be, or that would not answer, or where the script may still run.
_LEFT_ALONE = (
    HostStatus.INVALID_HOST,
    HostStatus.AGENT_ABNORMAL,
    HostStatus.USER_MISSING,
    HostStatus.BAD_PASSWORD,
    HostStatus.TIMEOUT,
    HostStatus.TERMINATE_FAILED,
)


@dataclass(frozen=True, kw_only=True)
class Cleaning:
    """Cleans hosts. `is_busy` tells that jobs run, `must_stop` that the service is going down."""

    runs: CollectedRuns
    jobs: JobStore
    preparation: Preparation
    clock: Clock
    errands: Errands
    is_busy: Callable[[], bool]
    must_stop: Callable[[], bool]

    def go_on(self, stop: threading.Event) -> None:
        """Until told to stop; what a crash left of an earlier one is ended first."""
        self.errands.end_earlier()
        while not stop.wait(_PAUSE):
            try:
                self.clean()
            except Exception as error:  # a database that is away comes back
                log.exception("cleaning_failed", error=repr(error))

    def clean(self) -> int:
        """Clean what is due, account by account; how many runs."""
        now = self.clock.now_ms()
        due = now - (_PATIENCE if self.is_busy() else 0)
        taken = sorted(self.runs.take(due, now + _AGAIN, _AT_ONCE), key=lambda run: run.account_id)
        for account_id, group in groupby(taken, key=lambda run: run.account_id):
            runs = list(group)
            if self._is_clean(account_id, runs):
                self.runs.forget(runs)
            else:
                self.runs.forget(run for run in runs if run.collect_time < now - _GIVEN_UP)
        return len(taken)

    def _is_clean(self, account_id: int, runs: Sequence[CollectedRun]) -> bool:
        """True if every host was spoken to, or none of them can ever be."""
        hosts: dict[int, Host] = {}
        for run in runs:
            for result in self.jobs.hosts(run.step_instance_id, run.execute_count):
                if result.status not in _LEFT_ALONE:
                    hosts[result.host.bk_host_id] = result.host
        present, _gone = self.preparation.present(list(hosts.values()))
        if not present:
            return True
        try:
            return self._play(account_id, runs, present)
        except AccountGone:
            return True

    def _play(self, account_id: int, runs: Sequence[CollectedRun], hosts: Sequence[Host]) -> bool:
        run_input = self.preparation.clean_input(
            account_id, [(run.step_instance_id, run.execute_count) for run in runs], hosts
        )
        with self.errands.run(run_input, CLEAN_PLAYBOOK) as run:
            for _batch in run.events(0.5):
                if self.must_stop():
                    run.cancel()
            run.wait()
            outcome = run.outcome
        if outcome is None or outcome.problem:
            log.warning("cleaning_broke", problem="" if outcome is None else outcome.problem[-500:])
        return outcome is not None and not outcome.problem and not run.is_cancelled
