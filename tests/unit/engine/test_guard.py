"""The process that ends a worker's plays when the worker can't."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapter.engine.guard import Guard

NewPlay = Callable[[Path], "subprocess.Popen[bytes]"]


@pytest.fixture
def new_play(tmp_path: Path) -> Iterator[NewPlay]:
    """Starts what looks like an ansible-playbook of a service on a private data directory."""
    program = tmp_path / "bin" / "ansible-playbook"
    program.parent.mkdir()
    program.write_text("import time\ntime.sleep(60)\n")
    plays: list[subprocess.Popen[bytes]] = []

    def new(private_data: Path) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "ADAPTER_SPOOL": str(private_data / "spool")}
        plays.append(subprocess.Popen([sys.executable, str(program)], env=environment))
        return plays[-1]

    yield new
    for play in plays:
        play.kill()
        play.wait()


def ended(play: subprocess.Popen[bytes], seconds: float = 15) -> bool:
    """True once it has."""
    until = time.monotonic() + seconds
    while play.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    return play.poll() is not None


def test_plays_end_when_beats_fail_to_come_and_again_until_one_comes(
    tmp_path: Path, new_play: NewPlay
) -> None:
    """A frozen worker that wakes may still start one; plays of another data directory are not its business."""
    guard = Guard(tmp_path / "artifacts", 2)
    mine = new_play(tmp_path / "artifacts" / "1" / "1" / "0")
    another = new_play(tmp_path / "artifacts2" / "1" / "1" / "0")
    for _ in range(8):
        guard.beat()
        time.sleep(0.5)
    assert mine.poll() is None
    assert ended(mine)
    late = new_play(tmp_path / "artifacts" / "1" / "2" / "0")
    assert ended(late)
    assert another.poll() is None
    guard.beat()
    time.sleep(1)  # it may be looking just now
    after = new_play(tmp_path / "artifacts" / "1" / "3" / "0")
    time.sleep(1)
    assert after.poll() is None
    guard.stop()
    assert ended(after)


def test_plays_end_with_the_worker(tmp_path: Path, new_play: NewPlay) -> None:
    """However it ends: its end of the pipe closes."""
    program = (
        "import os, sys, pathlib; from adapter.engine.guard import Guard\n"
        "guard = Guard(pathlib.Path(sys.argv[1]), 60); guard.beat(); print(guard.pid, flush=True)\n"
        "sys.stdin.read(); os.kill(os.getpid(), 9)\n"
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with worker:
        assert worker.stdout is not None
        guard = int(worker.stdout.readline())
        play = new_play(tmp_path / "1" / "1" / "0")
        time.sleep(0.5)
        assert play.poll() is None
    assert ended(play)
    until = time.monotonic() + 10
    while Path(f"/proc/{guard}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert not Path(f"/proc/{guard}").exists()


def test_a_guard_that_was_killed_is_replaced_at_the_next_beat(tmp_path: Path) -> None:
    """A worker is not without one for longer than that."""
    guard = Guard(tmp_path, 60)
    guard.beat()
    first = guard.pid
    assert first is not None
    os.kill(first, 9)
    until = time.monotonic() + 10
    while guard.pid == first and time.monotonic() < until:
        guard.beat()
        time.sleep(0.05)
    assert guard.pid != first
    guard.stop()
    assert guard.pid is None
