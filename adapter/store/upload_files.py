"""The bytes of uploads: `<ab>/<id>.part` while they come, `<ab>/<id>` once they are all there.

One request at a time adds to a part, on whatever node: it holds the file's lock. A part that nobody finished stays
as far as it has come. Names of users' files are no part of this: an id is ours.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PIECE = 1024 * 1024
_PART = ".part"
#: Bytes that are left free: the service's own tables may lie on the same disk.
RESERVE = 64 * 1024 * 1024


class PartBusy(Exception):
    """Somebody else adds to it."""


@dataclass(frozen=True)
class UploadFiles:
    """`directory` is made when it is needed. Several nodes share it, or each has only what came to it."""

    directory: Path

    def whole(self, upload_id: str) -> Path:
        """Where the file is once it is whole."""
        return self.directory / upload_id[:2] / upload_id

    def kept(self, upload_id: str) -> int:
        """Bytes of its part."""
        try:
            return self._part(upload_id).stat().st_size
        except FileNotFoundError:
            return 0

    def room(self) -> int:
        """Bytes that there is room for."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return max(0, shutil.disk_usage(self.directory).free - RESERVE)

    def open(self, upload_id: str) -> Part:
        """Its part, to add to; whoever opens it closes it. Raises PartBusy, OSError."""
        path = self._part(upload_id)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_there = _is_same(descriptor, path)
            except BlockingIOError:
                os.close(descriptor)
                raise PartBusy from None
            except BaseException:
                os.close(descriptor)
                raise
            if is_there:
                return Part(descriptor, path, self.whole(upload_id))
            os.close(descriptor)  # it has just become whole, or was removed

    def remove(self, upload_id: str) -> None:
        """The file and its part."""
        for path in (self.whole(upload_id), self._part(upload_id)):
            path.unlink(missing_ok=True)

    def older_than(self, seconds: float) -> Iterator[str]:
        """Ids of files and parts that were written last before that time of the epoch."""
        for path in self.directory.glob("??/*"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < seconds:
                    yield path.name.removesuffix(_PART)

    def _part(self, upload_id: str) -> Path:
        return self.whole(upload_id).with_name(f"{upload_id}{_PART}")


class Part:
    """A file on its way. `size` are the bytes that there are; what they were is in the sum."""

    def __init__(self, descriptor: int, path: Path, final: Path) -> None:
        self._descriptor = descriptor
        self._path = path
        self._final = final
        self._digest = hashlib.sha256()
        self.size = os.fstat(descriptor).st_size

    def go_on_at(self, offset: int) -> None:
        """Keep the first `offset` bytes. Reads them: not for an event loop. Raises OSError."""
        os.ftruncate(self._descriptor, offset)
        self._digest = hashlib.sha256()
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        while piece := os.read(self._descriptor, _PIECE):
            self._digest.update(piece)
        self.size = offset

    def add(self, piece: bytes) -> None:
        """The next bytes. Raises OSError; then as many of them are there as `size` says."""
        left = memoryview(piece)
        while left:
            written = os.write(self._descriptor, left)
            self._digest.update(left[:written])
            self.size += written
            left = left[written:]

    def sync(self) -> str:
        """Have it on the disk for certain; its SHA-256. Raises OSError."""
        os.fsync(self._descriptor)
        return self._digest.hexdigest()

    def place(self) -> None:
        """Put it into its place, for certain. Raises OSError."""
        self._path.rename(self._final)
        directory = os.open(self._final.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def discard(self) -> None:
        """Leave nothing of it: it is wanted no more."""
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of it; it stays as far as it has come."""
        os.close(self._descriptor)


def _is_same(descriptor: int, path: Path) -> bool:
    try:
        return os.fstat(descriptor).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False
