"""The cache of files keeps its bound, and what is in use."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from adapter.engine.file_cache import FileCache


def put(cache: FileCache, name: str, size: int, age: float) -> Path:
    """A file of the cache that was used some seconds ago."""
    path = cache.directory / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def names(cache: FileCache) -> set[str]:
    """What is left."""
    return {path.name for path in cache.directory.glob("??/*")}


def test_the_least_recently_used_go_until_the_rest_fits(tmp_path: Path) -> None:
    """Oldest first, and no more than must."""
    cache = FileCache(tmp_path, 250)
    for number in range(5):
        put(cache, f"f{number}", 100, age=100 * (5 - number))
    cache.trim()
    assert names(cache) == {"f3", "f4"}
    cache.trim()
    assert names(cache) == {"f3", "f4"}


def test_what_a_running_step_has_used_stays(tmp_path: Path) -> None:
    """Whatever another step's end removes; the bound is kept again when the last has ended."""
    cache = FileCache(tmp_path, 100)
    put(cache, "old", 100, age=500)
    with cache.in_use():
        fetched = put(cache, "fetched", 300, age=-1)
        with cache.in_use():
            put(cache, "another", 50, age=-2)
        assert names(cache) == {"fetched", "another"}
        assert fetched.stat().st_size == 300
    assert names(cache) == {"another"}


def test_a_limit_of_nothing_keeps_nothing(tmp_path: Path) -> None:
    """Nor does a directory that is not there do harm."""
    cache = FileCache(tmp_path / "none", 0)
    cache.trim()
    with cache.in_use():
        put(cache, "used", 1, age=-1)
    assert names(cache) == set()


def test_parts_that_nobody_goes_on_with_go(tmp_path: Path) -> None:
    """After a day, whatever room there is; a younger one is gone on with."""
    cache = FileCache(tmp_path, 10**6)
    put(cache, "stale.part", 10, age=25 * 3600)
    put(cache, "young.part", 10, age=23 * 3600)
    put(cache, "file", 10, age=1000 * 3600)
    cache.trim()
    assert names(cache) == {"young.part", "file"}


def test_a_disk_that_gets_full_bounds_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the disk stays free although the limit would allow more."""
    cache = FileCache(tmp_path, 10**6)
    for number in range(5):
        put(cache, f"f{number}", 100, age=100 * (5 - number))

    class Disk:
        total, free = 1000, 0

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk)
    cache.trim()
    assert names(cache) == {"f1", "f2", "f3", "f4"}


def test_a_clock_that_was_set_back_removes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a step uses then looks older than the step."""
    cache = FileCache(tmp_path, 0)
    with cache.in_use():
        put(cache, "used", 100, age=3600)
        now = time.time()
        with monkeypatch.context() as patched:
            patched.setattr(time, "time", lambda: now - 3600)
            cache.trim()
        assert names(cache) == {"used"}
