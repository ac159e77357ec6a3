"""What the services and workers of the tests logged last: the reason that a wait in vain does not know itself."""

from __future__ import annotations

import os
from pathlib import Path

#: The newest processes, and how much of each one's log is told.
_PROCESSES = 4
_CHARACTERS = 1500

_logs: list[Path] = []


def logs_to(path: Path) -> None:
    """A process starts that logs to this file."""
    if path in _logs:
        _logs.remove(path)
    _logs.append(path)


def last_words() -> str:
    """The end of the log of each process that was started last, the newest last; and how loaded the machine is."""
    told = [f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"]
    for path in [path for path in _logs if path.exists()][-_PROCESSES:]:
        told.append(f"--- {path}\n{path.read_text(errors='replace')[-_CHARACTERS:]}")
    return "\n".join(told)
