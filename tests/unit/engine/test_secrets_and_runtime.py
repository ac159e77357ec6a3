"""Secrets on a socket, in a directory that nobody else could have prepared."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from pathlib import Path

import pytest

from adapter.engine.runtime import runtime_dir
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


def test_a_directory_that_somebody_prepared_is_refused(base: Path, tmp_path: Path) -> None:
    """Open to others, a link or a file: each is named and nothing is put into it."""
    expected = runtime_dir(tmp_path)
    expected.chmod(0o755)
    with pytest.raises(RuntimeError, match=f"{expected} is not a private directory"):
        runtime_dir(tmp_path)
    expected.rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    expected.symlink_to(elsewhere)
    with pytest.raises(RuntimeError, match="is not a private directory"):
        runtime_dir(tmp_path)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a directory of somebody else's")
def test_a_directory_of_somebody_else_is_refused(base: Path, tmp_path: Path) -> None:
    """In /tmp anybody may have made it first."""
    expected = runtime_dir(tmp_path)
    os.chown(expected, 65534, 65534)
    with pytest.raises(RuntimeError, match="is not a private directory"):
        runtime_dir(tmp_path)
