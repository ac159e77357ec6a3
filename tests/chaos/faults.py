"""The faults, by name. Each takes the stage and chance, and answers the hosts whose answers it may have cost."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.chaos.stage import Stage, kill, some

Fault = Callable[[Stage, random.Random], set[int]]
_NOBODY: set[int] = set()


def service(stage: Stage, _chance: random.Random) -> set[int]:
    """SIGKILL of the process that serves; its ansible-playbook, if it has any, goes on."""
    stage.restart_api()
    return _NOBODY


def worker(stage: Stage, _chance: random.Random) -> set[int]:
    """SIGKILL of the process that runs jobs, alone."""
    stage.working.kill()
    stage.start_again()
    return _NOBODY


def machine(stage: Stage, _chance: random.Random) -> set[int]:
    """SIGKILL of the process that runs jobs and of all that it started."""
    stage.kill_tree()
    stage.start_again()
    return _NOBODY


def ansible(stage: Stage, chance: random.Random) -> set[int]:
    """SIGKILL of one ansible-playbook, or of all."""
    kill(some(chance, stage.plays()))
    return _NOBODY


def warm(stage: Stage, _chance: random.Random) -> set[int]:
    """SIGKILL of warm Ansible."""
    kill(stage.warm())
    return _NOBODY


def drain(stage: Stage, _chance: random.Random) -> set[int]:
    """SIGTERM of the process that runs jobs, which hands over; and its next start."""
    assert stage.working.stop() == 0
    stage.start_again()
    return _NOBODY


def cable(stage: Stage, chance: random.Random) -> set[int]:
    """A host's cable is cut for a while."""
    host = chance.choice(stage.lab.hosts_of(1))
    stage.lab.cut(host)
    stage.repair_in(stage.cut, lambda: stage.lab.mend(host))
    return {host.bk_host_id}


def sshd(stage: Stage, chance: random.Random) -> set[int]:
    """A host's sshd is restarted, and drops the connections it serves."""
    host = chance.choice(stage.lab.hosts_of(1))
    stage.lab.stop_sshd(host, drop_connections=True)
    stage.lab.start_sshd(host)
    return {host.bk_host_id}


#: What the issue kills.
KILLS: dict[str, Fault] = {
    "service": service,
    "worker": worker,
    "machine": machine,
    "ansible-playbook": ansible,
    "warm Ansible": warm,
}
#: What else happens.
OTHERS: dict[str, Fault] = {"SIGTERM": drain, "cable": cable, "sshd": sshd}
