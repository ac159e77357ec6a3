"""Hosts that are asyncssh servers in one process, for machines without root or without the tools.

Each has an address and a port of its own, a directory to start in, and real programs behind `exec` and
SFTP. That is all: they share /tmp, the process tree, the host name and the user who started the lab,
whoever logs in; there is no `su`, no cable to cut, and Python wherever this machine has it. Only Linux
answers at all of 127.0.0.0/8. Tests that need more look at `Lab.isolated`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import random
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh

from tests.lab.model import LabError, LabHost, clean_environment, down_host, plan_hosts

_PR_SET_CHILD_SUBREAPER = 36
_CHUNK = 65536  # bytes


class AsyncsshHosts:
    """Starts and ends the hosts; lives in the supervisor."""

    def __init__(self, directory: Path, lab_id: str, ops_password: str, count: int) -> None:
        self._directory = directory
        self._ops_password = ops_password
        python = shutil.which("python3") is not None
        base = f"127.{random.randint(1, 254)}"
        addresses = [f"{base}.{number // 250}.{number % 250 + 1}" for number in range(count + 1)]
        self._planned = plan_hosts(addresses[:count], 0, python=python, last_python=python)
        self.down = down_host(addresses[count], 1)  # nobody listens at tcpmux
        self._servers: dict[str, Any] = {}
        self._hosts: dict[str, LabHost] = {}

    async def start(self) -> list[LabHost]:
        """Listens at each address, at a port the kernel picks."""
        if sys.platform == "linux":  # so that what scripts leave behind comes to us and can be ended
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        for host in self._planned:
            home = self._directory / "homes" / host.name
            home.mkdir(parents=True)
            await self._listen(replace(host, home=str(home)))
        return list(self._hosts.values())

    async def stop(self) -> None:
        """Closes all servers and kills every program that was started through them."""
        for name in list(self._servers):
            await self.command("stop", name)
        while children := _children():
            for pid in children:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    async def command(self, verb: str, name: str) -> None:
        """`stop`, `drop` (stop, and end the connections) or `start` the server of one host."""
        if verb == "start" and name not in self._servers:
            await self._listen(self._hosts[name])
        elif verb in ("stop", "drop") and name in self._servers:
            server, clients = self._servers.pop(name)
            server.close()
            for client in clients if verb == "drop" else ():
                client.abort()
        else:
            raise LabError(f"cannot {verb} {name}")

    async def _listen(self, host: LabHost) -> None:
        clients: set[Any] = set()
        server = await asyncssh.listen(
            host.ip, host.port,
            server_host_keys=[str(self._directory / "ssh_host_ed25519_key")],
            authorized_client_keys=str(self._directory / "id_ed25519.pub"),
            server_factory=lambda: _Login(self._ops_password, clients),
            process_factory=self._program(host), encoding=None, line_editor=False, sftp_factory=True,
        )  # fmt: skip
        self._servers[host.name] = (server, clients)
        self._hosts[host.name] = replace(host, port=server.get_port())

    def _program(self, host: LabHost) -> Any:
        async def run(session: Any) -> None:
            command = ["/bin/sh", *(["-c", session.command] if session.command else [])]
            pipe = asyncio.subprocess.PIPE
            program = await asyncio.create_subprocess_exec(
                *command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=host.home, start_new_session=True,
                env=clean_environment() | {"HOME": host.home, "USER": session.get_extra_info("username")},
            )  # fmt: skip
            feeding = asyncio.create_task(_feed(session.stdin, program.stdin))
            # Like sshd: the end is when nobody holds the output open any more, and all of it has been sent.
            await asyncio.gather(_pump(program.stdout, session.stdout), _pump(program.stderr, session.stderr))
            code = await program.wait()
            feeding.cancel()
            if code < 0:
                session.exit_with_signal(signal.Signals(-code).name[3:])
            else:
                session.exit(code)

        return run


async def _feed(source: Any, program: Any) -> None:
    """Passes input on until its end; a program may stop reading, a client may leave."""
    with contextlib.suppress(OSError, asyncssh.Error, asyncssh.BreakReceived, asyncssh.SignalReceived):
        while data := await source.read(_CHUNK):
            program.write(data)
            await program.drain()
    program.close()


async def _pump(program: Any, target: Any) -> None:
    """Passes output on until its end; what a client that left doesn't take is read all the same."""
    while data := await program.read(_CHUNK):
        with contextlib.suppress(OSError, asyncssh.Error):
            target.write(data)
            await target.drain()


class _Login(asyncssh.SSHServer):  # type: ignore[misc]  # asyncssh is not followed by mypy
    """Lets anybody in with the lab's key, and `ops` with the password."""

    def __init__(self, ops_password: str, clients: set[Any]) -> None:
        self._ops_password = ops_password
        self._clients = clients
        self._connection: Any = None

    def connection_made(self, conn: Any) -> None:
        self._connection = conn
        self._clients.add(conn)

    def connection_lost(self, exc: Exception | None) -> None:
        self._clients.discard(self._connection)

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return username == "ops" and password == self._ops_password


def _children() -> list[int]:
    """Direct children; those of a killed one become ours (subreaper) and are found in the next round."""
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []
