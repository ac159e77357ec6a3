"""The real clock; everything else gets one as an argument, so that tests can tell the time."""

from __future__ import annotations

import time


class SystemClock:
    """The time of this machine."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000
