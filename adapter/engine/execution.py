"""The attempts of one step run: Ansible is run on the hosts that have not ended until none is left.

A run of the play gives every host all the time it needs if each can have a fork of its own, else a turn
(engine.turns). A run that broke is tried again, but not for ever.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from adapter.ansible import runner_events
from adapter.ansible.run_input import RunInput
from adapter.ansible.runner_events import HostEvent
from adapter.engine.batches import Batches
from adapter.engine.board import HostBoard
from adapter.engine.given_files import GivenFilesGone
from adapter.engine.leftovers import end_leftovers
from adapter.engine.patience import Patience
from adapter.engine.preparation import STEP_PLAYBOOK, STOP_PLAYBOOK, CannotRun
from adapter.engine.private_data import LIMIT, PrivateData
from adapter.engine.recorder import Recorder
from adapter.engine.runner import Outcome, PlaybookRun
from adapter.engine.secret_server import serve_secrets
from adapter.engine.surroundings import HandedOver, Order, Surroundings
from adapter.engine.turns import Turns
from adapter.engine.windows import take_up
from adapter.job.model import Host, StepInstance
from adapter.job.status import HostStatus
from adapter.job.variables import StepVariables
from adapter.store.claims import ClaimLost

log = structlog.get_logger(__name__)

#: Seconds between looks at logs and at the job's state while a run goes on.
_LOOK = 0.2
#: Seconds that hosts get to confirm a stop before ansible-playbook is killed.
_STOP_GRACE = 60
#: Seconds past a script's timeout after which its hosts are given up (contract e: JOB waits 300).
_OVERDUE = 300
#: Seconds that a host gets at least in a run of the play.
_SHORTEST_TURN = 0.5


@dataclass
class Execution:
    """One worker's execution of one step: `until_all_ended` is its whole life.

    Whoever goes on with a step gives it its whole time again: how long it has run already is known only by clocks
    of other machines. Scripts are watched on their hosts, from their own start.
    """

    around: Surroundings
    step: StepInstance
    present: Sequence[Host]  #: the step's hosts that the inventory has
    board: HostBoard
    batches: Batches
    data: PrivateData
    recorder: Recorder
    variables: StepVariables | None = None  #: of a plan's step
    stopping_since: float | None = None
    is_terminated: bool = False
    problem: str = ""
    taken_up: set[str] = field(default_factory=set)  #: hosts on which scripts start at most once
    answers: int = 0  #: results of hosts in this attempt, also of those that have not ended
    deadline: float = field(init=False)  #: by time.monotonic(): a clock that jumps changes nothing

    def __post_init__(self) -> None:
        self._extend_deadline()

    def _extend_deadline(self) -> None:
        grace = _OVERDUE + len(self.board.results) if self.step.script else 0
        self.deadline = time.monotonic() + self.step.timeout + grace

    def until_all_ended(self) -> None:
        """Run the play until every host has ended whose turn it is, again if it broke, but not for ever.

        Batches that follow by themselves are begun. Raises HandedOver.
        """
        if not self.board.unfinished and not self._goes_on():
            return
        try:
            run_input = self.around.preparation.run_input(self.step, self.present, self.variables)
        except CannotRun as error:
            self.problem = str(error)
            self._never_ran()
            return
        given = self.around.placing.placed(self.step, self.data.spool, self.around.logs)
        try:
            with serve_secrets(run_input.secrets, self.around.runtime) as socket, given as files:
                environ = {"ADAPTER_FILE_CACHE": str(files or self.around.file_cache)}
                self._all_batches(run_input, environ | ({"ADAPTER_SECRETS": str(socket)} if socket else {}))
        except GivenFilesGone as error:
            self.problem = str(error)
            self._never_ran()

    def _never_ran(self) -> None:
        self.batches.give_up()
        self._give_up_the_rest()

    def _all_batches(self, run_input: RunInput, environ: dict[str, str]) -> None:
        control = self.around.runtime / "cp"
        control.mkdir(mode=0o700, exist_ok=True)
        self._end_earlier_attempts()
        self.data.write(run_input, control)
        environ |= {"ADAPTER_SPOOL": str(self.data.spool)}
        while True:
            self._attempts(run_input, environ)
            self._give_up_the_rest()
            self.recorder.flush()
            if not self._goes_on():
                break
        self.data.limit_to(None)

    def _goes_on(self) -> bool:
        """True once a batch more has begun; waits for one whose time comes by the clock. Raises HandedOver."""
        if not self.batches.are_left:
            return False
        while (order := self._order()) is Order.GO_ON and self.batches.next_in:
            time.sleep(min(_LOOK, self.batches.next_in or 0))
        if order is Order.STOP:
            self._give_up_stopped()
            return False
        if not self.batches.follow_by_themselves:
            return False
        if order is Order.LEAVE:
            raise HandedOver
        self._begin_batch()
        return True

    def _begin_batch(self) -> None:
        self.batches.begin_next()
        self.stopping_since = None
        self.recorder.spool.go_on()
        self._extend_deadline()

    def _attempts(self, run_input: RunInput, environ: dict[str, str]) -> None:
        patience, turns = Patience(), Turns(run_input.forks)
        while self.board.unfinished and not patience.is_lost:
            if self.batches.next_in == 0:
                self._begin_batch()
            take_up(run_input.windows if self.step.script else (), self.taken_up, self.board, self.recorder)
            if not self.board.unfinished:
                break
            before, self.answers = len(self.board.unfinished), 0
            turn = self._turn(turns, before)
            waiting = {} if turn is None else {"ADAPTER_WAIT": str(turn)}
            outcome = self._attempt(run_input, environ | waiting)
            if self._order() is Order.LEAVE and self.board.unfinished:
                self.recorder.flush()
                raise HandedOver
            if self.stopping_since is not None or self._is_overdue():
                break
            ended = before - len(self.board.unfinished)
            was_killed = outcome is not None and outcome.was_killed
            patience.note(is_fruitful=bool(ended or self.answers), was_killed=was_killed)
            if patience.is_tried:
                self.data.require_room()
            pause = max(patience.pause, 0 if turn is None else turns.pause(ended))
            next_in = self.batches.next_in
            self._rest(pause if next_in is None else min(pause, next_in))

    def _turn(self, turns: Turns, hosts: int) -> float | None:
        """Seconds of each host in this run of the play, which keeps no next batch waiting; None: until it ends."""
        if self.step.script is None:
            return None
        turn, next_in = turns.next(hosts), self.batches.next_in
        if next_in is None:
            return turn
        return max(_SHORTEST_TURN, next_in if turn is None else min(turn, next_in))

    def _rest(self, seconds: float) -> None:
        """A pause that is over at once when the step is to be stopped or handed over."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._must_leave():
            time.sleep(min(_LOOK, max(0.0, until - time.monotonic())))

    def _must_leave(self) -> bool:
        return self._is_overdue() or self._order() is not Order.GO_ON

    def _order(self) -> Order:
        return self.around.order(self.step)

    def _attempt(self, run_input: RunInput, environ: dict[str, str]) -> Outcome | None:
        """One run of the play on the hosts that have not ended."""
        wanted = {item.host.name for item in self.board.unfinished} | run_input.sources
        self.data.limit_to(None if wanted == set(run_input.hosts) else sorted(wanted))
        outcome = self._play(STEP_PLAYBOOK, "run", environ)
        if self.is_terminated and self.step.script is not None:
            self.recorder.take_recorded()
            self._stop(environ)
        self.recorder.take_spool()
        self.recorder.take_recorded()
        if outcome is not None and outcome.problem and outcome.status != "canceled":
            self.problem = outcome.problem
            log.warning("run_broke", step_instance_id=self.step.id, status=outcome.status, rc=outcome.rc)
        return outcome

    def _stop(self, environ: dict[str, str]) -> None:
        """Kill the scripts; again if the play broke, and not for ever."""
        patience = Patience()
        while not patience.is_lost:
            outcome = self._play(STOP_PLAYBOOK, "stop", environ)
            self.recorder.take_recorded()
            if outcome is None or not outcome.problem or not self.board.unfinished:
                return
            patience.note(is_fruitful=False, was_killed=outcome.was_killed)

    def _end_earlier_attempts(self) -> None:
        if (self.data.path / "artifacts").exists():
            ended = end_leftovers(self.data.path)
            if ended:
                log.info("ended_leftovers", step_instance_id=self.step.id, processes=ended)

    def _play(self, playbook: str, prefix: str, environ: dict[str, str]) -> Outcome | None:
        """Fold a run's events while it goes on; looks after stop, handover and the deadline beside it."""
        limit = LIMIT if self.data.is_limited else None
        run = PlaybookRun(self.data, playbook, prefix, environ, self.around.warm, limit)
        self._look_after(run)
        if run.is_cancelled:  # asked for while nobody ran: nothing is started any more
            return None
        run.start()
        try:
            for batch in run.events(_LOOK):
                for raw in batch:
                    self._fold(raw)
                self.recorder.take_spool()
                self.recorder.flush()
                self._look_after(run)
        except ClaimLost:
            run.cancel()  # the job is another's, who need not go on with this step
            raise
        outcome = run.outcome
        if outcome is not None and (outcome.problem or outcome.status in ("canceled", "error")):
            self._end_earlier_attempts()  # ansible-playbook was killed or left, its workers were not
        return run.outcome

    def _fold(self, raw: dict[str, Any]) -> None:
        event = runner_events.parse(raw)
        if event is not None:
            self.answers += event.is_answer
            self.recorder.apply(event)

    def _look_after(self, run: PlaybookRun) -> None:
        order = self._order()
        if order is Order.LEAVE:
            run.cancel()
        elif self.stopping_since is None:
            if order is Order.STOP:
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
        return time.monotonic() > self.deadline

    def _give_up_the_rest(self) -> None:
        status = HostStatus.TASK_ERROR
        message = self.problem or "Ansible ended without a word about this host"
        if self._order() is Order.STOP:
            self._give_up_stopped()
            return
        if self._is_overdue():
            status = HostStatus.TIMEOUT if self.step.script else HostStatus.FILE_TIMEOUT
            message = "the step's time is up"
        for item in self.board.unfinished:
            self.recorder.apply(HostEvent(name=item.host.name, status=status, message=message))

    def _give_up_stopped(self) -> None:
        """A script that was not confirmed to be dead may run; what had not its turn has not."""
        for item in self.board.left:
            if self.step.script is None or item.batch > self.board.batch:
                event = HostEvent(name=item.host.name, status=HostStatus.TERMINATED)
            else:
                event = HostEvent(
                    name=item.host.name,
                    status=HostStatus.TERMINATE_FAILED,
                    message="the host did not confirm the stop",
                )
            self.recorder.apply(event)
