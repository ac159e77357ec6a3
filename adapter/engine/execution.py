"""The attempts of one step run: Ansible is run on the hosts that have not ended until none is left.

A run of the play gives every host all the time it needs if each can have a fork of its own, else a turn
(engine.turns). A run that broke is tried again, but not for ever.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from adapter.ansible.run_input import RunInput
from adapter.ansible.runner_events import HostEvent
from adapter.engine.batches import Batches
from adapter.engine.board import HostBoard
from adapter.engine.given_files import GivenFilesGone
from adapter.engine.patience import Patience
from adapter.engine.playing import Playing
from adapter.engine.preparation import CannotRun
from adapter.engine.private_data import PrivateData
from adapter.engine.providing import ProvidingEnded
from adapter.engine.recorder import Recorder
from adapter.engine.secret_server import serve_secrets
from adapter.engine.surroundings import HandedOver, Order, Surroundings
from adapter.engine.turns import Turns
from adapter.engine.windows import take_up
from adapter.job.model import Host, StepInstance
from adapter.job.status import HostStatus
from adapter.job.variables import StepVariables

#: Seconds between looks at the job's state while nothing runs.
_LOOK = 0.2
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
    is_first: bool = False  #: nobody has begun this execution of the step before
    taken_up: set[str] = field(default_factory=set)  #: hosts on which scripts start at most once
    playing: Playing = field(init=False)

    def __post_init__(self) -> None:
        self.playing = Playing(
            self.around, self.step, self.board, self.data, self.recorder, is_first=self.is_first
        )

    def until_all_ended(self) -> None:
        """Run the play until every host has ended whose turn it is, again if it broke, but not for ever.

        Batches that follow by themselves are begun. Raises HandedOver.
        """
        if not self.board.unfinished and not self._goes_on():
            return
        try:
            run_input = self.around.preparation.run_input(self.step, self.present, self.variables)
        except CannotRun as error:
            self.playing.problem = str(error)
            self._never_ran()
            return
        given = self.around.placing.placed(self.step, self.data.spool, self.around.logs)
        try:
            with serve_secrets(run_input.secrets, self.around.runtime) as socket, given as files:
                self._provide_files()
                environ = {"ADAPTER_FILE_CACHE": str(files or self.around.providing.cache)}
                self._all_batches(run_input, environ | ({"ADAPTER_SECRETS": str(socket)} if socket else {}))
        except GivenFilesGone as error:
            self.playing.problem = str(error)
            self._never_ran()
        except ProvidingEnded:
            self._never_ran()

    def _provide_files(self) -> None:
        """Those that the service itself has to get. Raises HandedOver, and ProvidingEnded."""
        self.around.providing.provide(self.step, self.data.spool, self.around.logs, self._look)

    def _look(self) -> None:
        order = self.playing.order
        if order is Order.LEAVE:
            raise HandedOver
        if order is Order.STOP or self.playing.is_overdue:
            raise ProvidingEnded

    def _never_ran(self) -> None:
        self.batches.give_up()
        self._give_up_the_rest()

    def _all_batches(self, run_input: RunInput, environ: dict[str, str]) -> None:
        control = self.around.runtime / "cp"
        control.mkdir(mode=0o700, exist_ok=True)
        self.playing.end_earlier_attempts()
        self.data.write(run_input, control)
        environ |= {"ADAPTER_SPOOL": str(self.data.spool)}
        while True:
            self._attempts(run_input, environ)
            self._give_up_the_rest()
            self.recorder.flush()
            if not self._goes_on():
                break
        self.data.widen()

    def _goes_on(self) -> bool:
        """True once a batch more has begun; waits for one whose time comes by the clock. Raises HandedOver."""
        if not self.batches.are_left:
            return False
        while (order := self.playing.order) is Order.GO_ON and self.batches.next_in:
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
        self.playing.begin_anew()

    def _attempts(self, run_input: RunInput, environ: dict[str, str]) -> None:
        patience, turns = Patience(), Turns(run_input.forks)
        while self.board.unfinished and not patience.is_lost:
            if self.batches.next_in == 0:
                self._begin_batch()
            take_up(run_input.windows if self.step.script else (), self.taken_up, self.board, self.recorder)
            if not self.board.unfinished:
                break
            before, self.playing.answers = len(self.board.unfinished), 0
            turn = self._turn(turns, before)
            waiting = {} if turn is None else {"ADAPTER_WAIT": str(turn)}
            outcome = self.playing.attempt(run_input, environ | waiting)
            if self.playing.order is Order.LEAVE and self.board.unfinished:
                self.recorder.flush()
                raise HandedOver
            if self.playing.stopping_since is not None or self.playing.is_overdue:
                break
            ended = before - len(self.board.unfinished)
            was_killed = outcome is not None and outcome.was_killed
            patience.note(is_fruitful=bool(ended or self.playing.answers), was_killed=was_killed)
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
        return self.playing.is_overdue or self.playing.order is not Order.GO_ON

    def _give_up_the_rest(self) -> None:
        if self.playing.order is Order.STOP:
            self._give_up_stopped()
            return
        status = HostStatus.TASK_ERROR
        message = self.playing.problem or "Ansible ended without a word about this host"
        if self.playing.is_overdue:
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
