"""What tests of restarts have in common: scripts that leave marks, process trees, and what is left of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.e2e.jobs import Job, wait_until
from tests.lab import Lab, LabHost
from tests.support.processes import processes_with
from tests.support.service import Service

#: What a host's mark file holds when a script has run exactly once.
ONCE = ["start", "end"]


def marking(name: str, seconds: float) -> str:
    """A script that notes its start and end in $HOME/<name> and prints a line every 0.2 seconds between."""
    return (
        f'echo start >> "$HOME/{name}"\n'
        f"i=1; while [ $i -le {round(seconds * 5)} ]; do echo line $i; sleep 0.2; i=$((i + 1)); done\n"
        f'echo end >> "$HOME/{name}"\n'
    )


def whole_log(seconds: float) -> str:
    """What marking() prints."""
    return "".join(f"line {number}\n" for number in range(1, round(seconds * 5) + 1))


def marks(lab: Lab, host: LabHost, name: str) -> list[str]:
    """The marks a host has."""
    try:
        return lab.read(host, f"{host.home or '/root'}/{name}").decode().split()
    except FileNotFoundError:
        return []


def wait_for_start(lab: Lab, hosts: Iterable[LabHost], name: str) -> None:
    """Return when the script has begun on every host; on a loaded machine it may have ended there by then."""
    for host in hosts:
        wait_until(lambda host=host: marks(lab, host, name), f"{name} to start on {host.name}")


def wait_for_end(lab: Lab, hosts: Iterable[LabHost], name: str) -> None:
    """Return when the script has ended on every host, having run once."""
    for host in hosts:
        wait_until(lambda host=host: ONCE[1] in marks(lab, host, name), f"{name} to end on {host.name}")
        assert marks(lab, host, name) == ONCE, host.name


def ran_once(lab: Lab, job: Job, hosts: Iterable[LabHost], name: str, seconds: float) -> None:
    """Fail unless the marking script ran exactly once on each host, with true states and its whole log."""
    job.succeeded()
    for host in hosts:
        assert marks(lab, host, name) == ONCE, host.name
        assert job.states[host.bk_host_id] == (9, 0, 0)
        assert job.log(host.bk_host_id) == whole_log(seconds)
    assert [step["status"] for step in job.end["step_instance_list"]] == [3]


def is_alive(pid: int) -> bool:
    """True for a process that runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def descendants(pid: int) -> list[int]:
    """Children, their children and so on."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents.setdefault(parent, []).append(int(stat.parent.name))
    found = list(parents.get(pid, []))
    for child in found:
        found.extend(parents.get(child, []))
    return found


def kill_with_children(service: Service) -> None:
    """SIGKILL for the service and everything it started, as when its container or machine goes."""
    assert service.process is not None
    kill_tree(service.process.pid, service.kill)


def kill_tree(pid: int, kill: Callable[[], None]) -> None:
    """`kill` ends the process; all that it started is killed as well."""
    tree = descendants(pid)
    kill()
    for child in tree:
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            continue


def ansible_of(service: Service) -> list[int]:
    """Processes of ansible-playbook that work on the service's data directory."""
    found = processes_with(b"ansible-playbook", os.fsencode(service.data_dir))
    return [pid for pid in found if is_alive(pid)]


def no_ansible_left(service: Service) -> None:
    """Fail if an ansible-playbook of the service goes on although nothing runs."""
    wait_until(lambda: not ansible_of(service), "the end of every ansible-playbook")
