"""A running lab as its users hold it, and how one is started, found again and removed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal

from tests.lab import namespaces, network
from tests.lab.asyncssh_hosts import home_of
from tests.lab.leftovers import remove
from tests.lab.model import STATE_FILE, Kind, LabError, LabHost, LabState, clean_environment

STOP_TIMEOUT = 60.0  # seconds
_REPOSITORY = Path(__file__).parents[2]


class Lab:
    """N SSH hosts, an inventory that names them, and ways to look into them without SSH.

    `isolated` says what the hosts are: True for namespaces, where each has its own disk, users, processes and cable;
    False for the fallback, where only addresses differ (see `asyncssh_hosts`).
    """

    def __init__(self, directory: Path, state: LabState, owned: subprocess.Popen[str] | None) -> None:
        if state.down is None:
            raise LabError(f"the lab in {directory} is not up")
        self.directory = directory
        self.inventory = directory / "inventory"
        self.private_key = directory / "id_ed25519"
        self.known_hosts = directory / "known_hosts"
        self.kind: Kind = state.kind
        self.isolated = state.kind == "namespaces"
        self.hosts = state.hosts
        self.down = state.down
        self.ops_password = state.ops_password
        self._owned = owned

    def __enter__(self) -> Lab:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Takes the lab down and returns when nothing of it is left. Twice is fine."""
        take_down(self.directory)
        if self._owned:
            _close(self._owned)

    def host(self, bk_host_id: int) -> LabHost:
        """The host with this id; the down host is one too."""
        return next(host for host in [*self.hosts, self.down] if host.bk_host_id == bk_host_id)

    def hosts_of(self, biz: int) -> list[LabHost]:
        """The hosts of a business that answer."""
        return [host for host in self.hosts if host.biz == biz]

    def exec(
        self, host: LabHost, command: str | Sequence[str], *, input: str | None = None, timeout: float = 30
    ) -> subprocess.CompletedProcess[str]:
        """Runs argv, or a line for /bin/sh, on the host as root, past network and sshd."""
        argv = ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)
        return subprocess.run(
            namespaces.enter(host, argv) if self.isolated else argv,
            input=input, timeout=timeout, capture_output=True, text=True, errors="replace", check=False,
            env=clean_environment(), cwd=None if self.isolated else home_of(self.directory, host.name),
        )  # fmt: skip

    def read(self, host: LabHost, path: str | Path) -> bytes:
        """A file on the host."""
        if not self.isolated:
            return (home_of(self.directory, host.name) / path).read_bytes()
        done = subprocess.run(
            namespaces.enter(host, ["cat", "--", str(path)]), capture_output=True, check=False, env=clean_environment()
        )
        if done.returncode:
            raise FileNotFoundError(f"{host.name}: {done.stderr.decode().strip()}")
        return done.stdout

    def cut(self, host: LabHost) -> None:
        """Pulls the host's cable: packets vanish, nobody gets an error. Namespaces only."""
        self._switch(host, on=False)

    def mend(self, host: LabHost) -> None:
        """Plugs the cable in again."""
        self._switch(host, on=True)

    def stop_sshd(self, host: LabHost, *, drop_connections: bool = False) -> None:
        """Ends the host's sshd; new connections are refused. Open ones go on, as with a real one, or are dropped."""
        if self.isolated:
            namespaces.stop_sshd(host, drop_connections=drop_connections)
        else:
            self._ask("drop" if drop_connections else "stop", host)

    def start_sshd(self, host: LabHost) -> None:
        """Starts the host's sshd again, at the same port."""
        if self.isolated:
            namespaces.start_sshd(host, self.directory / "logs" / f"{host.name}.log")
        else:
            self._ask("start", host)

    def _switch(self, host: LabHost, *, on: bool) -> None:
        if not self.isolated:
            raise LabError("hosts of the asyncssh kind have no cable")
        network.switch_link(host.link, on=on)

    def _ask(self, verb: str, host: LabHost) -> None:
        if not (self._owned and self._owned.stdin and self._owned.stdout):
            raise LabError("only the process that started this lab can do that")
        self._owned.stdin.write(f"{verb} {host.name}\n")
        self._owned.stdin.flush()
        answer = self._owned.stdout.readline().strip()
        if answer != "ok":
            raise LabError(answer)


def start_lab(
    hosts: int = 4,
    directory: Path | None = None,
    kind: Literal["auto", "namespaces", "asyncssh"] = "auto",
    *,
    owned: bool = True,
) -> Lab:
    """Starts a lab and returns when every host answers.

    The directory must be empty or not exist; without one a temporary directory is made. An owned lab ends with this
    process, whatever ends it; one that is not owned stays until `take_down`.
    """
    if not 1 <= hosts <= network.MAX_HOSTS:
        raise LabError(f"a lab has 1 to {network.MAX_HOSTS} hosts")
    chosen = _choose(kind)
    own_directory = directory is None or not directory.exists()
    directory = Path(tempfile.mkdtemp(prefix="lab-")) if directory is None else directory.absolute()
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise LabError(f"{directory} is not empty")
    process = _launch(directory, chosen, hosts, own_directory=own_directory, owned=owned)
    answer = process.stdout.readline().strip() if process.stdout else ""
    if answer != "ready":
        _close(process)
        raise LabError(answer.removeprefix("error: ") or "the lab's supervisor died")
    if not owned:
        _forget(process)
    return attach(directory, process if owned else None)


def attach(directory: Path, owned: subprocess.Popen[str] | None = None) -> Lab:
    """The lab that is up in this directory."""
    state = LabState.read(directory)
    if state is None or not state.alive:
        raise LabError(f"no lab is up in {directory}")
    return Lab(directory.absolute(), state, owned)


def take_down(directory: Path) -> bool:
    """Ends the lab in this directory, also one whose supervisor is gone; says whether there was one."""
    state = LabState.read(directory)
    if state is None:
        return False
    if state.alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(state.supervisor, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT
    while state.alive:
        if time.monotonic() > deadline:
            raise LabError(f"the supervisor of {directory}, process {state.supervisor}, does not end")
        time.sleep(0.005)
    if (directory / STATE_FILE).exists():
        remove(directory, state)
    return True


def _choose(kind: Literal["auto", "namespaces", "asyncssh"]) -> Kind:
    if kind == "asyncssh":
        return "asyncssh"
    reason = namespaces.why_not()
    if reason and kind == "namespaces":
        raise LabError(f"no namespaces here: {reason}")
    return "asyncssh" if reason else "namespaces"


def _launch(
    directory: Path, kind: Kind, hosts: int, *, own_directory: bool, owned: bool
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.lab.supervisor", str(directory), kind, str(hosts)]
    command += ["1" if own_directory else "0", str(os.getpid() if owned else 0)]
    if kind == "namespaces":
        command = [shutil.which("unshare", path=namespaces.ADMIN_PATH) or "unshare", "--mount", "--", *command]
    with (directory / "supervisor.log").open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE if owned else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
            cwd=_REPOSITORY, env={**os.environ, "PATH": _path()}, start_new_session=True,
        )  # fmt: skip


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:{namespaces.ADMIN_PATH}"


def _close(process: subprocess.Popen[str]) -> None:
    process.communicate()


def _forget(process: subprocess.Popen[str]) -> None:
    """Lets go of a supervisor that is to outlive us, without Popen's complaint about that."""
    if process.stdout:
        process.stdout.close()
    process.returncode = 0
