"""The service's end of the spool: follows logs and file progress while a run goes on, reads results after it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from adapter.job.model import FileLog

#: Bytes of one log that are taken into the store at a time.
_CHUNK = 256 * 1024
#: Bytes of a log's end that a tag is looked for in.
TAIL = 65536
_FILE_LOG_FIELDS = frozenset(item.name for item in fields(FileLog))

LogChunk = tuple[int, int, bytes]  #: bk_host_id, offset, content


class SpoolReader:
    """Remembers how far each file was read. `stored` are the bytes of each host's log already in the store."""

    def __init__(self, directory: Path, host_ids: Iterable[int], stored: dict[int, int]) -> None:
        self._directory = directory
        self._host_ids = list(host_ids)
        self._offsets = dict(stored)
        self._lines: dict[Path, int] = {}

    def new_logs(self, only: int | None = None) -> Iterator[LogChunk]:
        """What hosts (or one host) printed since the last call, in chunks."""
        for host_id in self._host_ids if only is None else [only]:
            path = self._directory / f"{host_id}.log"
            try:
                size = path.stat().st_size
            except FileNotFoundError:
                continue
            offset = self._offsets.get(host_id, 0)
            if size <= offset:
                continue
            with path.open("rb") as file:
                file.seek(offset)
                while chunk := file.read(_CHUNK):
                    yield host_id, offset, chunk
                    offset += len(chunk)
            self._offsets[host_id] = offset

    def log_end(self, host_id: int) -> int:
        """Bytes of the host's log that are in the store or were handed out for it."""
        return self._offsets.get(host_id, 0)

    def lacks(self, host_id: int) -> bool:
        """True if some of these bytes are not here: another node stored them, and has them."""
        path = self._directory / f"{host_id}.log"
        return (path.stat().st_size if path.exists() else 0) < self.log_end(host_id)

    def add_log(self, host_id: int, text: str) -> LogChunk:
        """A chunk with the service's own words after what the host printed."""
        offset, content = self.log_end(host_id), text.encode("utf-8", "replace")
        self._offsets[host_id] = offset + len(content)
        return host_id, offset, content

    def tail(self, host_id: int, size: int = TAIL) -> str:
        """The end of what is spooled of the host's output."""
        path = self._directory / f"{host_id}.log"
        if not path.exists():
            return ""
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - size))
            return file.read().decode("utf-8", "replace")

    def new_file_logs(self, only: int | None = None) -> list[FileLog]:
        """The newest word on each file (of one host, if `only`) that something was said of since the last call."""
        newest: dict[tuple[Any, ...], FileLog] = {}
        for path in self._directory.glob(f"{'*' if only is None else only}.files.jsonl"):
            offset = self._lines.get(path, 0)
            if path.stat().st_size <= offset:
                continue
            with path.open("rb") as file:
                file.seek(offset)
                for line in file:
                    if not line.endswith(b"\n"):
                        break  # still being written
                    offset += len(line)
                    entry = _file_log(line)
                    newest[_place(entry)] = entry
            self._lines[path] = offset
        return list(newest.values())

    def result(self, host_id: int) -> dict[str, Any] | None:
        """What an action plugin recorded as the host's result."""
        path = self._directory / f"{host_id}.json"
        try:
            value: dict[str, Any] = json.loads(path.read_text())
        except FileNotFoundError:
            return None
        return value

    def stop(self, reason: str) -> None:
        """Tell every plugin of this run to start nothing more: "terminate" or "timeout"."""
        path = self._directory / "stop"
        if not path.exists():
            draft = self._directory / "stop.new"
            draft.write_text(reason)
            draft.rename(path)

    def go_on(self) -> None:
        """Take stop() back: other hosts have their turn now."""
        (self._directory / "stop").unlink(missing_ok=True)


def _place(entry: FileLog) -> tuple[Any, ...]:
    return entry.bk_host_id, entry.mode, entry.src_host_id, entry.src_path, entry.dest_path


def _file_log(line: bytes) -> FileLog:
    # Names of files may hold bytes that are no UTF-8; a database wants text.
    values: dict[str, Any] = {
        name: _text(value) if isinstance(value, str) else value
        for name, value in json.loads(line).items()
        if name in _FILE_LOG_FIELDS
    }
    return FileLog(**values)


def _text(value: str) -> str:
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", "�")
