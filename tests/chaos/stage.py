"""What faults happen to: hosts, a service and its worker, in one process or apart, over one data directory."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.e2e.restarts import descendants, is_alive, kill_tree
from tests.lab import Lab
from tests.support.nodes import WorkerNode
from tests.support.service import Service

#: As the product has them, but kept connections do not outlive a run for long.
_SSH = (
    "-o ControlMaster=auto -o ControlPersist=2s -o ConnectTimeout=10"
    " -o ServerAliveInterval=10 -o ServerAliveCountMax=3"
)
#: Seconds that a process may take to start: beside scripts on many hosts of one small machine.
_PATIENCE = 240


class Stage:
    """A running service over a lab. `apart`: the API and the worker are two processes.

    `cut` is the seconds that a cable is cut for.
    """

    def __init__(self, lab: Lab, data_dir: Path, *, apart: bool, cut: float) -> None:
        self.lab = lab
        self.cut = cut
        environment = {"ANSIBLE_SSH_ARGS": _SSH}
        options = ("--drain-seconds", "2")
        self.api = Service(
            data_dir=data_dir,
            inventory=lab.inventory,
            options=("--no-worker", *options) if apart else options,
            environment=environment,
        )
        self.worker = WorkerNode(data_dir, lab.inventory, options, environment) if apart else None
        self._repairs: list[tuple[float, Callable[[], None]]] = []

    def start(self, begin: Callable[[Service], object]) -> None:
        """`begin` starts the service for the first time, with an application and the account `root`."""
        begin(self.api)
        if self.worker is not None:
            self.worker.start(_PATIENCE)

    def start_again(self) -> None:
        """The process that runs jobs."""
        self.working.start(_PATIENCE)

    def stop(self) -> None:
        """Mend everything and end the processes."""
        self.mend()
        if self.worker is not None:
            self.worker.stop()
        self.api.stop()

    @property
    def working(self) -> Service | WorkerNode:
        """The process that runs jobs."""
        return self.worker or self.api

    @property
    def pid(self) -> int:
        """Of the process that runs jobs."""
        process = self.working.process
        assert process is not None
        return process.pid

    def restart_api(self) -> None:
        """SIGKILL for the process that serves, and its next start."""
        self.api.kill()
        self.api.start(_PATIENCE)

    def kill_tree(self) -> None:
        """SIGKILL for the process that runs jobs and all that it started."""
        kill_tree(self.pid, self.working.kill)

    # --- processes of Ansible ----------------------------------------------------------------------------

    def warm(self) -> list[int]:
        """Warm Ansible's server."""
        return [pid for pid in descendants(self.pid) if _is_warm(pid) and _parent(pid) == self.pid]

    def plays(self) -> list[int]:
        """Every ansible-playbook: plain, a client of the warm one, or a child of that."""
        servers = self.warm()
        everyone = descendants(self.pid)
        warm = [pid for pid in everyone if _is_warm(pid) and _parent(pid) in servers]
        return warm + [pid for pid in everyone if _is_playbook(pid) and not _is_playbook(_parent(pid))]

    # --- time ----------------------------------------------------------------------------------------------

    def repair_in(self, seconds: float, repair: Callable[[], None]) -> None:
        """Undo a fault later, while others happen."""
        self._repairs.append((time.monotonic() + seconds, repair))

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            self._repair(now)
            time.sleep(min(0.1, until - now))

    def mend(self) -> None:
        """Wait for every repair that is to come."""
        while self._repairs:
            self.pause(0.2)

    def _repair(self, now: float) -> None:
        due = [item for item in self._repairs if item[0] <= now]
        self._repairs = [item for item in self._repairs if item[0] > now]
        for _, repair in due:
            repair()


def begin_anew(api: Service) -> None:
    """Over an empty data directory, by its commands."""
    api.start(_PATIENCE)
    api.new_credentials()
    api.apply('scope: {type: biz, id: "1"}\naccounts: [{alias: root, account: root}]\n')


def kill(pids: list[int]) -> int:
    """SIGKILL; how many there still were."""
    killed = 0
    for pid in pids:
        if is_alive(pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            killed += 1
    return killed


def some(chance: random.Random, pids: list[int]) -> list[int]:
    """One of them or all."""
    return pids if not pids or chance.random() < 0.5 else [chance.choice(pids)]


def _words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _is_warm(pid: int) -> bool:
    return b"/warm/server.py\0" in _words(pid)


def _is_playbook(pid: int) -> bool:
    return b"/ansible-playbook\0" in b"\0".join(_words(pid).split(b"\0")[:2]) + b"\0"


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0
