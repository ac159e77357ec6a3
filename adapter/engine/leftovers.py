"""Ansible processes that an earlier attempt at a step left behind: a killed service leaves ansible-playbook, and
a killed ansible-playbook leaves its workers, which have sessions of their own.

They must end before the next attempt begins. Two that follow one host would both spool its log, and whoever
comes second would find the run removed from the host.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

_PROCESSES = Path("/proc")
#: Seconds for the kernel to be done with processes that were killed.
_GONE_WITHIN = 5.0


def end_leftovers(private_data: Path, spool: Path) -> int:
    """Kill every ansible-playbook that works on this directory for a service; how many there were.

    One that a person started by hand has no spool and is left alone. With each go its connections, but not what
    it runs on this machine: that is a job's script, which goes on. Only where there is /proc.
    """
    ended = 0
    until = time.monotonic() + _GONE_WITHIN
    while found := list(_leftovers(private_data, spool)):
        # Connections last: a worker that saw its own die would take that for the host's answer.
        for pid in [*found, *list(_connections_of(found))]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        ended = max(ended, len(found))
        if time.monotonic() > until:
            log.warning("leftovers_stay", pids=found)
            break
        time.sleep(0.02)
    return ended


def _leftovers(private_data: Path, spool: Path) -> Iterator[int]:
    inventory = os.fsencode(private_data / "inventory")
    variable = b"ADAPTER_SPOOL=" + os.fsencode(spool)
    for process in _PROCESSES.glob("[0-9]*"):
        words = _zero_separated(process / "cmdline")
        if _is_warm(words):
            is_leftover = _directory(process) == private_data / "project"
        else:
            is_ansible = any(word.endswith(b"/ansible-playbook") for word in words[:2]) and inventory in words
            is_agent = words[0].rpartition(b"/")[2] == b"ssh-agent"  # Ansible's own, for keys of accounts
            is_leftover = (is_ansible or is_agent) and variable in _zero_separated(process / "environ")
        if is_leftover:
            yield int(process.name)


def _is_warm(words: list[bytes]) -> bool:
    """A child of the warm server has the server's command line and environment, but the run's directory."""
    return any(word.endswith(b"/warm/server.py") for word in words[1:2])


def _directory(process: Path) -> Path | None:
    try:
        return (process / "cwd").readlink()
    except OSError:
        return None


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
