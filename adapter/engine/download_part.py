"""A file that is being downloaded into the cache: its bytes so far, and what the server said of them.

`<key>.part` beside it `<key>.known.part`, below the cache's directory `<ke>/`, where engine.file_cache lets what is
left of them lie for a day. What a server said of a whole file is kept as well: the next one who wants it asks only
whether it has changed. One at a time holds a part; whoever finds it held waits.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from adapter.engine.file_cache import place
from adapter.store.upload_files import RESERVE

_PIECE = 1024 * 1024
#: Bytes between looks at how much room is left.
_LOOK_EVERY = 16 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of the file that a part is of."""

    etag: str = ""  #: a strong one; "": the part is of no use to another attempt
    sums: dict[str, str] = field(default_factory=dict)  #: as the server says: "sha256", "md5"
    sha256: str = ""  #: of its bytes, once they were there
    size: int | None = None


class DownloadPart:
    """Held while held() lasts. Raises OSError for what the disk does not take."""

    def __init__(self, cache: Path, key: str) -> None:
        directory = cache / key[:2]
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._cache = cache
        self._path = directory / f"{key}.part"
        self._known_path = directory / f"{key}.known.part"
        self._file: BinaryIO | None = None
        self._unlooked = 0
        self._sha256, self._md5 = _digests()
        self.known = Known()
        self.size = 0  #: bytes there are

    def take(self) -> bool:
        """Hold it, if nobody else does."""
        file = self._path.open("a+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file.fileno()).st_ino != self._path.stat().st_ino:
                raise FileNotFoundError  # it has just been put into its place
        except (BlockingIOError, FileNotFoundError):
            file.close()
            return False
        self._file = file
        self.known = self._read_known()
        for path in (self._path, self._known_path):
            with contextlib.suppress(FileNotFoundError):
                os.utime(path)
        return True

    def let_go(self) -> None:
        """It stays as far as it has come; an empty one goes."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # a full disk was told when it was met
                self._file.flush()
            if os.fstat(self._file.fileno()).st_size == 0:
                self._path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    @property
    def whole(self) -> Path | None:
        """The file, if it is in the cache already, as it was when it was last downloaded; it counts as used now."""
        if not (self.known.sha256 and self.known.etag):
            return None
        path = place(self._cache, self.known.sha256)
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        return path

    def take_up(self) -> Iterator[None]:
        """Look through what is there, piece by piece."""
        assert self._file is not None
        self._file.seek(0)
        self._sha256, self._md5 = _digests()
        self.size = 0
        while piece := self._file.read(_PIECE):
            self._note(piece)
            yield

    def begin(self, known: Known) -> None:
        """It is a part of this file from now on, and empty."""
        assert self._file is not None
        self._file.truncate(0)
        self._sha256, self._md5 = _digests()
        self.size = 0
        self._keep(known)

    def require_room(self, size: int | None) -> None:
        """Raises OSError if the rest of so many bytes does not fit on the disk; then nothing is left of it."""
        self._unlooked = 0
        wanted = 0 if size is None else size - self.size
        if shutil.disk_usage(self._path.parent).free < wanted + RESERVE:
            self.begin(Known())
            raise OSError(errno.ENOSPC, "no room for it in the controller's cache")

    def add(self, piece: bytes) -> None:
        """The next bytes."""
        assert self._file is not None
        self._file.write(piece)
        self._note(piece)
        self._unlooked += len(piece)
        if self._unlooked > _LOOK_EVERY:
            self.require_room(None)

    def wrong(self) -> tuple[str, str, str] | None:
        """The first sum of the server's that the bytes do not have: its name, what it is, what it was to be."""
        have = {"sha256": self._sha256.hexdigest(), "md5": self._md5.hexdigest()}
        return next(
            ((name, have[name], text) for name, text in self.known.sums.items() if have[name] != text), None
        )

    def complete(self) -> Known:
        """Put it into its place in the cache."""
        assert self._file is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        sha256 = self._sha256.hexdigest()
        final = place(self._cache, sha256)
        final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.rename(final)
        self._keep(Known(etag=self.known.etag, sha256=sha256, size=self.size))
        return self.known

    def _note(self, piece: bytes) -> None:
        self._sha256.update(piece)
        self._md5.update(piece)
        self.size += len(piece)

    def _keep(self, known: Known) -> None:
        self.known = known
        self._known_path.write_text(json.dumps(asdict(known)))

    def _read_known(self) -> Known:
        try:
            return Known(**json.loads(self._known_path.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return Known()  # never written, or cut off by a crash: it is only worth a new download


@contextlib.contextmanager
def held(part: DownloadPart) -> Iterator[DownloadPart]:
    """A part that was taken, until it is let go."""
    try:
        yield part
    finally:
        part.let_go()


def _digests() -> tuple[Any, Any]:
    return hashlib.sha256(), hashlib.md5(usedforsecurity=False)
