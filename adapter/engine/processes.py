"""Finds and ends the Ansible processes that work on private data directories. Only where there is /proc.

Imports nothing but the standard library: engine.guard is a process of its own that should stay small.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

_PROCESSES = Path("/proc")
#: Seconds for the kernel to be done with processes that were killed.
_GONE_WITHIN = 5.0


def end_plays(root: Path) -> tuple[int, list[int]]:
    """Kill every ansible-playbook that works for a service on a private data directory at or below `root`.

    How many there were, and those that do not end. One that a person started by hand has no spool and is left
    alone. With each go its connections, but not what it runs on this machine: that is a job's script.
    """
    ended = 0
    until = time.monotonic() + _GONE_WITHIN
    while found := list(_plays(os.fsencode(root))):
        # Connections last: a worker that saw its own die would take that for the host's answer.
        for pid in [*found, *list(_connections_of(found))]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        ended = max(ended, len(found))
        if time.monotonic() > until:
            return ended, found
        time.sleep(0.02)
    return ended, []


def _plays(root: bytes) -> Iterator[int]:
    for process in _PROCESSES.glob("[0-9]*"):
        words = _zero_separated(process / "cmdline")
        if _is_warm(words):
            is_play = _is_below(_directory(process), root)
        else:
            is_ansible = any(word.endswith(b"/ansible-playbook") for word in words[:2])
            is_agent = words[0].rpartition(b"/")[2] == b"ssh-agent"  # Ansible's own, for keys of accounts
            is_play = (is_ansible or is_agent) and _is_below(_spool(process), root)
        if is_play:
            yield int(process.name)


def _is_below(path: bytes, root: bytes) -> bool:
    return path.startswith(root + b"/")


def _spool(process: Path) -> bytes:
    """The spool it writes to, of its private data directory; b"" for none."""
    variable = b"ADAPTER_SPOOL="
    for item in _zero_separated(process / "environ"):
        if item.startswith(variable):
            return item.removeprefix(variable)
    return b""


def _is_warm(words: list[bytes]) -> bool:
    """A child of the warm server has the server's command line and environment, but the run's directory."""
    return any(word.endswith(b"/warm/server.py") for word in words[1:2])


def _directory(process: Path) -> bytes:
    try:
        return os.fsencode((process / "cwd").readlink())
    except OSError:
        return b""


def _connections_of(pids: list[int]) -> Iterator[int]:
    for process in _PROCESSES.glob("[0-9]*"):
        if _zero_separated(process / "cmdline")[0].rpartition(b"/")[2] in (b"ssh", b"sshpass"):
            stat = _zero_separated(process / "stat")[0].rpartition(b")")[2].split()
            if len(stat) > 1 and int(stat[1]) in pids:
                yield int(process.name)


def _zero_separated(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\0")
    except OSError:  # it ended, or is somebody else's
        return [b""]
