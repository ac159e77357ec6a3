"""What anybody can see of processes: their command lines, and for their owner their environments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.lab import Lab, LabHost

#: Of each process a line, the two in hex: they have NUL characters in them.
_LOOK = r"""
cd /proc
hex() { od -An -v -tx1 "$1" | tr -d ' \n'; }
for process in [0-9]*; do
    echo "$process $(hex "$process/cmdline") $(hex "$process/environ")"
done 2> /dev/null
"""


def processes_with(*parts: bytes) -> list[int]:
    """Pids of the processes that have all of these in their command line, whose words end with NUL."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
            if all(part in line for part in parts):
                found.append(int(path.parent.name))
        except OSError:
            continue  # it has ended
    return found


def controller_processes() -> Iterator[tuple[str, bytes, bytes]]:
    """Pid, command line and environment of all that runs on the controller; hosts have processes of their own."""
    mine = Path("/proc/self/ns/pid").readlink()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "ns/pid").readlink() == mine:
                yield process.name, (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            continue  # it has ended


def host_processes(lab: Lab, host: LabHost) -> Iterator[tuple[str, bytes, bytes]]:
    """The same of all that runs on a host."""
    for line in lab.exec(host, _LOOK).stdout.splitlines():
        pid, command, environment = line.split(" ")
        yield pid, bytes.fromhex(command), bytes.fromhex(environment)
