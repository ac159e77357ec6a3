"""Files that are on no host, put where the send play looks for files that were fetched.

Each kind of them has a provider, which brings what a source's path stands for into the file cache. What becomes of
each path is told by a manifest in the spool, as adapter.job.fetch tells it of a host: a path that cannot be had is
the targets' to report, and ends no step. (What came with a request is engine.given_files', in a cache of its own.)
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from adapter.engine.file_cache import place
from adapter.job.model import SERVICE_HOST, FileLog, FileSource, StepInstance
from adapter.job.status import FileType
from adapter.ports import Clock
from adapter.store.logs import LogStore

#: Seconds between looks at what is to become of the step, and between words on how far a file has come.
_LOOK, _WORDS = 0.2, 1.0

#: A file of a manifest: type ("file" or "directory", which is a tar), name, path, mode, size and sha256.
Entry = Mapping[str, Any]


class ProvidingEnded(Exception):
    """The step is to stop, or its time is up: its files are wanted no more."""


class Unavailable(Exception):
    """What a path stands for cannot be had, in words for the targets."""

    def __init__(self, message: str, *, is_missing: bool = False) -> None:
        super().__init__(message)
        self.state = "missing" if is_missing else "failed"  #: as adapter.job.send knows them


@dataclass(kw_only=True)
class Wanted:
    """One path of a source. `look` raises HandedOver or ProvidingEnded once the step does not go on here."""

    step: StepInstance
    source: FileSource
    path: str
    cache: Path  #: by SHA-256: `<ab>/<sha256>`
    look: Callable[[], None]
    note: Callable[..., None]
    _looked: float = field(default=0.0, init=False)
    _spoke: float = field(init=False)
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self._began = self._spoke = time.monotonic()

    def progress(self, done: int, size: int | None) -> None:
        """To be called for every piece: shows how far it has come, and raises what `look` does."""
        now = time.monotonic()
        if now - self._looked >= _LOOK:
            self._looked = now
            self.look()
        if now - self._spoke >= _WORDS:
            self._spoke = now
            percent = min(99, done * 100 // size) if size else 0
            self.note(status=0, status_desc="pulling", size=size, speed=self.speed(done), progress=percent)

    def speed(self, done: int) -> int:
        """Bytes a second so far."""
        return int(done / max(time.monotonic() - self._began, 0.001))

    def cached(self, sha256: str) -> Path:
        """Where the bytes of that digest are, or are to be renamed to; its directory is there."""
        path = place(self.cache, sha256)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path


class Provider(Protocol):
    """Has the files of one kind."""

    def provide(self, wanted: Wanted) -> Sequence[Entry]:
        """Bring all that the path stands for into the cache; what is there already counts as used now (mtime).

        Takes as long as it takes, and calls `wanted.progress` meanwhile. Raises Unavailable, or OSError.
        """


@dataclass(frozen=True, kw_only=True)
class Providing:
    """Provides the sources of a step. `cache` is the service's file cache."""

    providers: Mapping[FileType, Provider]
    cache: Path
    clock: Clock

    def provide(self, step: StepInstance, spool: Path, logs: LogStore, look: Callable[[], None]) -> None:
        """Bring the files of all sources that providers know into the cache. Raises what `look` raises."""
        for number, source in enumerate(step.file.sources if step.file else ()):
            if source.file_type in self.providers:
                files = [self._provided(step, source, path, logs, look) for path in source.files]
                write_manifest(spool, number, files)

    def _provided(
        self, step: StepInstance, source: FileSource, path: str, logs: LogStore, look: Callable[[], None]
    ) -> dict[str, Any]:
        """A line of the manifest."""

        def note(src_path: str = path, **changes: Any) -> None:
            logs.save_file_logs(step.id, step.execute_count, [uploaded(src_path, self.clock, **changes)])

        look()
        note(status=0, status_desc="pulling")
        wanted = Wanted(step=step, source=source, path=path, cache=self.cache, look=look, note=note)
        try:
            entries = self.providers[source.file_type].provide(wanted)
        except (Unavailable, OSError) as error:
            problem = str(error)
            if isinstance(error, OSError):
                problem = f"the controller cannot store {path}: {error}"
            note(status=5, status_desc="failed", content=problem)
            return manifest_line(path, state=getattr(error, "state", "failed"), message=problem)
        for entry in entries:
            size = entry["size"]
            told = {"size": size, "speed": wanted.speed(size), "progress": 100}
            note(entry["path"], status=4, status_desc="finished", **told)
        return manifest_line(path, entries)


def uploaded(path: str, clock: Clock, **changes: Any) -> FileLog:
    """How a file stands that the service sends."""
    service = SERVICE_HOST.bk_host_id
    return FileLog(
        bk_host_id=service, mode=0, src_host_id=service, src_path=path, time=clock.now_ms(), **changes
    )


def manifest_line(
    path: str, entries: Sequence[Entry] = (), *, state: str = "ok", message: str = ""
) -> dict[str, Any]:
    """What adapter.job.fetch writes of one path of a source."""
    return {"path": path, "kind": "file", "state": state, "message": message, "entries": list(entries)}


def manifest_path(spool: Path, number: int) -> Path:
    """Where adapter.job.send looks for what the service has of the source of that number."""
    return spool / f"source-{number}.{SERVICE_HOST.bk_host_id}.json"


def write_manifest(spool: Path, number: int, files: Sequence[Mapping[str, Any]]) -> None:
    """Tell what the service has of a source."""
    spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    manifest_path(spool, number).write_text(json.dumps({"files": files}))
