"""The batches of a rolling step while it runs: which hosts have their turn, and when the next ones do (contract e).

Serial batches follow each other; parallel ones begin by the clock, whether those before have ended or not. What has
begun is in the store: whoever goes on with the step goes on with its last batch, and begins its waits anew.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from adapter.engine.board import HostBoard
from adapter.job.model import HostResult, StepInstance
from adapter.job.rolling import Following


@dataclass
class Batches:
    """Of one step run; a step without batches has one that never ends in another. `store` keeps what begins."""

    step: StepInstance
    board: HostBoard
    store: Callable[[int], None]
    _next_at: float = field(init=False)  #: by time.monotonic(): when the next parallel batch begins
    _first: int = field(init=False)  #: the batch this run began with: failures before it were ignored

    def __post_init__(self) -> None:
        self._first = self.board.batch
        self._next_at = time.monotonic() + self._wait()

    @property
    def next_in(self) -> float | None:
        """Seconds until the next batch begins by the clock; None: by no clock."""
        rolling = self.step.rolling
        if rolling is None or not rolling.is_parallel or self._following() is not Following.NEXT_BATCH:
            return None
        return max(0.0, self._next_at - time.monotonic())

    @property
    def are_left(self) -> bool:
        """True if some hosts have not had their turn."""
        return self.step.rolling is not None and self.board.batch < self.step.rolling.batches

    @property
    def follow_by_themselves(self) -> bool:
        """True if the next batch is nobody's to begin."""
        return self._following() is Following.NEXT_BATCH

    def begin_next(self) -> None:
        """Give the hosts of the next batch their turn."""
        self.store(self.board.batch + 1)
        self.board.batch += 1
        self._next_at = time.monotonic() + self._wait()

    @property
    def waits_for_operator(self) -> bool:
        """True if the next batch is an operator's to begin."""
        return self._following() is Following.AN_OPERATOR

    @property
    def counting(self) -> tuple[HostResult, ...]:
        """The hosts that decide how the step ends: where failures are ignored, those of the last batch."""
        rolling = self.step.rolling
        if rolling is not None and rolling.ignores_failures:
            return self.board.of_batch
        return tuple(item for item in self.board.results if self._first <= item.batch <= self.board.batch)

    def give_up(self) -> None:
        """Every host has its turn: to be ended, whatever its batch."""
        if self.step.rolling is not None:
            self.board.batch = self.step.rolling.batches

    def _following(self) -> Following:
        if self.step.rolling is None:
            return Following.NOTHING
        has_failed = any(item.status.is_finished and not item.status.is_success for item in self.counting)
        return self.step.rolling.after(self.board.batch, has_failed=has_failed)

    def _wait(self) -> float:
        rolling = self.step.rolling
        if rolling is None:
            return 0.0
        spread = random.uniform(rolling.wait_random_min_ms, rolling.wait_random_max_ms)  # noqa: S311 no secret
        return (rolling.wait_fixed_ms + spread) / 1000
