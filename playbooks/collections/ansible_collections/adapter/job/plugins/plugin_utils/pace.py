# SPDX-License-Identifier: GPL-3.0-or-later
"""The pace of a transfer: its piece size, its speed limit, and the moment it is told to stop."""

from __future__ import annotations

import time

from ansible_collections.adapter.job.plugins.plugin_utils.spool import Spool

_PIECE = 4 * 1024 * 1024


class Stopped(Exception):
    """The job was terminated or its time is up; the text is the state: "terminated" or "timeout"."""


class Pace:
    """Measures and limits one file on one host. `limit` is bytes a second, 0 is unlimited."""

    def __init__(self, spool: Spool, limit: int) -> None:
        self._spool = spool
        self._limit = limit
        self._began = time.monotonic()
        #: Bytes to move at a time; with a limit no more than a second's worth, so that it stays even.
        self.piece = min(_PIECE, limit) if limit else _PIECE
        self.check()

    def sent(self, total: int) -> None:
        """Called with the bytes moved so far: waits as long as the limit asks. Raises Stopped."""
        self.check()
        if self._limit:
            ahead = total / self._limit - (time.monotonic() - self._began)
            while ahead > 0:
                time.sleep(min(ahead, 1))
                ahead -= 1
                self.check()

    def speed(self, total: int) -> int:
        """Bytes a second so far."""
        return int(total / max(time.monotonic() - self._began, 0.001))

    def check(self) -> None:
        """Raises Stopped once the spool says so."""
        reason = self._spool.stop_reason()
        if reason:
            raise Stopped("timeout" if reason == "timeout" else "terminated")
