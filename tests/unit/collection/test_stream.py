"""Files through the standard streams of an exchange: what goes in comes out, limits hold, and a stop is soon."""

from __future__ import annotations

import importlib
import io
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.collection.programs import PROGRAMS

MIB = 1024 * 1024
CONTENT = os.urandom(5 * MIB + 3)


@pytest.fixture
def utils(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The collection's modules by name."""
    monkeypatch.syspath_prepend(str(PROGRAMS.parents[4]))
    return lambda name: importlib.import_module(
        f"ansible_collections.adapter.job.plugins.plugin_utils.{name}"
    )


class FakeSpool:
    """Says when to stop."""

    def __init__(self, stop_at: float = float("inf")) -> None:
        self.stop_at = stop_at

    def stop_reason(self) -> str | None:
        """As the spool does."""
        return "terminate" if time.monotonic() > self.stop_at else None


class FakePart:
    """What a part of the cache does with pieces."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.size = 0

    def add(self, piece: bytes) -> None:
        """Keep it."""
        self.pieces.append(piece)
        self.size += len(piece)


class Connection:
    """Runs one program as Ansible's ssh connection does: data is handed over by one method."""

    def __init__(self, *command: str) -> None:
        self.command = command
        self.output = b""

    def _send_initial_data(self, fh: Any, in_data: bytes, ssh_process: Any) -> None:
        fh.write(in_data)
        fh.close()

    def ask(self) -> int:
        """The exit code, or minus the signal that killed it."""
        pipe = subprocess.PIPE
        with subprocess.Popen(self.command, stdin=pipe, stdout=pipe) as process:
            assert process.stdout
            os.set_blocking(process.stdout.fileno(), False)
            self._send_initial_data(process.stdin, b"first line\n", process)
            os.set_blocking(process.stdout.fileno(), True)
            self.output = process.stdout.read()
            return process.wait(10)


def test_a_file_goes_after_the_data_from_its_offset(utils: Any, tmp_path: Path) -> None:
    """And the connection has its own method again afterwards."""
    (tmp_path / "f").write_bytes(CONTENT)
    connection = Connection("sh", "-c", 'cat > "$0"', str(tmp_path / "out"))
    said: list[int] = []
    stream, pace = utils("stream"), utils("pace").Pace(FakeSpool(), 0)
    assert stream.can_stream(connection)
    with (tmp_path / "f").open("rb") as file:
        flow = stream.Upload(file, MIB, len(CONTENT), pace, said.append)
        assert stream.exchange(connection, flow, connection.ask) == 0
    assert (tmp_path / "out").read_bytes() == b"first line\n" + CONTENT[MIB:]
    assert said == sorted(said)
    assert said[-1] == len(CONTENT)
    assert "_send_initial_data" not in vars(connection)


def test_a_program_that_reads_no_more_is_left_to_answer(utils: Any, tmp_path: Path) -> None:
    """A full disk, say: its own words are what counts."""
    (tmp_path / "f").write_bytes(CONTENT)
    connection = Connection("sh", "-c", "read -r line; echo no room")
    stream, pace = utils("stream"), utils("pace").Pace(FakeSpool(), 0)
    with (tmp_path / "f").open("rb") as file:
        flow = stream.Upload(file, 0, len(CONTENT), pace, lambda _: None)
        assert stream.exchange(connection, flow, connection.ask) == 0
    assert connection.output == b"no room\n"


def test_announced_bytes_are_taken_and_the_answer_left(utils: Any, tmp_path: Path) -> None:
    """Whatever a login says before them; not a byte more than announced."""
    command = 'read -r l; echo welcome; echo "MARK 5242883"; cat "$0"; echo "the $l"'
    part, stream = FakePart(), utils("stream")
    (tmp_path / "f").write_bytes(CONTENT)
    connection = Connection("sh", "-c", command, str(tmp_path / "f"))
    flow = stream.Download(part, "MARK", utils("pace").Pace(FakeSpool(), 0), lambda _: None)
    assert stream.exchange(connection, flow, connection.ask) == 0
    assert b"".join(part.pieces) == CONTENT
    assert connection.output == b"the first line\n"


def test_a_terminal_in_the_way_is_noticed(utils: Any) -> None:
    """It would change the bytes."""
    connection, stream = Connection("sh", "-c", r"read -r l; printf 'MARK 3\r\nabc'"), utils("stream")
    flow = stream.Download(FakePart(), "MARK", utils("pace").Pace(FakeSpool(), 0), lambda _: None)
    with pytest.raises(stream.NotClean):
        stream.exchange(connection, flow, connection.ask)


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_stop_is_soon_though_nobody_moves(utils: Any, tmp_path: Path, direction: str) -> None:
    """A cut cable: no byte comes or goes."""
    (tmp_path / "f").write_bytes(CONTENT)
    stream, pace = utils("stream"), utils("pace")
    began = time.monotonic()
    measured = pace.Pace(FakeSpool(began + 0.5), 0)
    connection = Connection("sleep", "30")
    with (tmp_path / "f").open("rb") as file:
        flow = (
            stream.Upload(file, 0, len(CONTENT), measured, lambda _: None)
            if direction == "up"
            else stream.Download(FakePart(), "MARK", measured, lambda _: None)
        )
        with pytest.raises(pace.Stopped):
            stream.exchange(connection, flow, connection.ask)
    assert time.monotonic() - began < 10


def test_a_limit_holds(utils: Any, tmp_path: Path) -> None:
    """5 MiB at 4 MiB/s take more than a second; what was there before does not count."""
    (tmp_path / "f").write_bytes(CONTENT)
    stream, pace = utils("stream"), utils("pace")
    for offset, limit, least, most in ((0, 4 * MIB, 1.2, 60), (4 * MIB, MIB, 0.9, 4.5)):
        connection, began = Connection("sh", "-c", "cat > /dev/null"), time.monotonic()
        with (tmp_path / "f").open("rb") as file:
            measured = pace.Pace(FakeSpool(), limit, offset)
            flow = stream.Upload(file, offset, len(CONTENT), measured, lambda _: None)
            stream.exchange(connection, flow, connection.ask)
        assert least < time.monotonic() - began < most


def test_other_connections_get_pieces(utils: Any) -> None:
    """Those without the method, and one of a future Ansible that takes something else."""

    class Another:
        def _send_initial_data(self, handle: io.IOBase, chunks: list[bytes]) -> None:
            """Not what a flow takes the place of."""

    assert not utils("stream").can_stream(object())
    assert not utils("stream").can_stream(Another())


def test_the_installed_ansible_lets_files_through(utils: Any) -> None:
    """Its ssh connection has the method that flows take the place of."""
    from ansible.plugins.connection.ssh import Connection as Ssh

    assert utils("stream").can_stream(Ssh.__new__(Ssh))


def test_patience_is_for_hosts_that_were_there(utils: Any) -> None:
    """One that was never reached is given up at once, and so is one that refuses a login."""
    from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure

    patience = utils("pace").Patience(FakeSpool())
    with pytest.raises(AnsibleConnectionFailure):
        patience.lost(AnsibleConnectionFailure("down"))
    patience.reached()
    patience.lost(AnsibleConnectionFailure("cut"))
    with pytest.raises(AnsibleAuthenticationFailure):
        patience.lost(AnsibleAuthenticationFailure("no"))
    stopped = utils("pace").Patience(FakeSpool(time.monotonic() - 1))
    stopped.reached()
    with pytest.raises(utils("pace").Stopped):
        stopped.lost(AnsibleConnectionFailure("cut"))
