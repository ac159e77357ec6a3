"""The process behind a lab: makes it, holds it, and takes it down when told to or when its owner is gone.

usage: python -m tests.lab.supervisor DIRECTORY KIND HOSTS OWN_DIRECTORY OWNER_PID
       (OWNER_PID 0: nobody's; the lab stays until SIGTERM)

On standard output it says `ready`, or `error: …`, once. With an owner it then reads lines from standard
input, `stop`, `drop` or `start` and a host's name, and answers `ok` or `error: …`; end of file is the end.
The owner's death is also watched by pid: a child that the owner forked may hold the pipe open.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol, cast

from tests.lab.inventory import write_inventory
from tests.lab.model import Kind, LabError, LabHost, LabState, process_started
from tests.lab.namespaces import NamespaceHosts
from tests.lab.removal import remove
from tests.lab.users import make_key


class Hosts(Protocol):
    """A kind of host."""

    down: LabHost

    async def start(self) -> list[LabHost]:
        """Returns when every host answers."""

    async def stop(self) -> None:
        """Leaves nothing running, also after a start that failed half way."""

    async def command(self, verb: str, name: str) -> None:
        """What the owner asked for by name."""


def _hosts_of(kind: Kind) -> Callable[[Path, str, str, int], Hosts]:
    if kind == "namespaces":
        return NamespaceHosts
    from tests.lab.asyncssh_hosts import AsyncsshHosts  # slow to import, and only a development dependency

    return AsyncsshHosts


async def main(directory: Path, kind: Kind, count: int, *, own_directory: bool, owner: int) -> None:
    """A lab's whole life."""
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    if owner:
        loop.add_reader(os.pidfd_open(owner), end.set)
    state = _new_state(kind, own_directory=own_directory)
    state.write(directory)
    hosts = None
    try:
        hosts = _hosts_of(kind)(directory, state.id, state.ops_password, count)
        await _start(directory, state, hosts)
        _say("ready")
        obeying = asyncio.create_task(_obey(hosts, end)) if owner else None
        await end.wait()
        if obeying:
            obeying.cancel()
    except (LabError, OSError, subprocess.SubprocessError) as error:
        _say(f"error: {error}")
    finally:
        if hosts:
            await hosts.stop()
        remove(directory, state)


def _new_state(kind: Kind, *, own_directory: bool) -> LabState:
    return LabState(
        id=f"{secrets.randbelow(0xFFFFFF) + 1:06x}",
        kind=kind,
        supervisor=os.getpid(),
        supervisor_started=process_started(os.getpid()) or 0,
        own_directory=own_directory,
        ops_password=secrets.token_urlsafe(12),
    )


async def _start(directory: Path, state: LabState, hosts: Hosts) -> None:
    make_key(directory / "id_ed25519")
    host_public_key = make_key(directory / "ssh_host_ed25519_key")
    running = await hosts.start()
    write_inventory(directory, running, hosts.down, host_public_key)
    replace(state, hosts=running, down=hosts.down, ready=True).write(directory)


async def _obey(hosts: Hosts, end: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().split():
        try:
            await hosts.command(*line)
            _say("ok")
        except (LabError, OSError) as error:
            _say(f"error: {error}")
    end.set()


def _say(answer: str) -> None:
    print(answer.replace("\n", " "), flush=True)


if __name__ == "__main__":
    where, what, count, own, whose = sys.argv[1:]
    asyncio.run(main(Path(where), cast(Kind, what), int(count), own_directory=own == "1", owner=int(whose)))
