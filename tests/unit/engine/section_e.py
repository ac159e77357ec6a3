"""Section e of the contract as a small model: what jobs, steps and hosts read after anything that can happen.

Written from the contract, not from the code: no part of the service is used. Serial batches only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

WAITING, RUNNING, SUCCESS, FAILED, SKIPPED, IGNORED, ASKS = 1, 2, 3, 4, 5, 6, 7
ABNORMAL, STOPPING, STOPPED, REFUSED = 9, 10, 11, 13
PASSED = (SUCCESS, SKIPPED, IGNORED)
ENDED = (FAILED, ABNORMAL, STOPPED)

HOST_WAITS, HOST_RUNS, HOST_OK, LOG_ERROR, KILLED, UNKNOWN = 5, 7, 9, 15, 403, 500
UNFINISHED = (HOST_WAITS, HOST_RUNS)
PAUSE_ON_FAIL, GO_ON, BY_HAND = 1, 2, 3


@dataclass(eq=False)
class ModelHost:
    """One host in the latest execution; `executed_in` is the execution its result is of."""

    status: int = HOST_WAITS
    batch: int = 0
    executed_in: int = 0

    def end(self, status: int) -> None:
        """Unless it has ended."""
        if self.status in UNFINISHED:
            self.status = status


@dataclass(eq=False)
class ModelStep:
    """One step; a mode only if it rolls."""

    hosts: list[ModelHost] = field(default_factory=list)
    is_approval: bool = False
    ignore_error: bool = False
    mode: int = 0
    status: int = WAITING
    execution: int = 0
    batch: int = 0

    @property
    def has_next_batch(self) -> bool:
        """True if some hosts have not had their turn."""
        return any(host.batch > self.batch for host in self.hosts)

    def due(self) -> list[ModelHost]:
        """Hosts that have their turn and have not ended."""
        return [host for host in self.hosts if host.batch <= self.batch and host.status in UNFINISHED]

    def verdict(self, stopped: bool) -> int:
        """How it ends: by its last batch, by all hosts if it was terminated."""
        counting = self.hosts if stopped else [host for host in self.hosts if host.batch == self.batch]
        if all(host.status == HOST_OK for host in counting):
            return SUCCESS
        if stopped or any(host.status == KILLED for host in counting):
            return STOPPED
        return IGNORED if self.ignore_error or self.mode == GO_ON else FAILED


@dataclass
class Model:
    """A job. Operations answer whether they are legal, and change nothing where they are not."""

    steps: list[ModelStep]
    started: bool = True
    job: int = WAITING

    # --- the engine ------------------------------------------------------------------------------------

    def current(self) -> ModelStep | None:
        """The first step that the job has not passed."""
        return next((step for step in self.steps if step.status not in PASSED), None)

    def run(self) -> None:
        """What a worker does by itself, up to where hosts are at work or a person is asked."""
        if self.job == WAITING and self.started:
            self.job = RUNNING
        while self.job == RUNNING:
            step = self.current()
            if step is None:
                self.job = SUCCESS
            elif step.status in ENDED:
                self.job = step.status
            elif step.is_approval:
                step.status = self.job = ASKS
            else:
                step.status = RUNNING
                if step.due():
                    return
                self._after_batch(step)
        if self.job == STOPPING:
            self._run_to_its_stop()

    def _after_batch(self, step: ModelStep) -> None:
        failed = any(host.status != HOST_OK for host in step.hosts if host.batch == step.batch)
        if not step.has_next_batch or (failed and step.mode != GO_ON):
            step.status = step.verdict(stopped=False)
        elif step.mode == BY_HAND:
            step.status = self.job = ASKS
        else:
            step.batch += 1

    def _run_to_its_stop(self) -> None:
        step = self.current()
        if step is not None and step.status == STOPPING:
            if step.due():
                return
            self._kill(step)
            step.status = step.verdict(stopped=True)
            step = self.current()
        if step is not None and step.status == WAITING:  # it was to begin: the job can be taken up there
            self._kill(step)
            step.status = STOPPED
        self.job = STOPPED

    def _kill(self, step: ModelStep, status: int = KILLED) -> None:
        for host in step.hosts:
            host.end(status)

    # --- hosts and workers -----------------------------------------------------------------------------

    def host_begins(self, host: ModelHost) -> None:
        """Ansible has taken it up."""
        host.status = HOST_RUNS

    def host_ends(self, host: ModelHost, status: int) -> None:
        """With this; the worker goes on."""
        host.end(status)
        self.run()

    def hosts_stop(self, due: int) -> None:
        """The worker has seen the stop: hosts that had their turn end so, the others were never begun."""
        step = self.current()
        assert step is not None
        for host in step.due():
            host.end(due)
        self.run()

    def breaks(self) -> None:
        """The service fails over the step."""
        step = self.current()
        assert step is not None
        self._kill(step, LOG_ERROR)
        step.status = ABNORMAL
        self.job = STOPPED if self.job == STOPPING else ABNORMAL

    # --- operations ------------------------------------------------------------------------------------

    def start(self) -> bool:
        """Job operation 2."""
        legal = self.job == WAITING and not self.started
        self.started = self.started or legal
        return legal

    def terminate(self) -> bool:
        """Job operation 1."""
        if self.job not in (RUNNING, ASKS) and not (self.job == WAITING and self.started):
            return False
        self.job = STOPPING
        for step in self.steps:
            if step.status == RUNNING:
                step.status = STOPPING
            elif step.status == ASKS:
                step.status = STOPPED
                self._kill(step)
        return True

    def operate(self, code: int, step: ModelStep) -> bool:
        """A step operation: 2, 3, 6, 8, 9, 10, 11, 12 or 13."""
        legal = {
            2: not step.is_approval and step.status in ENDED,
            3: step.status in (FAILED, ABNORMAL),
            6: step.is_approval and step.status == ASKS,
            10: step.is_approval and step.status == REFUSED,
            11: step.status == STOPPED,
            12: step.status == STOPPING,
            13: step.has_next_batch and step.status == ASKS,
        }
        legal |= {8: legal[2], 9: legal[6]}
        if legal[code]:
            self._do(code, step)
        return legal[code]

    def _do(self, code: int, step: ModelStep) -> None:
        if code in (2, 8):
            self._retry(step, all_of_them=code == 8)
        elif code == 3:
            self._ignore(step)
        elif code in (6, 9):
            step.status, self.job = (SUCCESS, RUNNING) if code == 6 else (REFUSED, REFUSED)
        elif code == 10:
            step.status = self.job = ASKS
        elif code in (11, 12):
            self._skip(step)
        else:
            self._next_batch(step)

    def _retry(self, step: ModelStep, *, all_of_them: bool) -> None:
        step.execution += 1
        for host in step.hosts:
            in_turn = host.batch == step.batch
            if (in_turn and (all_of_them or host.status != HOST_OK)) or host.status in UNFINISHED:
                host.status, host.executed_in = HOST_WAITS, step.execution
        step.status, self.job = WAITING, RUNNING

    def _ignore(self, step: ModelStep) -> None:
        if step.status == ABNORMAL:
            return  # taken, without effect
        if step.has_next_batch:
            self._next_batch(step)
        else:
            step.status, self.job = IGNORED, RUNNING

    def _skip(self, step: ModelStep) -> None:
        if step.status == STOPPING:
            self._kill(step, UNKNOWN)
        step.status, self.job = SKIPPED, RUNNING

    def _next_batch(self, step: ModelStep) -> None:
        step.batch += 1
        step.status, self.job = WAITING, RUNNING
