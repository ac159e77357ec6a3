"""How long a worker may act, and when it may take another for dead.

A worker moves a counter in its row on; others watch it, each by its own clock. One whose counter stands for LEASE
seconds is dead. A worker that could not move it for FENCE seconds, which is less, acts no more: by the time others
take its jobs it has let go of them. No clock of any machine is compared with another's, and none of these is the
clock that people set.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from adapter.store.workers import WorkerRow, WorkerState

#: Seconds between two beats.
BEAT = 2.0
#: Seconds without a beat after which a worker lets go by itself.
FENCE = 7.0
#: Seconds without a beat after which others take over.
LEASE = 12.0
#: Seconds between two looks at the others after which nothing is known of the time between.
_BLIND = 3 * BEAT


def steady() -> float:
    """Seconds that also count while the machine sleeps, and that nobody can set."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Lease:
    """One worker's right to act, while it beats. `is_shared`: others may take over, which SQLite has none of."""

    def __init__(self, *, is_shared: bool, clock: Callable[[], float] = steady) -> None:
        self.is_shared = is_shared
        self._clock = clock
        self._until = float("-inf")
        self._is_over = threading.Event()

    def renew(self, since: float) -> None:
        """A beat that began at `since` was written."""
        self._until = max(self._until, since + FENCE)

    def begin(self, since: float) -> None:
        """A new worker was registered, beginning at `since`."""
        self._until = since + FENCE
        self._is_over.clear()

    def end(self) -> None:
        """The worker may act no more: it goes down, or others took it for dead."""
        self._is_over.set()

    def now(self) -> float:
        """The clock that renew() and begin() want."""
        return self._clock()

    def is_over(self) -> bool:
        """True once the worker must let go of everything; stays true until begin()."""
        if self.is_shared and self._clock() > self._until:
            self._is_over.set()
        return self._is_over.is_set()


@dataclass
class Watch:
    """What one worker knows of the others: since when, by its own clock, each counter stands where it stands."""

    seen: dict[str, tuple[int, float]] = field(default_factory=dict)
    looked_at: float = float("-inf")

    def dead(self, workers: Iterable[WorkerRow], own_id: str, now: float) -> list[WorkerRow]:
        """Those of the workers that are dead, or have left. To be asked at every beat.

        After a gap (the database was away, this process was stopped) every counter counts as just seen: the
        others may have been kept from beating by the same.
        """
        if now - self.looked_at > _BLIND:
            self.seen.clear()
        self.looked_at = now
        dead = []
        known: dict[str, tuple[int, float]] = {}
        for worker in workers:
            beat, since = self.seen.get(worker.id, (worker.beat, now))
            known[worker.id] = (worker.beat, since if beat == worker.beat else now)
            stands = now - known[worker.id][1]
            if worker.id != own_id and (worker.state is WorkerState.LEFT or stands >= LEASE):
                dead.append(worker)
        self.seen = known
        return dead
