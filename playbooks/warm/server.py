# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible, imported once: forks a child for each run that a client hands over (design D6).

    python server.py SOCKET      standard input is the owner's end: the server ends when it closes

A client is greeted with one byte, sends one JSON object {"argv", "env", "cwd"} with its three standard streams as
file descriptors, gets one byte more when the run is taken, and four bytes of exit code at its end. Greeted first,
because streams that lie in the queue of a server that hangs would stay open. A client that goes away ends its run:
the child and what it forked are killed.

Nothing here has a thread, so that forking is safe.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import json
import os
import random
import selectors
import shutil
import signal
import socket
import struct
import sys
import tempfile
import traceback
import warnings
from itertools import chain
from pathlib import Path

import ansible.cli.playbook as playbook_cli
import ansible.executor.playbook_executor
import ansible.inventory.manager
import ansible.plugins.become.su
import ansible.plugins.become.sudo
import ansible.plugins.connection.local
import ansible.plugins.connection.ssh
import ansible.plugins.inventory.yaml
import ansible.plugins.lookup.env
import ansible.plugins.shell.sh
import ansible.plugins.strategy.linear
import ansible.vars.manager  # noqa: F401 what the first run would import is imported before it
import threaded
from ansible import constants
from ansible.parsing.dataloader import DataLoader
from ansible.plugins import loader as plugins
from ansible.template import Templar, trust_as_template

_REQUEST_LIMIT = 4 * 1024 * 1024
_PR_SET_PDEATHSIG = 1


class Server:
    """Runs under way: the child of each client, and the client of each child."""

    def __init__(self, path: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(128)
        self._selector = selectors.DefaultSelector()
        self._clients: dict[int, socket.socket] = {}  # by pid of the child
        self._wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)

    def serve(self) -> None:
        """Until standard input closes."""
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(sys.stdin.fileno(), selectors.EVENT_READ, self._owner_is_gone)
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._collect)
        print("ready", flush=True)
        while True:
            for key, _events in self._selector.select():
                key.data(key.fileobj)

    def _accept(self, listener: socket.socket) -> None:
        client, _address = listener.accept()
        client.settimeout(2)  # a client writes its request at once
        streams: list[int] = []
        try:
            client.sendall(b"?")
            content, streams, _flags, _from = socket.recv_fds(client, _REQUEST_LIMIT, 3)
            while not content.endswith(b"\n"):
                more = client.recv(_REQUEST_LIMIT)
                if not more:
                    raise ValueError("the request was cut off")
                content += more
            request = json.loads(content)
            client.sendall(b"+")
            self._start(request, streams, client)
        except (OSError, ValueError) as error:
            print(f"refused a client: {error!r}", file=sys.stderr, flush=True)
            client.close()
        finally:
            for stream in streams:
                os.close(stream)

    def _start(self, request: dict[str, object], streams: list[int], client: socket.socket) -> None:
        pid = os.fork()
        if pid == 0:
            run(request, streams)
        client.settimeout(None)
        self._clients[pid] = client
        self._selector.register(client, selectors.EVENT_READ, self._client_is_gone)

    def _client_is_gone(self, client: socket.socket) -> None:
        """A client never writes again: readable means closed. Its run is killed and collected later."""
        for pid, its in self._clients.items():
            if its is client:
                kill_run(pid)
        self._selector.unregister(client)

    def _collect(self, wake: int) -> None:
        os.read(wake, 4096)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            client = self._clients.pop(pid, None)
            if client is not None:
                self._tell(client, os.waitstatus_to_exitcode(status))

    def _tell(self, client: socket.socket, code: int) -> None:
        with contextlib.suppress(OSError):  # it went away; there is nobody to tell
            client.sendall(struct.pack("i", code))
        if client.fileno() in self._selector.get_map():
            self._selector.unregister(client)
        client.close()

    def _owner_is_gone(self, _stdin: object) -> None:
        for pid in list(self._clients):
            kill_run(pid)
        os._exit(0)


def rehearse() -> None:
    """Load what every run loads: collections, plugins and the documentation that has their options.

    A run's own initialisation then finds it done; Ansible says so with a Python warning, which means nothing here.
    """
    warnings.filterwarnings("ignore", "AnsibleCollectionFinder has already been configured")
    plugins.init_plugin_loader()
    kinds = (plugins.vars_loader, plugins.connection_loader, plugins.shell_loader, plugins.become_loader)
    for _plugin in chain.from_iterable(kind.all(class_only=True) for kind in kinds):
        pass
    for loader, names in (
        # Not ansible-runner's own: it looks at the run's environment when it is imported.
        (plugins.callback_loader, ("default", "junit", "minimal", "oneline", "tree")),
        (plugins.inventory_loader, ("yaml",)),
        (plugins.strategy_loader, ("linear",)),
        (plugins.cache_loader, ("memory", "jsonfile")),
        (plugins.action_loader, ("adapter.job.script", "adapter.job.fetch", "adapter.job.send")),
        (plugins.lookup_loader, ("adapter.job.secret", "env", "config")),
    ):
        for name in names:
            loader.get(name, class_only=True)
    Templar(loader=DataLoader()).template(trust_as_template("{{ 'a' | quote }}"))
    if not threaded.install():
        print(
            "this ansible-core is not known: each host gets a process of its own", file=sys.stderr, flush=True
        )
    # Forks share these pages as long as no collection of garbage writes into them.
    gc.collect()
    gc.freeze()


def run(request: dict[str, object], streams: list[int]) -> None:
    """In the child: become what the plain ansible-playbook would have been, and end with its exit code."""
    code = 250
    try:
        _die_with_parent()
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(3, 1024)
        os.environ.clear()
        os.environ.update(request["env"])  # type: ignore[arg-type]
        os.chdir(str(request["cwd"]))
        sys.argv = [str(word) for word in request["argv"]]  # type: ignore[attr-defined]
        atexit._clear()  # what the server registered is the server's
        _own_what_is_made_at_import()
        playbook_cli.PlaybookCLI.cli_executor(sys.argv)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 a child must never return into the server's loop
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _own_what_is_made_at_import() -> None:
    """Runs share neither random numbers nor the directory for temporary files that Ansible makes when imported."""
    random.seed()
    parent = os.path.dirname(constants.DEFAULT_LOCAL_TMP)  # noqa: PTH120 as Ansible has it: a str
    constants.DEFAULT_LOCAL_TMP = tempfile.mkdtemp(prefix=f"ansible-local-{os.getpid()}", dir=parent)
    atexit.register(shutil.rmtree, constants.DEFAULT_LOCAL_TMP, ignore_errors=True)


def kill_run(pid: int) -> None:
    """SIGKILL to a run, the workers it forked and their connections; parents stopped first, so that none is forked.

    What it runs on this machine (connection local) goes on: that is a job's script.
    """
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError:
        return
    connections = []
    for child in _children(pid):
        words = _command(child)
        if words == _command(os.getpid()):
            kill_run(child)
        elif words[0].rpartition(b"/")[2] in (b"ssh", b"sshpass", b"ssh-agent"):
            connections.append(child)
    # Connections last: a worker that saw its own die would take that for the host's answer.
    for each in (pid, *connections):
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)


def _command(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return [b""]


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in task.read_text().split()]
        except OSError:
            continue  # the thread ended
    return found


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    rehearse()
    Server(sys.argv[1]).serve()
