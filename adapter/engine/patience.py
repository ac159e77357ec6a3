"""How often a run that brought nothing is tried again.

A run that breaks says why, and says it again each time. One that was killed says nothing about the step: whoever
killed it (the kernel, for memory; a person) may be done with it in a moment, and scripts go on on their hosts.
"""

from __future__ import annotations

#: Runs in a row that bring nothing of any host before the rest is given up: broken ones, killed ones.
_BROKEN, _KILLED = 3, 10
#: Seconds before the next run at most, once it was killed twice.
_LONGEST_PAUSE = 15


class Patience:
    """Of one step, with the runs of its play."""

    def __init__(self) -> None:
        self._broken = self._killed = 0

    def note(self, *, is_fruitful: bool, was_killed: bool) -> None:
        """How a run went; a fruitful one brought something of a host."""
        if is_fruitful:
            self._broken = self._killed = 0
        elif was_killed:
            self._killed += 1
        else:
            self._broken += 1

    @property
    def is_lost(self) -> bool:
        """True once nobody should try again."""
        return self._broken >= _BROKEN or self._killed >= _KILLED

    @property
    def is_tried(self) -> bool:
        """True after a run that brought nothing."""
        return self._broken + self._killed > 0

    @property
    def pause(self) -> float:
        """Seconds before the next run."""
        return 0 if self._killed < 2 else min(_LONGEST_PAUSE, 2.0 ** (self._killed - 2))
