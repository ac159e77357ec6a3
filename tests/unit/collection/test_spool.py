"""The spool: what a host has to say is written whole, also to a disk that is full for a while."""

from __future__ import annotations

import errno
import importlib
import json
import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.collection.programs import PROGRAMS


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of the collection, impatient."""
    monkeypatch.syspath_prepend(str(PROGRAMS.parents[4]))
    found = importlib.import_module("ansible_collections.adapter.job.plugins.plugin_utils.spool")
    monkeypatch.setattr(found, "_PAUSE", 0.01)
    return found


@pytest.fixture
def spool(module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Host 101's."""
    monkeypatch.setenv("ADAPTER_SPOOL", str(tmp_path))
    return module.Spool("101")


def test_a_log_is_whole_however_little_is_written_at_once(
    spool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No room, room for two bytes, no room again: it waits, and goes on where it was."""
    room = iter([0, 2, 0, 0, 2, 2, 2, 2])
    write = os.pwrite

    def little(descriptor: int, content: bytes, offset: int) -> int:
        some = next(room)
        if some == 0:
            raise OSError(errno.ENOSPC, "full")
        return write(descriptor, content[:some], offset)

    monkeypatch.setattr(os, "pwrite", little)
    spool.write_log(0, b"output")
    assert (tmp_path / "101.log").read_bytes() == b"output"


def test_another_error_is_not_waited_for(spool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be for ever."""

    def broken(*_: object) -> int:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "pwrite", broken)
    with pytest.raises(OSError, match="broken"):
        spool.write_log(0, b"output")


def test_how_long_ago_a_host_was_told_is_no_question_of_the_time_of_day(
    module: Any, spool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour back or forth changes nothing; another process sees the same; only a machine's start forgets."""
    assert spool.seconds_since_told() == 0
    assert spool.mark_told()
    assert not module.Spool("101").mark_told()
    time.sleep(0.2)
    real = time.time
    for jump in (-3600, 3600):
        monkeypatch.setattr(time, "time", lambda jump=jump: real() + jump)
        assert 0.2 <= module.Spool("101").seconds_since_told() < 60
    monkeypatch.setattr(module, "_boot", lambda: "another")
    assert 3600 <= spool.seconds_since_told() < 3660
    spool.forget_told()
    assert spool.mark_told()


def test_no_half_line_is_left_on_a_full_disk(
    module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Progress is written line by line; the one that found no room comes whole when there is some."""
    if os.getuid() != 0:
        pytest.skip("mounting needs root")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "small", tmp_path], check=False).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        monkeypatch.setenv("ADAPTER_SPOOL", str(tmp_path))
        spool, path = module.Spool("101"), tmp_path / "101.files.jsonl"

        def speak() -> None:
            for number in range(100):
                spool.file_progress(number=number, content="x" * 100)

        speaker = threading.Thread(target=speak)
        speaker.start()
        speaker.join(0.5)
        assert speaker.is_alive(), "the disk is full"
        assert path.read_bytes().endswith(b"\n")
        subprocess.run(["mount", "-o", "remount,size=1m", tmp_path], check=True)
        speaker.join(10)
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert [line["number"] for line in lines] == list(range(100))
    finally:
        subprocess.run(["umount", "--lazy", tmp_path], check=True)
