"""Memory and processor time of a service with everything it started, read from /proc."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

_TICKS = os.sysconf("SC_CLK_TCK")
_PAUSE = 0.25  # seconds between samples
_MB = 1_000_000


def of_service(pid: int, marks: Iterable[str]) -> list[int]:
    """`pid`, all its descendants, and processes that left it but have one of `marks` in their command line.

    An ssh that keeps a connection becomes nobody's child; its control path says whose it is.
    """
    children: dict[int, list[int]] = {}
    marked: set[int] = set()
    wanted = [mark.encode() for mark in marks]
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
            line = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if any(mark in line for mark in wanted):
            marked.add(int(entry.name))
    found: set[int] = set()
    waiting = [pid, *(marked - {os.getpid()})]
    while waiting:
        if (one := waiting.pop()) not in found:
            found.add(one)
            waiting += children.get(one, [])
    return sorted(found)


def pss(pids: Iterable[int]) -> float:
    """MB of memory that is theirs: each page shared among n processes counts 1/n (PSS of smaps_rollup)."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue  # it has just ended
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total * 1024 / _MB


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor time they have used so far, with that of children they have waited for."""
    total = 0
    for pid in pids:
        try:
            total += sum(int(number) for number in _stat(pid)[11:15])
        except OSError:
            continue
    return total / _TICKS


def _stat(pid: int) -> list[str]:
    """The fields after the name: state, parent, …"""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


@dataclass
class MemoryPeak:
    """Samples a service four times a second while it is entered; then `mb` is the largest sum of PSS.

    `own_mb` is the largest of the process alone, without what it started.
    """

    pid: int
    marks: tuple[str, ...]
    mb: float = 0.0
    own_mb: float = 0.0
    processes: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> MemoryPeak:
        self._thread = threading.Thread(target=self._sample_on, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _sample_on(self) -> None:
        while True:
            pids = of_service(self.pid, self.marks)
            self.mb = max(self.mb, pss(pids))
            self.own_mb = max(self.own_mb, pss([self.pid]))
            self.processes = max(self.processes, len(pids))
            if self._stop.wait(_PAUSE):
                return
