"""Hosts take turns when there are more of them than forks: every script starts at once, every log is live.

Design D4. A host whose turn is over stays unfinished and gets another in the next run of the play, after a pause
that grows while nothing ends.
"""

from __future__ import annotations

#: Seconds of the first turn: enough for a short script.
_FIRST = 1
#: Seconds that a later round of turns is to take, and the shortest and longest turn.
_ROUND, _SHORTEST, _LONGEST = 10, 1, 5
#: Seconds of the pause after a round, when something ended lately and when nothing has for long.
_SHORT_PAUSE, _LONG_PAUSE = 0.5, 10


class Turns:
    """The turns of one execution; `forks` hosts can be spoken to at once."""

    def __init__(self, forks: int) -> None:
        self._forks = forks
        self._rounds = 0
        self._pause = _SHORT_PAUSE

    def next(self, hosts: int) -> float | None:
        """Seconds that each of so many hosts gets in the next run; None: until it ends."""
        if hosts <= self._forks:
            return None
        self._rounds += 1
        return _FIRST if self._rounds == 1 else max(_SHORTEST, min(_LONGEST, _ROUND * self._forks // hosts))

    def pause(self, ended: int) -> float:
        """Seconds to rest after a round in which so many hosts ended."""
        self._pause = max(_SHORT_PAUSE, self._pause / 2) if ended else min(_LONG_PAUSE, self._pause * 2)
        return self._pause
