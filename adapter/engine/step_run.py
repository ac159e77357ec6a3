"""One execution of one step, from its stored rows to its final state; safe to run again after a crash.

What hosts have done is remembered on the hosts (the script's run directory), in the spool (logs, results) and in
the store (states): running a step again follows what is under way and starts only what never started.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import structlog

from adapter.ansible.runner_events import HostEvent
from adapter.engine.batches import Batches
from adapter.engine.board import HostBoard
from adapter.engine.execution import Execution
from adapter.engine.file_cache import FileCache
from adapter.engine.given_files import Placing
from adapter.engine.leftovers import end_leftovers
from adapter.engine.passing import is_passing
from adapter.engine.preparation import Preparation
from adapter.engine.private_data import PrivateData
from adapter.engine.providing import Providing
from adapter.engine.recorder import Recorder
from adapter.engine.surroundings import HandedOver, Order, Surroundings
from adapter.engine.variables import variables_of
from adapter.engine.warm import WarmAnsible
from adapter.job.file_batches import of_batch
from adapter.job.model import HostResult, StepInstance
from adapter.job.roll_up import step_status
from adapter.job.rolling import Following
from adapter.job.status import MAY_BE_RETRIED, HostStatus, RunStatus
from adapter.job.variables import StepVariables, is_shell
from adapter.ports import Clock
from adapter.store.claims import Claim
from adapter.store.collected import CollectedRun, CollectedRuns
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore

log = structlog.get_logger(__name__)

#: Seconds between looks for an inventory that is still being read.
_PAUSE = 0.3


@dataclass(frozen=True, kw_only=True)
class StepRuns:
    """Runs steps. `handover` tells that they must be let go of: for the next start, or for another worker."""

    jobs: JobStore
    logs: LogStore
    collected: CollectedRuns
    preparation: Preparation
    clock: Clock
    artifacts: Path
    file_cache: FileCache
    placing: Placing
    providing: Providing
    runtime: Path
    handover: Callable[[], bool]
    warm: WarmAnsible | None = None

    def under(self, claim: Claim) -> StepRuns:
        """The same for the owner of a job: what is written raises ClaimLost once the job is another's."""
        return replace(self, jobs=self.jobs.under(claim), logs=self.logs.under(claim))

    def run(self, step_instance_id: int) -> RunStatus:
        """Bring the step to its final state, or to where it waits for an operator. Raises HandedOver."""
        step = self.jobs.step(step_instance_id)
        if step is None:
            raise LookupError(f"step instance {step_instance_id} is not in the store")
        if step.status.is_finished or step.status is RunStatus.WAITING_USER:
            return step.status
        if step.approval is not None:
            return self._wait_for_operator(step)
        # After a restart the inventory is awaited: an empty one would lose every host.
        if not self._is_inventory_read(step):
            return self._end_untouched(step)
        return self._run(step)

    def _is_inventory_read(self, step: StepInstance) -> bool:
        """True once it is; False if the step is terminated before it has ever run."""
        while True:
            if self.handover():
                raise HandedOver
            if self._is_stopped_untouched(step):
                return False
            if self.preparation.hosts.is_ready():
                return True
            time.sleep(_PAUSE)

    def _is_stopped_untouched(self, step: StepInstance) -> bool:
        """True for a step whose job was terminated before the step ran, on this machine or another."""
        return step.status is RunStatus.WAITING and self._is_stopping(step)

    def _order(self, step: StepInstance) -> Order:
        if self.handover():
            return Order.LEAVE
        job_status, step_status, execute_count = self.jobs.standing(step.id)
        if step_status.is_finished or execute_count != step.execute_count:
            return Order.LEAVE  # an operator has skipped it
        return Order.STOP if job_status is RunStatus.STOPPING else Order.GO_ON

    def _is_stopping(self, step: StepInstance) -> bool:
        return self.jobs.status(step.job_instance_id) is RunStatus.STOPPING

    def _end_untouched(self, step: StepInstance) -> RunStatus:
        self._terminate_waiting(step)
        if step.batch:
            self.leave_to_cleaning(step)  # earlier batches ran
        self.jobs.finish_step(step.id, RunStatus.STOPPED, self.clock.now_ms())
        return RunStatus.STOPPED

    def _terminate_waiting(self, step: StepInstance) -> None:
        """End the hosts on which nothing runs for the step, and nothing will."""
        now = self.clock.now_ms()
        ended = [
            item.evolve(status=HostStatus.TERMINATED, error_code=126, end_time=now)
            for item in self.jobs.hosts(step.id, step.execute_count)
            if not item.status.is_finished
        ]
        self.jobs.save_hosts(step.id, step.execute_count, ended)

    def _wait_for_operator(self, step: StepInstance) -> RunStatus:
        if self.jobs.wait_for_operator(step, self.clock.now_ms()):
            return RunStatus.WAITING_USER
        return self._end_untouched(step)  # terminated meanwhile

    def _directory(self, step: StepInstance) -> Path:
        return self.artifacts / step.directory

    def _run(self, step: StepInstance) -> RunStatus:
        is_first = step.status is RunStatus.WAITING  # which it is no longer before anything is played
        self.jobs.begin_step(step.id, self.clock.now_ms())
        current = self.jobs.step(step.id) or step
        results = self.jobs.hosts(step.id, step.execute_count)
        if current.rolls_by_sources:
            return self._run_batches_of_sources(current, results)
        current, board, batches = self._played(current, results, self._directory(current), is_first=is_first)
        stopped = self._is_stopping(step)
        if batches.waits_for_operator and not stopped:
            return self._wait_for_operator(current)
        return self._end(current, board.results if stopped else batches.counting, stopped=stopped)

    def _run_batches_of_sources(self, step: StepInstance, results: Sequence[HostResult]) -> RunStatus:
        """Each batch is a transfer to every target, as if it were the step."""
        assert step.rolling is not None
        assert step.file is not None
        while True:
            part = replace(step, file=of_batch(step.file, step.rolling, step.batch), rolling=None)
            mine = [item for item in results if item.batch == step.batch]
            ended = self._played(part, mine, self._directory(step))[1].results
            if self._is_stopping(step):
                self._terminate_waiting(step)
                return self._end(step, self.jobs.hosts(step.id, step.execute_count), stopped=True)
            has_failed = any(not item.status.is_success for item in ended)
            following = step.rolling.after(step.batch, has_failed=has_failed)
            if following is Following.AN_OPERATOR:
                return self._wait_for_operator(step)
            if following is Following.NOTHING:
                return self._end(step, ended, stopped=False)
            self._open_batch(step, step.batch + 1)
            step = replace(step, batch=step.batch + 1)

    def _played(
        self,
        current: StepInstance,
        results: Sequence[HostResult],
        directory: Path,
        *,
        is_first: bool = False,
    ) -> tuple[StepInstance, HostBoard, Batches]:
        """All that the hosts do, until they have ended or the next batch is an operator's to begin.

        Answers the step with its variables resolved, and how the hosts stand. Raises HandedOver.
        """
        present, gone = self.preparation.present([item.host for item in results])
        named = {host.bk_host_id: host for host in present}
        board = HostBoard(
            (item.evolve(host=named.get(item.host.bk_host_id, item.host)) for item in results), current.batch
        )
        batches = Batches(current, board, lambda batch: self._open_batch(current, batch))
        data = PrivateData(directory, self.preparation.settings.playbooks / "collections")
        variables = variables_of(self.jobs, current)
        if variables is not None:
            current = variables.resolved(current)
        recorder = self._recorder(current, board, data.spool, variables)
        for host in gone:
            recorder.apply(self.preparation.absence(host))
        execution = Execution(
            self._surroundings(),
            current,
            present,
            board,
            batches,
            data,
            recorder,
            variables,
            is_first=is_first,
        )
        with self.file_cache.in_use() if current.file is not None else contextlib.nullcontext():
            execution.until_all_ended()
        recorder.flush()
        return current, board, batches

    def _end(self, step: StepInstance, counting: Sequence[HostResult], *, stopped: bool) -> RunStatus:
        """The step's final state, by the hosts that count."""
        self.leave_to_cleaning(step)
        status = step_status(
            counting,
            stopped=stopped,
            ignore_error=step.ignore_error or _ignores_failures(step),
        )
        self.jobs.finish_step(step.id, status, self.clock.now_ms())
        if step.file is not None and step.file.has_given and status not in MAY_BE_RETRIED:
            self.placing.contents.forget(step.id)  # should this process die before it: cleaning does the same
        return status

    def _open_batch(self, step: StepInstance, batch: int) -> None:
        if not self.jobs.open_batch(step.id, batch):
            raise HandedOver  # it is running no longer: an operator has moved it on

    def break_off(self, step_instance_id: int, reason: str) -> None:
        """End a step that the service cannot carry on: ABNORMAL, and LOG_ERROR each host that has not ended.

        What had come of the hosts is taken in. Their scripts may go on, and nobody follows them any more. A step
        that has not begun stays as it is.
        """
        step = self.jobs.step(step_instance_id)
        if step is None or step.status.is_finished or step.status is RunStatus.WAITING:
            return
        try:
            self._end_hosts(step, reason)
        except Exception as error:  # what keeps the step from going on may keep its logs from being written
            if is_passing(error):
                raise
            log.exception("hosts_end_without_a_word", step_instance_id=step.id, error=repr(error))
            for _, board in self._boards(step):
                for event in _lost(board, reason):
                    board.apply(event, self.clock.now_ms())
                self.jobs.save_hosts(step.id, step.execute_count, board.take_changed())
        self.leave_to_cleaning(step)
        self.jobs.finish_step(step.id, RunStatus.ABNORMAL, self.clock.now_ms())

    def _end_hosts(self, step: StepInstance, reason: str) -> None:
        variables = variables_of(self.jobs, step)
        for part, board in self._boards(step):
            directory = self._directory(part)
            if directory.exists():
                end_leftovers(directory)
            recorder = self._recorder(part, board, directory / "spool", variables)
            recorder.take_recorded()
            for event in _lost(board, reason):
                recorder.apply(event)
            recorder.flush()

    def _boards(self, step: StepInstance) -> Iterator[tuple[StepInstance, HostBoard]]:
        """The step and its hosts; of one that rolls by its file sources as of each batch."""
        results = self.jobs.hosts(step.id, step.execute_count)
        if not step.rolls_by_sources:
            yield step, HostBoard(results, step.batch)
            return
        for batch, members in groupby(results, key=lambda item: item.batch):
            yield replace(step, batch=batch), HostBoard(members, batch)

    def _recorder(
        self, step: StepInstance, board: HostBoard, spool: Path, variables: StepVariables | None
    ) -> Recorder:
        wanted = variables.captured if variables is not None and is_shell(step) else ()
        return Recorder(self.jobs, self.logs, self.clock, step, board, spool, wanted)

    def leave_to_cleaning(self, step: StepInstance) -> None:
        """What the hosts had to say is stored: the script's files need not stay there."""
        if step.script is None:
            return
        now = self.clock.now_ms()
        run = CollectedRun(
            step_instance_id=step.id,
            execute_count=step.execute_count,
            account_id=step.script.account_id,
            collect_time=now,
        )
        self.collected.add(run, now + self.preparation.settings.clean_delay_seconds * 1000)

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            preparation=self.preparation,
            placing=self.placing,
            providing=self.providing,
            logs=self.logs,
            runtime=self.runtime,
            order=self._order,
            warm=self.warm,
        )


def _ignores_failures(step: StepInstance) -> bool:
    return step.rolling is not None and step.rolling.ignores_failures


def _lost(board: HostBoard, reason: str) -> Iterator[HostEvent]:
    """The end of each host that has none yet."""
    for item in board.left:
        yield HostEvent(name=item.host.name, status=HostStatus.LOG_ERROR, message=reason)
