"""Warm Ansible (design D6): keeps playbooks/warm/server.py running and points runs at it.

The server has read Ansible's configuration when it was started, so it serves only runs whose configuration is the
same; another configuration, or a configuration file that has changed, gets a new server. Until a server is ready,
and whenever there is none, runs are plain ones: nothing depends on it but time.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

#: Variables that ansible-runner sets anew for each run; the child of a warm server gets them by its environment.
_OF_A_RUN = frozenset(
    {"ANSIBLE_CACHE_PLUGIN_CONNECTION", "ANSIBLE_INVENTORY", "ANSIBLE_UNSAFE_WRITES", "ANSIBLE_SSH_AGENT"}
)
#: Where Ansible looks for its configuration besides $ANSIBLE_CONFIG.
_CONFIG_FILES = ("~/.ansible.cfg", "/etc/ansible/ansible.cfg")

Configuration = frozenset[tuple[str, str]]


@dataclass
class _Server:
    process: subprocess.Popen[bytes]
    socket: Path
    configuration: Configuration
    ready: bool = False


class WarmAnsible:
    """At most one warm server, for the configuration that was asked for last."""

    def __init__(self, directory: Path, runtime: Path) -> None:
        self._program = directory / "server.py"
        self._bin = directory / "bin"
        self._runtime = runtime
        self._lock = threading.Lock()
        self._server: _Server | None = None
        self._stopped = False

    def environment(self, run: Mapping[str, str]) -> dict[str, str]:
        """The environment of a run: with the client first on PATH if a server is ready for it."""
        configuration = _configuration(run)
        with self._lock:
            server = self._server
            if server is not None and (
                server.process.poll() is not None or server.configuration != configuration
            ):
                self._end(server)
                server = None
            if server is None and not self._stopped:
                self._start(run, configuration)
            if server is None or not server.ready:
                return dict(run)
            return {**run, "PATH": f"{self._bin}:{run.get('PATH', '')}", "ADAPTER_WARM": str(server.socket)}

    def stop(self) -> None:
        """End the server, and every run that it still has."""
        with self._lock:
            self._stopped = True
            if self._server is not None:
                self._end(self._server)

    @property
    def pid(self) -> int | None:
        """The server's process once it is ready, for whoever measures or kills it."""
        server = self._server
        return server.process.pid if server is not None and server.ready else None

    def _start(self, run: Mapping[str, str], configuration: Configuration) -> None:
        socket = self._runtime / f"w{secrets.token_hex(6)}"
        process = subprocess.Popen(
            [sys.executable, str(self._program), str(socket)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: value for name, value in run.items() if not _is_of_a_run(name)},
            cwd=self._runtime,
            start_new_session=True,
        )
        self._server = _Server(process, socket, configuration)
        threading.Thread(target=_await_ready, args=(self._server,), daemon=True).start()

    def _end(self, server: _Server) -> None:
        """Runs that it has under way end with it: the step makes another attempt, which follows its hosts."""
        self._server = None
        assert server.process.stdin is not None
        server.process.stdin.close()
        try:
            server.process.wait(5)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()
        server.socket.unlink(missing_ok=True)


def _await_ready(server: _Server) -> None:
    assert server.process.stdout is not None
    with server.process.stdout as out:
        server.ready = out.readline() == b"ready\n"
    if server.ready:
        log.info("warm_ansible_ready", pid=server.process.pid)
    else:
        log.warning("warm_ansible_failed", pid=server.process.pid, returncode=server.process.wait())


def _is_of_a_run(name: str) -> bool:
    return name in _OF_A_RUN or name.startswith(("RUNNER_", "AWX_", "ADAPTER_"))


def _configuration(run: Mapping[str, str]) -> Configuration:
    """What Ansible reads once: its variables, and the state of its configuration files."""
    variables = {(name, value) for name, value in run.items() if not _is_of_a_run(name)}
    files = [Path(run["ANSIBLE_CONFIG"])] if run.get("ANSIBLE_CONFIG") else []
    files += [Path(name).expanduser() for name in _CONFIG_FILES]
    return frozenset(variables | {(str(path), _state(path)) for path in files})


def _state(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return "absent"
    return f"{found.st_mtime_ns} {found.st_size}"
