"""Hosts made of Linux namespaces: own network, disk, host name and process tree, and a real sshd.

A host is a tree of processes: `unshare` as this machine sees it, below it the host's process 1. Each dies
with its parent, so nothing outlives the supervisor, however that ends; and a host's mounts and network go
with its last process.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.lab import disk, network
from tests.lab.model import HOST_PATH, LabError, LabHost, clean_environment, down_host, plan_hosts

START_TIMEOUT = 120.0  # seconds, for all hosts together
_TOOLS = ("ip", "mount", "nsenter", "pivot_root", "setpriv", "sshd", "ssh-keygen", "umount", "unshare")
_PROBE = """\
mount -t tmpfs lab "$PWD"
cd "$PWD"
mkdir upper work root
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work lab root
"""
_STOP_SSHD = """\
read -r listener < /run/sshd.pid
kill "$listener"
[ "$1" = drop ] || exit 0
for process in /proc/[0-9]*; do
    read -r name < "$process/comm" || continue
    case $name in sshd*) kill "${process#/proc/}" ;; esac  # since 9.8 also sshd-session, sshd-auth
done 2>/dev/null
exit 0
"""
_LISTENING_ON_22 = ":0016 00000000:0000 0A "


def why_not() -> str | None:
    """What keeps this machine from having such hosts; None when nothing does."""
    if os.geteuid() != 0:
        return "not root"
    if missing := [tool for tool in _TOOLS if not shutil.which(tool, path=HOST_PATH)]:
        return f"not installed: {', '.join(missing)}"
    with tempfile.TemporaryDirectory() as directory:
        probe = ["unshare", "-m", "-u", "-i", "-n", "-p", "-f", "sh", "-ec", _PROBE]
        done = _run(probe, cwd=directory, capture_output=True, text=True)
    return f"no namespaces or no overlayfs: {done.stderr.strip()}" if done.returncode else None


def _run(command: list[str], *, check: bool = False, **options: Any) -> subprocess.CompletedProcess[Any]:
    return subprocess.run(command, check=check, env=clean_environment(), **options)


class NamespaceHosts:
    """Starts and ends the hosts; lives in the supervisor."""

    def __init__(self, directory: Path, lab_id: str, ops_password: str, count: int) -> None:
        self._directory = directory
        self._lab_id = lab_id
        self._ops_password = ops_password
        self._subnet = network.choose_subnet(count)
        addresses = [str(self._subnet[2 + i]) for i in range(count + 1)]
        self._planned = plan_hosts(addresses[:count], 22, python=bool(disk.pythons()), last_python=False)
        self.down = down_host(addresses[count], 22)
        self._pids: dict[str, int] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    async def start(self) -> list[LabHost]:
        """Boots all hosts at once and returns them when each one's sshd listens."""
        deadline = time.monotonic() + START_TIMEOUT
        self._write_disk()
        # Hosts tell their pids over one pipe and wait at another until we close it: one shot starts them all.
        pids_read, pids_write = os.pipe()
        gate_read, gate_write = os.pipe()
        try:
            for host in self._planned:
                self._processes[host.name] = self._boot(host, gate_read, pids_write)
            os.close(pids_write)
            hosts = self._with_pids(pids_read)
            network.add_links(self._lab_id, self._subnet, hosts)
        except LabError as error:
            raise LabError(f"{error} {self._logs()}") from error
        finally:
            os.close(gate_write)
            os.close(gate_read)
            os.close(pids_read)
        waiting = hosts
        while waiting := [host for host in waiting if not sshd_listens(host)]:
            self._check(waiting, deadline)
            await asyncio.sleep(0.01)
        return hosts

    async def stop(self) -> None:
        """Kills each host's process 1, and the kernel all others with it; then removes the network."""
        for name, process in self._processes.items():
            # Process 1 rather than `unshare` above it, which then collects it; else its zombie would be left.
            if name in self._pids and process.poll() is None:
                os.kill(self._pids[name], signal.SIGKILL)
            else:
                process.kill()
        for process in self._processes.values():
            process.wait()
        _run(["umount", "--lazy", "--quiet", str(self._directory / "layers")])
        network.remove_links(self._lab_id)

    async def command(self, verb: str, name: str) -> None:
        """Nothing to ask for here: whoever may start such a lab can also enter its hosts."""
        raise LabError(f"cannot {verb} {name}")

    def _write_disk(self) -> None:
        for name in ("logs", "scratch", "layers"):
            (self._directory / name).mkdir()
        # A lower layer may not lie inside another one, and `/` is one: so a file system of its own,
        # which only the supervisor's mount namespace, and so its hosts, can see.
        _run(["mount", "-t", "tmpfs", "-o", "mode=755", "lab", str(self._directory / "layers")], check=True)
        disk.write_layers(
            self._directory,
            host_key=self._directory / "ssh_host_ed25519_key",
            public_key=(self._directory / "id_ed25519.pub").read_text(),
            ops_password=self._ops_password,
            names="".join(f"{host.ip} {host.name}\n" for host in [*self._planned, self.down]),
        )

    def _boot(self, host: LabHost, stdin: int, stdout: int) -> subprocess.Popen[bytes]:
        gateway = network.gateway(self._subnet)
        namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child"]
        address = f"{host.ip}/{self._subnet.prefixlen}"
        script = [
            "sh", str(Path(__file__).parent / "boot.sh"),
            host.name, disk.layers(python=host.python), address, str(gateway), network.mac(gateway),
        ]  # fmt: skip
        with (self._directory / "logs" / f"{host.name}.log").open("wb") as log:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "unshare", *namespaces, *script],
                cwd=self._directory, env=clean_environment(), stdin=stdin, stdout=stdout, stderr=log,
            )  # fmt: skip

    def _with_pids(self, pipe: int) -> list[LabHost]:
        with open(pipe, closefd=False) as lines:
            while len(self._pids) < len(self._planned):
                name, _, pid = lines.readline().partition(" ")
                if not pid:
                    raise LabError("hosts did not boot")
                self._pids[name] = int(pid)
        return [
            replace(host, pid=self._pids[host.name], link=network.link_name(self._lab_id, host.bk_host_id))
            for host in self._planned
        ]

    def _check(self, waiting: list[LabHost], deadline: float) -> None:
        dead = [host.name for host in waiting if self._processes[host.name].poll() is not None]
        if dead or time.monotonic() > deadline:
            raise LabError(f"{len(waiting)} hosts without sshd, ended: {dead}: {self._logs()}")

    def _logs(self) -> str:
        paths = sorted((self._directory / "logs").iterdir())
        logs = [(path.stem, path.read_text(errors="replace")) for path in paths]
        return "; ".join(f"{name}: {text.strip()}" for name, text in logs if text)[:2000]


def sshd_listens(host: LabHost) -> bool:
    """Whether something listens at the host's port 22, read from the kernel so that sshd is not disturbed."""
    try:
        return _LISTENING_ON_22 in Path(f"/proc/{host.pid}/net/tcp").read_text()
    except OSError:
        return False


def enter(host: LabHost, command: list[str]) -> list[str]:
    """The command line that runs a command inside a host, past its network and its sshd."""
    if host.pid is None:
        raise LabError(f"{host.name} has no inside")
    return ["nsenter", "-t", str(host.pid), "-m", "-u", "-i", "-n", "-p", "--wd=/", "--", *command]


def stop_sshd(host: LabHost, *, drop_connections: bool) -> None:
    """Ends the host's sshd, and on request the connections it serves; detached programs go on either way."""
    how = "drop" if drop_connections else "keep"
    _run(enter(host, ["/bin/sh", "-c", _STOP_SSHD, "sh", how]), check=True)
    _wait(host, listening=False)


def start_sshd(host: LabHost, log: Path) -> None:
    """Starts sshd again; its parent becomes the host's process 1."""
    with log.open("ab") as stderr:
        start = enter(host, ["/bin/sh", "-c", "/usr/sbin/sshd -D -e </dev/null >/dev/null &"])
        _run(start, check=True, stderr=stderr)
    _wait(host, listening=True)


def _wait(host: LabHost, *, listening: bool, timeout: float = 10.0) -> None:
    deadline = time.monotonic() + timeout
    while sshd_listens(host) is not listening:
        if time.monotonic() > deadline:
            raise LabError(f"sshd of {host.name} did not {'start' if listening else 'stop'}")
        time.sleep(0.005)
