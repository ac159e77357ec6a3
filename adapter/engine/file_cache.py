"""The controller's cache of files is bounded: the least recently used go, but nothing a running step may send."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

#: Seconds after which a part that nobody goes on with is of no use.
_STALE_PART = 24 * 3600
#: Of the disk's size, what the cache leaves free: the service's tables and logs may lie there too.
_LEFT_FREE = 0.1


def place(cache: Path, sha256: str) -> Path:
    """Where the bytes of that digest are in a cache, as adapter.job.fetch and adapter.job.send know it."""
    return cache / sha256[:2] / sha256


@dataclass(frozen=True, order=True)
class _Held:
    used: float  #: when, as mtime has it: adapter.job.fetch touches what it finds
    size: int
    path: Path


class FileCache:
    """`limit` is in bytes. A step that needs more at once gets it; the bound is kept again once it has ended."""

    def __init__(self, directory: Path, limit: int) -> None:
        self.directory = directory
        self._limit = limit
        self._begun: list[float] = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """While this lasts nothing goes that was used since it began. Afterwards the cache is trimmed."""
        began = time.time()
        with self._lock:
            self._begun.append(began)
        try:
            yield
        finally:
            with self._lock:
                self._begun.remove(began)
            self.trim()

    def trim(self) -> None:
        """Remove what is too much and parts that are stale. What cannot be removed is told in the service's log."""
        try:
            with self._lock:
                removed = self._trim(time.time())
        except OSError as error:
            log.warning("file_cache_not_trimmed", error=str(error))
        else:
            if removed:
                log.info("file_cache_trimmed", files=len(removed), bytes=sum(held.size for held in removed))

    def _trim(self, now: float) -> list[_Held]:
        until = min(self._begun, default=now + 1)
        if now < until - 1:
            return []  # the clock was set back: what is in use cannot be told from what is old
        held = sorted(self._held())
        if not held:
            return []
        total, removed = sum(item.size for item in held), []
        disk = shutil.disk_usage(self.directory)
        most = min(self._limit, total + disk.free - int(disk.total * _LEFT_FREE))
        for item in held:
            is_stale = item.path.suffix == ".part" and item.used < now - _STALE_PART
            if item.used < until and (total > most or is_stale):
                item.path.unlink(missing_ok=True)
                total -= item.size
                removed.append(item)
        return removed

    def _held(self) -> Iterator[_Held]:
        for path in self.directory.glob("??/*"):
            with contextlib.suppress(FileNotFoundError):
                found = path.stat()
                yield _Held(found.st_mtime, found.st_size, path)
