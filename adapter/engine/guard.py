"""Keeps the plays of a worker from outliving its right to act: beside a frozen or killed worker they would go on,
follow the scripts that another worker follows by then, and tidy up before that one has seen them.

`python -m adapter.engine.guard ARTIFACTS SECONDS` reads its standard input: a byte is a beat. Without one for that
long it kills the plays on ARTIFACTS, until the next beat; at the end of the input too, and then it ends.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from adapter.engine.processes import end_plays

#: Seconds between looks for plays while there is no beat: a worker that wakes may still start one.
_AGAIN = 0.5


class Guard:
    """The worker's end of it."""

    def __init__(self, artifacts: Path, seconds: float) -> None:
        self._command = [sys.executable, "-m", "adapter.engine.guard", str(artifacts), str(seconds)]
        self._process: subprocess.Popen[bytes] | None = None

    def beat(self) -> None:
        """The worker may act; starts the process if there is none (any more)."""
        if self._process is None or self._process.poll() is not None:
            self._close()
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
            )
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b".")
            self._process.stdin.flush()
        except BrokenPipeError:
            return  # it has just died; the next beat starts another

    def stop(self) -> None:
        """End it, and the plays that are left."""
        self._close()

    @property
    def pid(self) -> int | None:
        """Its process, for whoever looks after processes."""
        return None if self._process is None else self._process.pid

    def _close(self) -> None:
        if self._process is None:
            return
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # what it had not read is of no use to anybody now
            self._process.stdin.close()
        self._process.wait(10)
        self._process = None


def main(artifacts: Path, seconds: float) -> None:
    """The process."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # Ctrl-C is the worker's; the input ends when that does
    beaten = _now()
    while True:
        is_late = _now() - beaten > seconds
        if is_late:
            end_plays(artifacts)
        readable, _, _ = select.select([0], [], [], _AGAIN if is_late else beaten + seconds - _now() + 0.01)
        if readable:
            if not os.read(0, 4096):
                end_plays(artifacts)
                return
            beaten = _now()


def _now() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
