"""Secrets on a socket, in a directory that nobody else could have prepared."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapter.engine.runtime import leave, runtime_dir
from adapter.engine.secret_server import serve_secrets


def ask(path: Path, line: bytes) -> bytes:
    """The server's answer to a line."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(path))
        connection.sendall(line)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as reply:
            return reply.read()


def test_a_secret_is_answered_while_the_block_runs(runtime: Path) -> None:
    """By its name, with any text in it; after the block nothing is left."""
    secret = 'line\nbreak "quote" ü'
    with serve_secrets({"param": secret}, runtime) as path:
        assert path is not None
        for _ in range(3):
            assert json.loads(ask(path, b'"param"\n')) == {"value": secret}
    assert list(runtime.iterdir()) == []


def test_what_is_no_name_of_a_secret_gets_none(runtime: Path) -> None:
    """Unknown names, other JSON, no JSON: the server goes on."""
    with serve_secrets({"param": "secret"}, runtime) as path:
        assert path is not None
        for line in (b'"other"\n', b"[1]\n", b"{}\n", b"null\n"):
            assert json.loads(ask(path, line)) == {}
        for line in (b"no json\n", b"\xff\n", b"\n", b""):
            assert ask(path, line) == b""
        assert json.loads(ask(path, b'"param"\n')) == {"value": "secret"}


def test_without_secrets_there_is_no_socket(runtime: Path) -> None:
    """Most runs have none."""
    with serve_secrets({}, runtime) as path:
        assert path is None
        assert list(runtime.iterdir()) == []


def test_a_socket_is_gone_after_an_error(runtime: Path) -> None:
    """A run that breaks leaves no door open."""

    def broken() -> None:
        with serve_secrets({"a": "b"}, runtime):
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
    assert list(runtime.iterdir()) == []


@pytest.fixture
def base(monkeypatch: pytest.MonkeyPatch, runtime: Path) -> Path:
    """Where runtime directories are made in this test."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    return runtime


def test_a_data_directory_has_one_runtime_directory(base: Path, tmp_path: Path) -> None:
    """Private, the same each time, another for another data directory, short enough for a socket's path."""
    found = runtime_dir(tmp_path / "a")
    assert found == runtime_dir(tmp_path / "a") != runtime_dir(tmp_path / "b")
    assert found.parent == base
    assert found.stat().st_mode & 0o777 == 0o700
    assert len(str(found)) < 108 - 40


def test_without_xdg_it_is_in_the_temporary_directory(monkeypatch: pytest.MonkeyPatch, runtime: Path) -> None:
    """As on servers, where nobody is logged in."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(runtime))
    assert runtime_dir(runtime / "data").parent == runtime


def test_one_that_ansible_made_again_is_private_again(base: Path, tmp_path: Path) -> None:
    """A play that outlived its killed service makes its connections' directory, and this one above it, as usual."""
    expected = runtime_dir(tmp_path)
    leave(expected)
    (expected / "cp").mkdir(mode=0o700, parents=True)
    expected.chmod(0o755)
    assert runtime_dir(tmp_path) == expected
    assert expected.stat().st_mode & 0o777 == 0o700
    assert (expected / "cp").is_dir()
    leave(expected)


def test_a_directory_that_somebody_prepared_is_refused(base: Path, tmp_path: Path) -> None:
    """Open to others, a link or a file: each is named and nothing is put into it."""
    expected = runtime_dir(tmp_path)
    leave(expected)
    expected.mkdir()
    expected.chmod(0o775)
    with pytest.raises(RuntimeError, match=f"{expected} is not a private directory"):
        runtime_dir(tmp_path)
    expected.rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    expected.symlink_to(elsewhere)
    with pytest.raises(RuntimeError, match="is not a private directory"):
        runtime_dir(tmp_path)


LIVES = """
import sys
from pathlib import Path
from adapter.engine.runtime import leave, runtime_dir
path = runtime_dir(Path(sys.argv[1]))
(path / "wsocket").touch()
(path / "cp").mkdir(exist_ok=True)
print(path, flush=True)
sys.stdin.read()
"""


@contextmanager
def living(data_dir: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A process that has the runtime directory of a data directory; it ends in order with the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", LIVES, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        yield Path(process.stdout.readline().strip()), process


def test_what_a_killed_process_left_goes_with_the_next_start(base: Path, tmp_path: Path) -> None:
    """Of any data directory; that of a living process stays with all it has, and goes when that ends in order."""
    with living(tmp_path / "lives") as (lives, _), living(tmp_path / "dies") as (dead, process):
        process.kill()
        process.wait()
        assert {path.name for path in dead.iterdir()} == {"lock", "wsocket", "cp"}
        mine = runtime_dir(tmp_path / "mine")
        assert sorted(base.iterdir()) == sorted((lives, mine))
        assert (lives / "wsocket").exists()
        leave(mine)
        assert list(base.iterdir()) == [lives]
    assert list(base.iterdir()) == []


def test_the_same_data_directorys_begins_empty(base: Path, tmp_path: Path) -> None:
    """No socket of a killed process is taken for one that answers."""
    with living(tmp_path) as (dead, process):
        process.kill()
        process.wait()
        assert runtime_dir(tmp_path) == dead
        assert [path.name for path in dead.iterdir()] == ["lock"]
        leave(dead)


def test_two_processes_of_one_data_directory_share_it(base: Path, tmp_path: Path) -> None:
    """A service and an audit beside it: whoever ends last takes it away."""
    with living(tmp_path) as (shared, _):
        assert runtime_dir(tmp_path) == shared
        leave(shared)
        assert (shared / "wsocket").exists()
        runtime_dir(tmp_path)
    assert (shared / "wsocket").exists()
    leave(shared)
    assert list(base.iterdir()) == []


def test_what_is_no_runtime_directory_that_was_left_stays(base: Path, tmp_path: Path) -> None:
    """One without a lock, of an earlier version; open ones, links, other names. A removal that broke off ends."""
    uid = os.getuid()
    kept = ["00000001", "00000002", "backup", "00000003.tar"]
    for name in (*kept, "00000004.0123abcd"):
        (base / f"adapter-{uid}-{name}").mkdir(mode=0o700)
        (base / f"adapter-{uid}-{name}" / "file").touch()
    (base / f"adapter-{uid}-00000002" / "lock").touch()
    (base / f"adapter-{uid}-00000002").chmod(0o755)
    (base / f"adapter-{uid}-00000005").symlink_to(tmp_path)
    leave(runtime_dir(tmp_path))
    assert sorted(path.name for path in base.iterdir()) == sorted(
        f"adapter-{uid}-{name}" for name in (*kept, "00000005")
    )


def test_many_that_come_and_go_at_once(base: Path, tmp_path: Path) -> None:
    """Each finds the directory its own while it has it, whatever the others remove."""
    script = """
import sys
from pathlib import Path
from adapter.engine.runtime import leave, runtime_dir
for number in range(100):
    path = runtime_dir(Path("/data"))
    mine = path / sys.argv[1]
    mine.touch()
    assert mine.exists()
    mine.unlink()
    leave(path)
"""
    commands = [[sys.executable, "-c", script, f"p{number}"] for number in range(4)]
    processes = [subprocess.Popen(command) for command in commands]
    assert [process.wait(60) for process in processes] == [0] * 4
    assert list(base.iterdir()) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a directory of somebody else's")
def test_a_directory_of_somebody_else_is_refused(base: Path, tmp_path: Path) -> None:
    """In /tmp anybody may have made it first."""
    expected = runtime_dir(tmp_path)
    leave(expected)
    expected.mkdir(mode=0o700)
    os.chown(expected, 65534, 65534)
    with pytest.raises(RuntimeError, match="is not a private directory"):
        runtime_dir(tmp_path)
