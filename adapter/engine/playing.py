"""Playing a step's play: its events are folded in while it goes on, and beside it stop and time are watched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from adapter.ansible import runner_events
from adapter.ansible.run_input import RunInput
from adapter.ansible.runner_events import HostEvent
from adapter.engine.board import HostBoard
from adapter.engine.leftovers import end_leftovers
from adapter.engine.patience import Patience
from adapter.engine.preparation import STEP_PLAYBOOK, STOP_PLAYBOOK
from adapter.engine.private_data import PrivateData
from adapter.engine.recorder import Recorder
from adapter.engine.runner import Outcome, PlaybookRun
from adapter.engine.surroundings import Order, Surroundings
from adapter.job.model import StepInstance
from adapter.job.status import HostStatus
from adapter.store.claims import ClaimLost

log = structlog.get_logger(__name__)

#: Seconds between looks at logs and at the job's state while a run goes on.
_LOOK = 0.2
#: Hosts of a script step that one run of the play is about: of more there are runs one after the other.
_PORTION = 2000
#: Seconds that hosts get to confirm a stop before ansible-playbook is killed.
_STOP_GRACE = 60
#: Seconds past a script's timeout after which its hosts are given up (contract e: JOB waits 300).
_OVERDUE = 300


@dataclass
class Playing:
    """Plays a step's plays, one after the other, and remembers that they are to stop."""

    around: Surroundings
    step: StepInstance
    board: HostBoard
    data: PrivateData
    recorder: Recorder
    is_first: bool = False  #: nobody has begun this execution of the step before
    begun: set[str] = field(default_factory=set)  #: hosts that a run of the play was about
    stopping_since: float | None = None
    is_terminated: bool = False
    problem: str = ""
    answers: int = 0  #: results of hosts in this attempt, also of those that have not ended
    unconfirmed: dict[str, HostEvent] = field(
        default_factory=dict
    )  #: what Ansible says of hosts that are to stop
    deadline: float = field(init=False)  #: by time.monotonic(): a clock that jumps changes nothing

    def __post_init__(self) -> None:
        self._renew_deadline()

    def begin_anew(self) -> None:
        """Other hosts have their turn: they get the step's whole time, whatever became of those before."""
        self.stopping_since = None
        self.recorder.spool.go_on()
        self._renew_deadline()

    def _renew_deadline(self) -> None:
        grace = _OVERDUE + len(self.board.results) if self.step.script else 0
        self.deadline = time.monotonic() + self.step.timeout + grace

    @property
    def order(self) -> Order:
        """What is to become of the step now."""
        return self.around.order(self.step)

    def attempt(self, run_input: RunInput, environ: dict[str, str]) -> Outcome | None:
        """One run of the play on the hosts that have not ended, or one on each portion of very many."""
        outcome = None
        for number, names in enumerate(self._portions(run_input)):
            if number and (self._ends_early or _broke(outcome)):
                break
            self.begun |= names
            outcome = self._play(STEP_PLAYBOOK, "run", environ, self._narrowed(run_input, names))
            self.recorder.take_recorded(names)
        if self.is_terminated and self.step.script is not None:
            self._end_untouched()
            self._stop(run_input, environ)
        self.recorder.take_spool()
        if outcome is not None and outcome.problem and outcome.status != "canceled":
            self.problem = outcome.problem
            log.warning("run_broke", step_instance_id=self.step.id, status=outcome.status, rc=outcome.rc)
        return outcome

    @property
    def _ends_early(self) -> bool:
        return self.stopping_since is not None or self.is_overdue or self.order is not Order.GO_ON

    def _portions(self, run_input: RunInput) -> Iterator[set[str]]:
        """The hosts that have not ended, as many at once as a run is about: Ansible reads them all before any.

        A portion has at least as many as there are forks: then these hosts have turns, and no run takes long.
        """
        left = [item.host.name for item in self.board.unfinished]
        size = len(left) if self.step.script is None else max(_PORTION, run_input.forks)
        for start in range(0, len(left), size):
            yield set(left[start : start + size])

    def _narrowed(self, run_input: RunInput, names: set[str]) -> Path | None:
        """The inventory of a run about these targets; None: the whole one."""
        wanted = names | run_input.sources
        return (
            None if len(wanted) == len(run_input.hosts) else self.data.narrow_to(run_input.inventory, wanted)
        )

    def _end_untouched(self) -> None:
        """Hosts that no run of the play was about, ever: nothing can be left of the script there."""
        if self.is_first:
            for item in self.board.unfinished:
                if item.host.name not in self.begun:
                    self.recorder.apply(HostEvent(name=item.host.name, status=HostStatus.TERMINATED))

    def _stop(self, run_input: RunInput, environ: dict[str, str]) -> None:
        """Kill the scripts; again if the play broke, and not for ever.

        A host that cannot be reached is tried once more: somebody may have killed its ssh, and its script runs.
        """
        patience, is_again = Patience(), False
        while not patience.is_lost:
            outcome = None
            for names in self._portions(run_input):
                outcome = self._play(STOP_PLAYBOOK, "stop", environ, self._narrowed(run_input, names))
                self.recorder.take_recorded(names)
                if self._stopping_too_long() or _broke(outcome):
                    break
            left = {item.host.name for item in self.board.unfinished}
            if outcome is None or not left:
                break
            if not outcome.problem and (is_again or not left & set(self.unconfirmed)):
                break
            is_again = not outcome.problem
            patience.note(is_fruitful=is_again, was_killed=outcome.was_killed)
        for event in self.unconfirmed.values():
            self.recorder.apply(event)

    def end_earlier_attempts(self) -> None:
        """End what an ansible-playbook that was killed or left has left behind."""
        if (self.data.path / "artifacts").exists():
            ended = end_leftovers(self.data.path)
            if ended:
                log.info("ended_leftovers", step_instance_id=self.step.id, processes=ended)

    def _play(
        self, playbook: str, prefix: str, environ: dict[str, str], inventory: Path | None
    ) -> Outcome | None:
        """Fold a run's events while it goes on; looks after stop, handover and the deadline beside it."""
        run = PlaybookRun(self.data, playbook, prefix, environ, self.around.warm, inventory)
        self._look_after(run)
        if run.is_cancelled:  # asked for while nobody ran: nothing is started any more
            return None
        run.start()
        try:
            for batch in run.events(_LOOK):
                for raw in batch:
                    self._fold(raw)
                self.recorder.take_news()
                self.recorder.flush()
                self._look_after(run)
        except ClaimLost:
            run.cancel()  # the job is another's, who need not go on with this step
            raise
        outcome = run.outcome
        if outcome is not None and (outcome.problem or outcome.status in ("canceled", "error")):
            self.end_earlier_attempts()  # ansible-playbook was killed or left, its workers were not
        return run.outcome

    def _fold(self, raw: dict[str, Any]) -> None:
        event = runner_events.parse(raw)
        if event is None:
            return
        if self.is_terminated and self.step.script is not None and not event.is_answer:
            self.unconfirmed[event.name] = event  # the stop play has the last word
            return
        self.answers += event.is_answer
        self.recorder.apply(event)

    def _look_after(self, run: PlaybookRun) -> None:
        order = self.order
        if order is Order.LEAVE:
            run.cancel()
        elif self.stopping_since is None:
            if order is Order.STOP:
                self._terminate(run)
            elif self.is_overdue:
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

    @property
    def is_overdue(self) -> bool:
        """True once the step has had its time."""
        return time.monotonic() > self.deadline


def _broke(outcome: Outcome | None) -> bool:
    """True if a run has said nothing, or not all, of its hosts. One that is just being wound up has no outcome."""
    return outcome is not None and bool(outcome.problem)
