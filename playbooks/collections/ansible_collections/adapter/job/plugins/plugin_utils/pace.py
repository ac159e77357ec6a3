# SPDX-License-Identifier: GPL-3.0-or-later
"""The pace of a transfer: its piece size, its speed limit, its progress, and the moment it is told to stop."""

from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure
from ansible_collections.adapter.job.plugins.plugin_utils.spool import Spool

#: Offsets of pieces are multiples of this, as files.sh wants them.
BLOCK = 64 * 1024
_PIECE = 4 * 1024 * 1024
#: Seconds between looks at the spool, and between words on how far a file has come.
_CHECKS = 0.25
_WORDS = 1.0
#: Seconds for which a host that was reached before is tried again.
_PATIENCE = 300


class Stopped(Exception):
    """The job was terminated or its time is up; the text is the state: "terminated" or "timeout"."""


class Pace:
    """Measures and limits one file on one host. `limit` is bytes a second, 0 is unlimited."""

    def __init__(self, spool: Spool, limit: int, start: int = 0) -> None:
        self._spool = spool
        self._limit = limit
        self._began = time.monotonic()
        self._start = start
        self._checked = self._spoke = 0.0
        #: Bytes to move at a time; with a limit a fraction of a second's worth, so that it stays even.
        self.piece = min(_PIECE, max(BLOCK, limit // 4 // BLOCK * BLOCK)) if limit else _PIECE
        self.check()

    def sent(self, total: int) -> None:
        """Called with the bytes there are so far: waits as long as the limit asks. Raises Stopped."""
        self.check()
        if self._limit:
            ahead = (total - self._start) / self._limit - (time.monotonic() - self._began)
            while ahead > 0:
                time.sleep(min(ahead, 2 * _CHECKS))
                ahead -= 2 * _CHECKS
                self.check()

    def speed(self, total: int) -> int:
        """Bytes a second so far."""
        return int(max(0, total - self._start) / max(time.monotonic() - self._began, 0.001))

    def is_time_to_speak(self) -> bool:
        """True at most once a second."""
        now = time.monotonic()
        if now - self._spoke < _WORDS:
            return False
        self._spoke = now
        return True

    def check(self) -> None:
        """Raises Stopped soon after the spool says so; cheap enough to be called for every piece."""
        now = time.monotonic()
        if now - self._checked < _CHECKS:
            return
        self._checked = now
        reason = self._spool.stop_reason()
        if reason:
            raise Stopped("timeout" if reason == "timeout" else "terminated")

    def wait(self) -> None:
        """A moment for what others do. Raises Stopped."""
        time.sleep(2 * _CHECKS)
        self.check()


class Patience:
    """Waits for a host whose connection broke, if it was there before and for as long as that makes sense."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._since: float | None = None
        self._pause = 0.0
        self._was_reached = False

    def reached(self) -> None:
        """The host has answered, or bytes have moved."""
        self._was_reached = True
        self._since = None
        self._pause = 0.0

    def lost(self, error: AnsibleConnectionFailure) -> None:
        """Returns when it is time to try again; raises the error when it is not, and Stopped."""
        now = time.monotonic()
        self._since = self._since or now
        is_hopeless = isinstance(error, AnsibleAuthenticationFailure) or not self._was_reached
        if is_hopeless or now - self._since > _PATIENCE:
            raise error
        pace = Pace(self._spool, 0)
        until = now + self._pause
        self._pause = min(10.0, self._pause * 2 or 0.5)
        while time.monotonic() < until:
            pace.wait()

    def keep(self, ask: Any, *args: Any, **kwargs: Any) -> Any:
        """`ask(...)`, again until the host answers. Only for what may be asked twice."""
        while True:
            try:
                answer = ask(*args, **kwargs)
            except AnsibleConnectionFailure as error:
                self.lost(error)
            else:
                self.reached()
                return answer
