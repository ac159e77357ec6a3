"""Files that came with a request, put where the send play looks for files: while their step runs, for it alone.

At rest their contents are encrypted in the database (store.given_files). A run gets them as it would get files that
were fetched: in a cache by SHA-256, named by a manifest in the spool. The cache is the step's own and goes with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapter.engine.file_cache import place
from adapter.engine.providing import manifest_line, manifest_path, uploaded, write_manifest
from adapter.job.model import FileLog, FileTask, StepInstance
from adapter.job.status import FileType
from adapter.ports import Clock
from adapter.store.given_files import GivenFiles
from adapter.store.logs import LogStore

#: As a file has that somebody writes without thinking of its mode.
PLAIN_MODE = "644"


class GivenFilesGone(Exception):
    """The contents are kept no longer: the step ended too long ago to be run again."""


@dataclass(frozen=True, kw_only=True)
class Placing:
    """Places them below `directory`, in a part of it that is this process's."""

    contents: GivenFiles
    clock: Clock
    directory: Path
    _own: str = field(default_factory=lambda: secrets.token_hex(8))

    @contextlib.contextmanager
    def placed(self, step: StepInstance, spool: Path, logs: LogStore) -> Iterator[Path | None]:
        """The cache of the step's given files while this lasts; None if it has none. Raises GivenFilesGone."""
        if step.file is None or not step.file.has_given:
            yield None
            return
        contents = self.contents.of(step.id)
        cache = self.directory / self._own / f"{step.id}.{step.execute_count}"
        manifests = {number: manifest_path(spool, number) for number in _given(step.file)}
        if set(contents) != set(manifests):
            raise GivenFilesGone("the contents of its files are kept no longer; push them again")
        try:
            for number in manifests:
                name = step.file.sources[number].files[0]
                entry = _place(cache, name, contents[number])
                write_manifest(spool, number, [manifest_line(name, [entry])])
            logs.save_file_logs(step.id, step.execute_count, list(self._uploads(step.file, contents)))
            yield cache
        finally:
            for path in manifests.values():
                path.unlink(missing_ok=True)
            shutil.rmtree(cache, ignore_errors=True)

    def remove_earlier(self) -> None:
        """What processes that were killed have left. Only one process at a time works on a data directory."""
        for left in self.directory.glob("*"):
            if left.name != self._own:
                shutil.rmtree(left, ignore_errors=True)

    def _uploads(self, task: FileTask, contents: Mapping[int, bytes]) -> Iterator[FileLog]:
        for number, content in contents.items():
            told = {"size": len(content), "progress": 100}
            yield uploaded(
                task.sources[number].files[0], self.clock, status=4, status_desc="finished", **told
            )


def _given(task: FileTask) -> list[int]:
    return [number for number, source in enumerate(task.sources) if source.file_type is FileType.BASE64_FILE]


def _place(cache: Path, name: str, content: bytes) -> dict[str, Any]:
    """The entry of a manifest for a file that is in the cache now."""
    sha256 = hashlib.sha256(content).hexdigest()
    file = place(cache, sha256)
    for path in (cache.parent.parent, cache.parent, cache, file.parent):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_bytes(content)
    kind = {"type": "file", "name": name, "path": name, "mode": PLAIN_MODE}
    return {**kind, "size": len(content), "sha256": sha256}
