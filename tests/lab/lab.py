"""A running lab as its users hold it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from tests.lab import namespaces, network
from tests.lab.model import Kind, LabError, LabHost, LabState, clean_environment
from tests.lab.removal import take_down


class Lab:
    """N SSH hosts, an inventory that names them, and ways to look into them without SSH.

    `isolated` says what the hosts are: True for namespaces, where each has its own disk, users, processes and
    cable; False for the fallback, where only addresses differ (see `asyncssh_hosts`).
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
            self._owned.communicate()

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
            env=clean_environment(), cwd=None if self.isolated else host.home,
        )  # fmt: skip

    def read(self, host: LabHost, path: str | Path) -> bytes:
        """A file on the host."""
        if not self.isolated:
            return (Path(host.home) / path).read_bytes()
        cat = namespaces.enter(host, ["cat", "--", str(path)])
        done = subprocess.run(cat, capture_output=True, check=False, env=clean_environment())
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
        """Ends the host's sshd, so that new connections are refused; open ones go on or are dropped."""
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
