"""Whether hosts answer: real sockets on loopback, and what makes a look prove nothing."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapter.hosts import reachability as module
from adapter.hosts.reachability import SshReachability
from adapter.hosts.ssh_endpoint import HERE, endpoint, is_led_elsewhere
from adapter.job.model import Host, Seen
from adapter.ports import Reachability
from tests.support.cmdb import closed_port

GREETING = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"
ANSWERS, SILENT = Seen(answers=True, version="OpenSSH_9.2p1"), Seen(answers=False)


@pytest.fixture(autouse=True)
def plain_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in this machine's configuration of ssh."""
    monkeypatch.setattr(module, "is_led_elsewhere", lambda: False)


class Server:
    """Answers whoever connects with a greeting; counts them."""

    def __init__(self, greeting: bytes) -> None:
        self.greeting = greeting
        self.asked = 0
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._socket.getsockname()[1]
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.asked += 1
            self._open.append(connection)
            if self.greeting == b"bye":
                connection.close()
            elif self.greeting:
                connection.sendall(self.greeting)

    def close(self) -> None:
        """No one is answered any more."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        for connection in self._open:
            connection.close()


@contextmanager
def serving(greeting: bytes = GREETING) -> Iterator[Server]:
    """A server on loopback."""
    server = Server(greeting)
    try:
        yield server
    finally:
        server.close()


Looking = Callable[..., SshReachability]


@pytest.fixture
def looking() -> Iterator[Looking]:
    """Reachability of hosts by their variables; stopped at the end."""
    made: list[SshReachability] = []

    def make(variables: Mapping[str, Mapping[str, Any]], **options: Any) -> SshReachability:
        one = SshReachability(
            lambda hosts: {host.name: variables[host.name] for host in hosts if host.name in variables},
            **{"timeout": 20, **options},  # who answers at all is not missed on a busy machine
        )
        made.append(one)
        return one

    yield make
    for one in made:
        one.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "reachability"]


def hosts(many: int) -> list[Host]:
    """h1, h2 and on."""
    return [Host(bk_host_id=n, bk_cloud_id=0, ip="", name=f"h{n}") for n in range(1, many + 1)]


def at(port: int, **more: Any) -> dict[str, Any]:
    """Variables of a host on loopback."""
    return {"ansible_host": "127.0.0.1", "ansible_port": port, **more}


def test_who_answers_and_who_does_not(looking: Looking) -> None:
    """An SSH server says what it is; nobody, a server of something else and one that hangs up are no answer."""
    with serving() as ssh, serving(b"HTTP/1.1 400 Bad Request\r\n") as http, serving(b"bye") as busy:
        reach: Reachability = looking(
            {
                "h1": at(ssh.port),
                "h2": at(closed_port()),
                "h3": at(http.port),
                "h4": at(busy.port),
                "h5": at(22, ansible_host="nobody.invalid"),
                "h6": {"ansible_connection": "local"},
                "h7": at(5986, ansible_connection="winrm"),
            }
        )
        assert reach.seen(hosts(8), wait=30) == {
            1: ANSWERS, 2: SILENT, 3: SILENT, 4: SILENT, 5: SILENT, 6: Seen(answers=True),
        }  # fmt: skip


def test_a_server_that_says_nothing(looking: Looking) -> None:
    """Is given its time, and then does not answer: a port that is open is no SSH server."""
    with serving(b"") as mute, serving(b"x" * 5000) as noisy:
        reach = looking({"h1": at(mute.port), "h2": at(noisy.port)}, timeout=0.2)
        assert reach.seen(hosts(2), wait=30) == {1: SILENT, 2: SILENT}


def test_answers_are_kept_for_a_while(looking: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is asked twice within the time, also not by several at once; then a change is seen."""
    now = 1000.0
    monkeypatch.setattr("adapter.hosts.kept.monotonic", lambda: now)
    port = 0
    with serving() as ssh:
        port = ssh.port
        reach = looking({"h1": at(port), "h2": at(port)}, kept=30)
        threads = [threading.Thread(target=reach.seen, args=(hosts(2), 30)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert reach.seen(hosts(2), wait=30) == {1: ANSWERS, 2: ANSWERS}
        assert ssh.asked == 1
    now += 29
    assert reach.seen(hosts(1), wait=30) == {1: ANSWERS}
    now += 2
    assert reach.seen(hosts(1)) == {}, "what is old is not said, and nobody looked"
    assert reach.seen(hosts(1), wait=30) == {1: SILENT}


def test_without_waiting_nobody_is_looked_at(looking: Looking) -> None:
    """Jobs are polled; what others found is said."""
    with serving() as ssh:
        reach = looking({"h1": at(ssh.port)})
        assert (reach.seen(hosts(1)), ssh.asked) == ({}, 0)
        reach.seen(hosts(1), wait=30)
        assert (reach.seen(hosts(1)), ssh.asked) == ({1: ANSWERS}, 1)


def test_waiting_has_an_end_and_looking_goes_on(looking: Looking) -> None:
    """Who does not answer in the caller's time is not told of; the next caller has it."""
    with serving(b"") as mute, serving() as ssh:
        reach = looking({"h1": at(mute.port), "h2": at(ssh.port)}, timeout=1)
        began = time.monotonic()
        assert reach.seen(hosts(2), wait=0.3) == {2: ANSWERS}
        assert time.monotonic() - began < 0.9
        assert reach.seen(hosts(2), wait=30) == {1: SILENT, 2: ANSWERS}
        assert mute.asked == 1


def test_five_thousand_hosts(looking: Looking) -> None:
    """Each at an address of its own; half of them answer: one question, within its time."""
    with socket.create_server(("0.0.0.0", 0), backlog=4096) as every:  # all of 127.0.0.0/8
        port = every.getsockname()[1]
        stopped = threading.Event()

        def greet() -> None:
            while not stopped.is_set():
                connection, _ = every.accept()
                with connection:
                    connection.sendall(GREETING)

        thread = threading.Thread(target=greet)
        thread.start()
        dead = closed_port()
        reach = looking(
            {
                f"h{n}": at(port if n % 2 else dead, ansible_host=f"127.1.{n >> 8}.{n & 255}")
                for n in range(1, 5001)
            }
        )
        began = time.monotonic()
        seen = reach.seen(hosts(5000), wait=30)
        print(f"\n5000 hosts: {time.monotonic() - began:.1f} s")
        stopped.set()
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join()
    assert {id_ for id_, one in seen.items() if one == ANSWERS} == set(range(1, 5001, 2))
    assert {id_ for id_, one in seen.items() if one == SILENT} == set(range(2, 5001, 2))


def test_five_thousand_hosts_that_hang(looking: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller's time is his; nothing is said of those that nobody has come to."""

    async def hang(*_: object) -> Seen:
        await asyncio.sleep(60)
        raise AssertionError("it was not given up")

    monkeypatch.setattr(module, "_greeting", hang)
    reach = looking(
        {f"h{n}": at(22, ansible_host=f"10.1.{n >> 8}.{n & 255}") for n in range(1, 5001)}, timeout=0.2
    )
    began = time.monotonic()
    seen = reach.seen(hosts(5000), wait=0.5)
    assert time.monotonic() - began < 5
    assert set(seen.values()) <= {SILENT}


def test_a_fault_of_this_machine_says_nothing_of_a_host(
    looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file is left to open: the log says so, and the host is not called silent."""

    async def no_files(*_: object) -> Seen:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(module, "_greeting", no_files)
    reach = looking({"h1": at(22)})
    with capture_logs() as logs:
        assert reach.seen(hosts(1), wait=30) == {}
    assert [entry["event"] for entry in logs] == ["host_not_looked_at"]


def test_silence_proves_nothing_where_ssh_is_configured(
    looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A jump host in ~/.ssh/config is not seen from here; who answers, answers."""
    monkeypatch.setattr(module, "is_led_elsewhere", lambda: True)
    with serving() as ssh:
        reach = looking({"h1": at(ssh.port), "h2": at(closed_port())})
        assert reach.seen(hosts(2), wait=30) == {1: ANSWERS}


def test_it_stops_while_it_looks(looking: Looking) -> None:
    """Nothing is left behind."""
    with serving(b"") as mute:
        reach = looking({"h1": at(mute.port)}, timeout=30)
        reach.seen(hosts(1), wait=0.1)
        began = time.monotonic()
        reach.stop()
        assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({}, ("web1", 22)),
        ({"ansible_host": "10.0.0.1", "ansible_port": "2222"}, ("10.0.0.1", 2222)),
        ({"ansible_ssh_host": "10.0.0.1", "ansible_ssh_port": 23}, ("10.0.0.1", 23)),
        ({"ansible_host": {"__ansible_unsafe": "10.0.0.1"}}, ("10.0.0.1", 22)),
        ({"ansible_connection": "ansible.builtin.ssh"}, ("web1", 22)),
        ({"ansible_connection": "local"}, HERE),
        ({"ansible_ssh_common_args": "-o ControlMaster=auto -o ConnectTimeout=4"}, ("web1", 22)),
        ({"ansible_ssh_common_args": "-J bastion"}, None),
        ({"ansible_ssh_extra_args": "-o ProxyCommand='nc %h %p'"}, None),
        ({"ansible_ssh_args": "-F /etc/other"}, None),
        ({"ansible_ssh_args": "-p 2222"}, None),
        ({"ansible_ssh_args": "{{ of_site }}"}, None),
        ({"ansible_host": "{{ address }}"}, None),
        ({"ansible_host": {"__ansible_vault": "…"}}, None),
        ({"ansible_port": "{{ port }}"}, None),
        ({"ansible_port": 0}, None),
        ({"ansible_port": 70000}, None),
        ({"ansible_port": True}, None),
        ({"ansible_connection": "{{ kind }}"}, None),
        ({"ansible_connection": "community.docker.docker"}, None),
        ({"ansible_connection": "psrp"}, None),
    ],
)
def test_where_a_look_goes(variables: dict[str, Any], found: object) -> None:
    """To the host's own SSH server; None where that would not be what Ansible talks to."""
    assert endpoint("web1", variables) == found


@pytest.mark.parametrize(
    ("config", "is_led"),
    [
        ("Host *\n  # ProxyJump x\n  SendEnv LANG\nInclude /etc/ssh/ssh_config.d/*.conf\n", False),
        ("Host web*\n\tProxyJump bastion\n", True),
        ("host web1\nhostname 10.0.0.1\n", True),
        ("Include ~/.ssh/site\n", True),
    ],
)
def test_configurations_of_ssh(tmp_path: Path, config: str, is_led: bool) -> None:
    """Files, and what Ansible's environment adds; a file that is not there says nothing."""
    (tmp_path / "config").write_text(config)
    assert is_led_elsewhere({}, [tmp_path / "config", tmp_path / "missing"]) is is_led
    assert is_led_elsewhere({"ANSIBLE_SSH_ARGS": "-J bastion"}, [])
    assert not is_led_elsewhere({"ANSIBLE_SSH_ARGS": "-o ConnectTimeout=4"}, [])
