"""Removes collected runs from their hosts: later, many runs in one exchange, and never in a job's way.

A script's directory must stay on the host until the service has stored what it held, else a worker that takes
over would find nothing and could not tell that the script ran. Removing it at once would cost every host of every
job an exchange more. What is left in its place is an empty file, for a week: see supervisor.sh.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import structlog

from adapter.engine.errands import Errands
from adapter.engine.given_files import Placing
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
#: Milliseconds after which hosts that were not cleaned are tried again, at first and at last.
_AGAIN, _LONGEST = 10 * 60 * 1000, 12 * 3600 * 1000
#: Milliseconds after which nobody tries any more: hosts remove what is that old themselves. As long after its end a
#: step that failed can be run again with the contents that came with its request.
_GIVEN_UP = 7 * 24 * 3600 * 1000
#: Seconds between looks for contents of files that nothing can need any more.
_FORGET_PAUSE = 600
#: Hosts that are given up and named one by one.
_NAMED = 10
#: Milliseconds that cleaning waits for a worker to be idle.
_PATIENCE = 10 * 60 * 1000
#: Hosts where nothing can be, or that would not answer, or where the script may still run.
_LEFT_ALONE = (
    HostStatus.INVALID_HOST,
    HostStatus.NO_AGENT,
    HostStatus.AGENT_ABNORMAL,
    HostStatus.USER_MISSING,
    HostStatus.BAD_PASSWORD,
    HostStatus.TIMEOUT,
    HostStatus.TERMINATE_FAILED,
    HostStatus.SKIPPED_UNKNOWN,
    HostStatus.WAITING,
)


@dataclass(frozen=True, kw_only=True)
class Cleaning:
    """Cleans hosts. `is_busy` tells that jobs run, `must_stop` that the service is going down."""

    runs: CollectedRuns
    jobs: JobStore
    preparation: Preparation
    clock: Clock
    errands: Errands
    placing: Placing
    is_busy: Callable[[], bool]
    must_stop: Callable[[], bool]

    def go_on(self, stop: threading.Event) -> None:
        """Until told to stop; what a crash left of an earlier one is ended first."""
        self.errands.end_earlier()
        self.placing.remove_earlier()
        forget_at = time.monotonic()
        while not stop.wait(_PAUSE):
            try:
                self.clean()
                if time.monotonic() >= forget_at:
                    forget_at = time.monotonic() + _FORGET_PAUSE
                    self.forget_given()
            except Exception as error:  # a database that is away comes back
                log.exception("cleaning_failed", error=repr(error))

    def forget_given(self) -> None:
        """Contents of files that came with a request, once their step can need them no more."""
        forgotten = self.placing.contents.forget_useless(self.clock.now_ms() - _GIVEN_UP)
        if forgotten:
            log.info("given_files_forgotten", files=forgotten)

    def clean(self) -> int:
        """Clean what is due, account by account; how many runs."""
        if not self.preparation.hosts.is_ready():
            return 0
        now = self.clock.now_ms()
        due = now - (_PATIENCE if self.is_busy() else 0)
        taken = sorted(self.runs.take(due, now + _AGAIN, _AT_ONCE), key=lambda run: run.account_id)
        for account_id, group in groupby(taken, key=lambda run: run.account_id):
            self._clean_as(account_id, list(group))
        return len(taken)

    def _clean_as(self, account_id: int, runs: Sequence[CollectedRun]) -> None:
        """Runs that one account made."""
        wanted = [self._hosts_of(run) for run in runs]
        hosts = {host.bk_host_id: host for each in wanted for host in each}
        present, _gone = self.preparation.present(list(hosts.values()))
        try:
            cleaned = self._play(account_id, runs, present) if present else set()
        except AccountGone:
            log.warning("cleaning_given_up", account_id=account_id, runs=len(runs), reason="account deleted")
            self.runs.forget(runs)
            return
        for run, its_hosts in zip(runs, wanted, strict=True):
            self._settle(run, [host for host in its_hosts if host.bk_host_id not in cleaned])

    def _hosts_of(self, run: CollectedRun) -> list[Host]:
        """Those that are still to be cleaned."""
        results = self.jobs.hosts(run.step_instance_id, run.execute_count)
        if run.hosts is not None:
            return [item.host for item in results if item.host.bk_host_id in run.hosts]
        ran = [item for item in results if item.executed_in == run.execute_count]
        return [item.host for item in ran if item.status not in _LEFT_ALONE]

    def _settle(self, run: CollectedRun, left: Sequence[Host]) -> None:
        """Forget the run if it is on none of its hosts any more; else those that are left are tried again."""
        if not left:
            self.runs.forget([run])
            return
        now = self.clock.now_ms()
        age, ids = now - run.collect_time, [host.bk_host_id for host in left]
        if age > _GIVEN_UP:
            self.runs.forget([run])
            log.warning(
                "cleaning_given_up",
                step_instance_id=run.step_instance_id,
                execute_count=run.execute_count,
                hosts=len(ids),
                first=ids[:_NAMED],
            )
        else:
            # As long again as it has been tried already, unless this try was cut short by our own end.
            pause = _AGAIN if self.must_stop() else min(max(_AGAIN, age), _LONGEST)
            self.runs.postpone(run, ids, now + pause)

    def _play(self, account_id: int, runs: Sequence[CollectedRun], hosts: Sequence[Host]) -> set[int]:
        """The hosts that said that these runs are removed. Raises AccountGone."""
        run_input = self.preparation.clean_input(
            account_id, [(run.step_instance_id, run.execute_count) for run in runs], hosts
        )
        names = {host.name: host.bk_host_id for host in hosts}
        with self.errands.run(run_input, CLEAN_PLAYBOOK) as run:
            cleaned = set()
            for batch in run.events(0.5):
                cleaned |= {names[name] for name in map(_cleaned_name, batch) if name in names}
                if self.must_stop():
                    run.cancel()
            run.wait()
            outcome = run.outcome
        if outcome is None or outcome.problem:
            log.warning("cleaning_broke", problem="" if outcome is None else outcome.problem[-500:])
        return cleaned


def _cleaned_name(raw: Mapping[str, Any]) -> str | None:
    """Of the host, if the event is its word that it is clean."""
    data = raw.get("event_data") or {}
    return data.get("host") if raw.get("event") == "runner_on_ok" and data.get("task") == "clean" else None
