# SPDX-License-Identifier: GPL-3.0-or-later
"""A file on its way into the controller's cache: `<sha256>.part` beside its place, until its bytes have that sum.

One process at a time adds to a part; others wait for it and find the file. A part that nobody finished (a killed
run, a connection that did not come back) is gone on with by whoever needs the same bytes next.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from ansible_collections.adapter.job.plugins.plugin_utils.pace import BLOCK

_PIECE = 1024 * 1024
#: Bytes that are left free on the controller: the service's own tables may lie on the same disk.
_RESERVE = 64 * 1024 * 1024


class CachePart:
    """Held while `with` lasts; `wait` is called while another process holds it, and may raise."""

    def __init__(self, final: Path, size: int, wait: Callable[[], None]) -> None:
        self._final = final
        self._path = final.with_name(f"{final.name}.part")
        self._whole = size
        self._wait = wait
        self._file: BinaryIO | None = None
        self._digest: Any = None
        #: Bytes there are.
        self.size = 0
        self.is_complete = False

    def __enter__(self) -> CachePart:
        """Returns when the file is there or is ours to bring. Raises OSError if there is no room for it."""
        while not self._is_there() and self._file is None:
            file = self._path.open("a+b")
            if self._is_ours(file):
                self._file = file
                self._take_up()
            else:
                file.close()
                self._wait()
        return self

    def __exit__(self, *_: object) -> None:
        """Lets go of the part; it stays as far as it has come."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # a full disk was told when it was met; the sum tells the rest
                self._file.close()

    def add(self, piece: bytes) -> None:
        """The next bytes. Raises OSError."""
        assert self._file is not None
        self._file.write(piece)
        self._digest.update(piece)
        self.size += len(piece)

    def go_on(self) -> None:
        """To be called before more is asked for: what came last may have been cut off within a block."""
        if self.size % BLOCK and self.size < self._whole:
            self._cut(self.size)

    def complete(self) -> bool:
        """Put it into its place if the sum is right; else it is empty again, and the answer False."""
        assert self._file is not None
        self._file.flush()
        if self._digest.hexdigest() != self._final.name:
            self._empty()
            return False
        os.fsync(self._file.fileno())
        self._path.rename(self._final)
        self.is_complete = True
        return True

    def discard(self) -> None:
        """Leave nothing: it is not wanted any more, or there is no room for it."""
        self._path.unlink(missing_ok=True)

    def _is_there(self) -> bool:
        try:
            os.utime(self._final)  # used now: what was used last stays longest
        except FileNotFoundError:
            return False
        self.is_complete = True
        return True

    def _is_ours(self, file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file.fileno()).st_ino != self._path.stat().st_ino:
                return False
        except (BlockingIOError, FileNotFoundError):
            return False  # somebody else brings it, or has just brought it
        if self._final.exists():
            self.discard()
            return False
        return True

    def _take_up(self) -> None:
        """Go on from what is there, at a whole block."""
        assert self._file is not None
        there = self._cut(min(os.fstat(self._file.fileno()).st_size, self._whole))
        if shutil.disk_usage(self._path.parent).free < self._whole - there + _RESERVE:
            self._file.close()
            self.discard()
            raise OSError(errno.ENOSPC, f"no room for {self._whole} bytes in the controller's cache")

    def _cut(self, size: int) -> int:
        """Keep the whole blocks within `size` bytes: a source is asked to go on at a block."""
        assert self._file is not None
        there = size // BLOCK * BLOCK
        self._file.truncate(there)
        self._file.seek(0)
        self._digest = hashed(self._file)
        self.size = there
        return there

    def _empty(self) -> None:
        assert self._file is not None
        self._file.truncate(0)
        self._file.seek(0)
        self._digest = hashlib.sha256()
        self.size = 0


def hashed(file: BinaryIO) -> Any:
    """A SHA-256 of what the file holds from its position on; that is then its end."""
    digest = hashlib.sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
    return digest
