"""The program that tells how runs stand: each state by its name, and nothing of the host is changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.collection.programs import text_of

_INSTALLATION = f"look{os.getpid()}"


class Host:
    """This machine's own runs."""

    def __init__(self) -> None:
        self.base = Path(f"/tmp/bkjob.{os.getuid()}")
        self.base.mkdir(mode=0o700, exist_ok=True)

    def run(self, name: str, **files: str) -> None:
        """A run directory with these files."""
        directory = self.base / f"{_INSTALLATION}.{name}"
        directory.mkdir()
        for file, text in files.items():
            (directory / file).write_text(text)

    def mine(self) -> dict[str, bytes]:
        """Every file of these runs."""
        found = sorted(self.base.glob(f"{_INSTALLATION}.*")) + sorted(self.base.glob(f"{_INSTALLATION}.*/*"))
        return {str(path): path.read_bytes() if path.is_file() else b"" for path in found}

    def look(self, shell: str = "sh", user: str = "") -> tuple[list[str], str]:
        """Lines, and the end."""
        argv = [shell, "-s", "look", _INSTALLATION, "mark", user, "101"]
        done = subprocess.run(argv, input=text_of("look.sh"), capture_output=True, text=True, check=True)
        begin, _, rest = done.stdout.partition("mark BEGIN -\n")
        lines, _, end = rest.rpartition("\nmark END ")
        assert begin == ""
        return sorted(lines.splitlines()), end.strip()

    def close(self) -> None:
        """Leave nothing."""
        for path in self.base.glob(f"{_INSTALLATION}.*"):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


@pytest.fixture
def host() -> Iterator[Host]:
    """Empty, and empty again afterwards."""
    made = Host()
    yield made
    made.close()


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_every_state_is_told_and_nothing_is_changed(host: Host, shell: str) -> None:
    """Other hosts' runs, runs by hand and other names are none of its business."""
    (host.base / f"{_INSTALLATION}.1.0.101").touch()
    host.run("2.0.101", launched="", pid=f"{os.getpid()}\n", out="12345")
    host.run("3.1.101", launched="", pid="4194305\n")
    host.run("4.0.101", launched="", pid="4194305\n", rc="timeout 143\n", out="x")
    host.run("5.0.101", launched="", pid="-\n")
    host.run("6.0.101", stop="")
    host.run("7.0.102", launched="")
    host.run("8.0.101.hand9", launched="")
    host.run("x.0.101", launched="")
    before = host.mine()
    assert host.look(shell) == (
        [
            "1 0 collected - 0 -",
            "2 0 running - 5 -",
            "3 1 lost - 0 -",
            f"4 0 timeout 143 1 {hashlib.sha256(b'x').hexdigest()}",
            "5 0 launching - 0 -",
            "6 0 unstarted - 0 -",
        ],
        "ok -",
    )
    assert host.mine() == before


def test_a_host_without_runs_and_one_where_somebody_else_logged_in(host: Host) -> None:
    """No lines; and the reason why it did not look."""
    assert host.look() == ([], "ok -")
    lines, end = host.look(user="somebody-else")
    assert lines == []
    assert end.startswith("wrong_user logged in as ")
