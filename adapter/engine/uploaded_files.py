"""Uploaded files on their way to a run: linked into the file cache, or copied where they lie on another disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from adapter.engine.given_files import PLAIN_MODE
from adapter.engine.providing import Entry, Unavailable, Wanted
from adapter.store.upload_files import UploadFiles
from adapter.store.uploads import UploadStore

log = structlog.get_logger(__name__)

_PIECE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class UploadedFiles:
    """The provider of files that were uploaded to the service."""

    store: UploadStore
    files: UploadFiles

    def provide(self, wanted: Wanted) -> Sequence[Entry]:
        """The one file of a path, under its name. Raises Unavailable if it is gone, or on another machine."""
        found = self.store.find(wanted.path)
        if found is None or found.sha256 is None:
            raise Unavailable("the uploaded file is kept no longer; upload it again", is_missing=True)
        kept = self.files.whole(found.id)
        target = wanted.cached(found.sha256)
        if not _is_there(target):
            try:
                _bring(kept, target, found.sha256, wanted)
            except FileNotFoundError:
                log.warning("uploaded_file_not_here", path=found.path, directory=str(self.files.directory))
                raise Unavailable(
                    f"the uploaded file is not on this machine, in {self.files.directory}; set ADAPTER_UPLOAD_DIR "
                    "to a directory that all nodes share",
                    is_missing=True,
                ) from None
        kind = {"type": "file", "name": found.name, "path": wanted.path, "mode": PLAIN_MODE}
        return [{**kind, "size": found.size, "sha256": found.sha256}]


def _is_there(target: Path) -> bool:
    try:
        os.utime(target)  # used now: what was used last stays longest
    except FileNotFoundError:
        return False
    return True


def _bring(kept: Path, target: Path, sha256: str, wanted: Wanted) -> None:
    """The bytes are the same file where that is possible: nothing is ever written to either."""
    os.utime(kept)
    try:
        target.hardlink_to(kept)
    except FileExistsError:
        return  # another step has brought it
    except FileNotFoundError:
        raise
    except OSError:  # another disk, or one that knows no links
        _copy(kept, target, sha256, wanted)


def _copy(kept: Path, target: Path, sha256: str, wanted: Wanted) -> None:
    draft = target.with_name(f"{sha256}.{secrets.token_hex(4)}.part")
    digest, done, size = hashlib.sha256(), 0, kept.stat().st_size
    try:
        with kept.open("rb") as source, draft.open("xb") as copy:
            os.fchmod(copy.fileno(), 0o600)
            while piece := source.read(_PIECE):
                wanted.progress(done, size)
                copy.write(piece)
                digest.update(piece)
                done += len(piece)
        if digest.hexdigest() != sha256:
            raise Unavailable("the uploaded file was damaged; upload it again")
        draft.rename(target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
