"""One execution of one step, from its stored rows to its final state; safe to run again after a crash.

What hosts have done is remembered on the hosts (the script's run directory), in the spool (logs, results) and in
the store (states): running a step again follows what is under way and starts only what never started.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog

from adapter.ansible import runner_events
from adapter.ansible.runner_events import HostEvent
from adapter.engine.board import HostBoard
from adapter.engine.leftovers import end_leftovers
from adapter.engine.preparation import STEP_PLAYBOOK, STOP_PLAYBOOK, AccountGone, Preparation
from adapter.engine.private_data import PrivateData
from adapter.engine.recorder import Recorder
from adapter.engine.runner import Outcome, PlaybookRun
from adapter.engine.secret_server import serve_secrets
from adapter.engine.warm import WarmAnsible
from adapter.job.model import StepInstance
from adapter.job.roll_up import step_status
from adapter.job.status import HostStatus, RunStatus
from adapter.ports import Clock
from adapter.store.claims import Claim
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore

log = structlog.get_logger(__name__)

#: Seconds between looks at logs and at the job's state while a run goes on.
_PAUSE = 0.3
#: Attempts in a row that bring no host to an end before the rest is given up.
_FRUITLESS_ATTEMPTS = 3
#: Seconds that hosts get to confirm a stop before ansible-playbook is killed.
_STOP_GRACE = 60
#: Seconds past a script's timeout after which its hosts are given up (contract e: JOB waits 300).
_OVERDUE = 300


class HandedOver(BaseException):
    """Somebody else goes on with the step. Not an Exception: DBOS must not take it for the step's failure."""


@dataclass(frozen=True, kw_only=True)
class StepRuns:
    """Runs steps. `handover` tells that they must be let go of: for the next start, or for another worker."""

    jobs: JobStore
    logs: LogStore
    preparation: Preparation
    clock: Clock
    artifacts: Path
    file_cache: Path
    runtime: Path
    handover: Callable[[], bool]
    warm: WarmAnsible | None = None

    def under(self, claim: Claim) -> StepRuns:
        """The same for the owner of a job: what is written raises ClaimLost once the job is another's."""
        return replace(self, jobs=self.jobs.under(claim), logs=self.logs.under(claim))

    def run(self, step_instance_id: int) -> RunStatus:
        """Bring the step to its final state and return that. Raises HandedOver."""
        step = self.jobs.step(step_instance_id)
        if step is None:
            raise LookupError(f"step instance {step_instance_id} is not in the store")
        if step.status.is_finished:
            return step.status
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
        """True for a step whose job was terminated before the step ran."""
        stopping = self.jobs.status(step.job_instance_id) is RunStatus.STOPPING
        return stopping and not self._directory(step).exists()

    def _end_untouched(self, step: StepInstance) -> RunStatus:
        now = self.clock.now_ms()
        results = self.jobs.hosts(step.id, step.execute_count)
        ended = [item.evolve(status=HostStatus.TERMINATED, error_code=126, end_time=now) for item in results]
        self.jobs.save_hosts(step.id, step.execute_count, ended)
        self.jobs.finish_step(step.id, RunStatus.STOPPED, now)
        return RunStatus.STOPPED

    def _directory(self, step: StepInstance) -> Path:
        return self.artifacts / str(step.job_instance_id) / str(step.id) / str(step.execute_count)

    def _run(self, step: StepInstance) -> RunStatus:
        self.jobs.begin_step(step.id, self.clock.now_ms())
        current = self.jobs.step(step.id) or step
        results = self.jobs.hosts(step.id, step.execute_count)
        present, gone = self.preparation.present([item.host for item in results])
        named = {host.bk_host_id: host for host in present}
        board = HostBoard(item.evolve(host=named.get(item.host.bk_host_id, item.host)) for item in results)
        data = PrivateData(self._directory(step), self.preparation.settings.playbooks / "collections")
        recorder = Recorder(self.jobs, self.logs, self.clock, current, board, data.spool)
        for host in gone:
            recorder.apply(
                HostEvent(
                    name=host.name, status=HostStatus.INVALID_HOST, message="the inventory has it no longer"
                )
            )
        _Execution(self, current, board, data, recorder).until_all_ended()
        recorder.flush()
        stopped = self.jobs.status(step.job_instance_id) is RunStatus.STOPPING
        status = step_status(board.results, stopped=stopped, ignore_error=step.ignore_error)
        self.jobs.finish_step(step.id, status, self.clock.now_ms())
        return status


@dataclass
class _Execution:
    """The attempts of one step run."""

    owner: StepRuns
    step: StepInstance
    board: HostBoard
    data: PrivateData
    recorder: Recorder
    stopping_since: float | None = None
    is_terminated: bool = False
    problem: str = ""
    deadline_ms: int = field(init=False)

    def __post_init__(self) -> None:
        began = self.step.start_time or self.owner.clock.now_ms()
        grace = _OVERDUE + len(self.board.results) if self.step.script else 0
        self.deadline_ms = began + (self.step.timeout + grace) * 1000

    def until_all_ended(self) -> None:
        """Run the play until every host has ended, again if it broke, but not for ever."""
        fruitless = 0
        while self.board.unfinished and fruitless < _FRUITLESS_ATTEMPTS:
            before = len(self.board.unfinished)
            try:
                self._attempt()
            except AccountGone as error:
                self.problem = str(error)
                break
            if self.owner.handover() and self.board.unfinished:
                self.recorder.flush()
                raise HandedOver
            if self.stopping_since is not None or self._is_overdue():
                break
            fruitless = fruitless + 1 if len(self.board.unfinished) == before else 0
        self._give_up_the_rest()

    def _attempt(self) -> None:
        """One run of the play on the hosts that have not ended."""
        targets = [item.host for item in self.board.unfinished]
        run_input = self.owner.preparation.run_input(self.step, targets)
        control = self.owner.runtime / "cp"
        control.mkdir(mode=0o700, exist_ok=True)
        self._end_earlier_attempts()
        self.data.write(run_input, control)
        with serve_secrets(run_input.secrets, self.owner.runtime) as socket:
            environ = {
                "ADAPTER_SPOOL": str(self.data.spool),
                "ADAPTER_FILE_CACHE": str(self.owner.file_cache),
                **({"ADAPTER_SECRETS": str(socket)} if socket else {}),
            }
            outcome = self._play(STEP_PLAYBOOK, "run", environ)
            if self.is_terminated and self.step.script is not None:
                self._take_recorded()
                self._play(STOP_PLAYBOOK, "stop", environ)
        self.recorder.take_spool()
        self._take_recorded()
        if outcome is not None and outcome.problem and outcome.status != "canceled":
            self.problem = outcome.problem
            log.warning("run_broke", step_instance_id=self.step.id, status=outcome.status, rc=outcome.rc)

    def _end_earlier_attempts(self) -> None:
        if (self.data.path / "artifacts").exists():
            ended = end_leftovers(self.data.path)
            if ended:
                log.info("ended_leftovers", step_instance_id=self.step.id, processes=ended)

    def _play(self, playbook: str, prefix: str, environ: dict[str, str]) -> Outcome | None:
        """Fold a run's events while it goes on; looks after stop, handover and the deadline beside it."""
        run = PlaybookRun(self.data, playbook, prefix, environ, self.owner.warm)
        self._look_after(run)
        if run.is_cancelled:  # asked for while nobody ran: nothing is started any more
            return None
        run.start()
        for batch in run.events(_PAUSE):
            for raw in batch:
                self._fold(raw)
            self.recorder.take_spool()
            self.recorder.flush()
            self._look_after(run)
        if run.outcome is not None and run.outcome.status == "canceled":
            self._end_earlier_attempts()  # ansible-playbook was killed, its workers were not
        return run.outcome

    def _fold(self, raw: dict[str, Any]) -> None:
        event = runner_events.parse(raw)
        if event is not None:
            self.recorder.apply(event)

    def _look_after(self, run: PlaybookRun) -> None:
        if self.owner.handover():
            run.cancel()
        elif self.stopping_since is None:
            if self.owner.jobs.status(self.step.job_instance_id) is RunStatus.STOPPING:
                self._terminate(run)
            elif self._is_overdue():
                self.recorder.spool.stop("timeout")
                self.stopping_since = time.monotonic()
        elif not self.board.unfinished or self._stopping_too_long():
            run.cancel()

    def _terminate(self, run: PlaybookRun) -> None:
        """Tell the plugins to start nothing more. Scripts are followed no longer: the stop play does the rest.

        It must be alone with the hosts: whoever follows a script would collect the same log and result.
        """
        self.recorder.spool.stop("terminate")
        self.stopping_since = time.monotonic()
        self.is_terminated = True
        if self.step.script is not None:
            run.cancel()

    def _stopping_too_long(self) -> bool:
        return self.stopping_since is not None and time.monotonic() > self.stopping_since + _STOP_GRACE

    def _is_overdue(self) -> bool:
        return self.owner.clock.now_ms() > self.deadline_ms

    def _take_recorded(self) -> None:
        """Results that plugins recorded although their events were lost."""
        for item in self.board.unfinished:
            recorded = self.recorder.spool.result(item.host.bk_host_id)
            if recorded is not None:
                is_file = self.step.file is not None
                self.recorder.apply(runner_events.of_result(item.host.name, recorded, is_file=is_file))

    def _give_up_the_rest(self) -> None:
        status = HostStatus.TASK_ERROR
        message = self.problem or "Ansible ended without a word about this host"
        if self.owner.jobs.status(self.step.job_instance_id) is RunStatus.STOPPING:
            is_script = self.step.script is not None
            status = HostStatus.TERMINATE_FAILED if is_script else HostStatus.TERMINATED
            message = "the host did not confirm the stop" if is_script else ""
        elif self._is_overdue():
            status = HostStatus.TIMEOUT if self.step.script else HostStatus.FILE_TIMEOUT
            message = "the step's time is up"
        for item in self.board.unfinished:
            self.recorder.apply(HostEvent(name=item.host.name, status=status, message=message))
