# SPDX-License-Identifier: GPL-3.0-or-later
"""The spool: where action plugins leave logs and results for the service that started this run.

`$ADAPTER_SPOOL/<bk_host_id>.log` is the host's output, written at its offset, so that writing it twice is
harmless; `<bk_host_id>.json` is the host's result, durable before anything is removed from the host;
`<bk_host_id>.told` says when the host was first told to start, `<bk_host_id>.started` that it has confirmed it;
`<bk_host_id>.files.jsonl` is the progress of files, one JSON object a line; `stop` tells every plugin to start
nothing more and why.
`source-<n>.<bk_host_id>.json` is what a source host offers, `cache/` beside it holds the bytes.

Without the variable (somebody runs the artifact by hand) nothing is spooled and nothing is remembered.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Seconds between attempts to write to a disk that is full.
_PAUSE = 1.0
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Spool:
    """One host's part of the spool."""

    def __init__(self, host_id: str) -> None:
        directory = os.environ.get("ADAPTER_SPOOL")
        self._directory = Path(directory) if directory else None
        self._host_id = host_id

    @property
    def is_active(self) -> bool:
        """True if the service started this run."""
        return self._directory is not None

    @property
    def key_suffix(self) -> str:
        """Added to the run's key on the host: a run by hand must not attach to the service's."""
        return "" if self.is_active else f".hand{os.getppid()}"

    def _path(self, suffix: str) -> Path:
        assert self._directory is not None
        return self._directory / f"{self._host_id}.{suffix}"

    def stop_reason(self) -> str | None:
        """ "terminate" or "timeout" once nothing more is to be done, else None."""
        if self._directory is None:
            return None
        try:
            return (self._directory / "stop").read_text() or "terminate"
        except FileNotFoundError:
            return None

    def result(self) -> dict[str, Any] | None:
        """The result an earlier run of this execution recorded."""
        if self._directory is None or not self._path("json").exists():
            return None
        value: dict[str, Any] = json.loads(self._path("json").read_text())
        return value

    def record(self, result: dict[str, Any]) -> None:
        """Make the host's result durable."""
        if self._directory is None:
            return
        _put(self._path("json"), json.dumps(result), durable=True)

    def turn_ends(self) -> float | None:
        """When this host's turn in this run ends, by time.monotonic(); None: it has all the time it needs."""
        seconds = os.environ.get("ADAPTER_WAIT")
        return time.monotonic() + float(seconds) if seconds and self.is_active else None

    def mark_told(self) -> bool:
        """Note that the host is about to be told to start; True if no attempt had come so far before.

        By a clock that nobody sets: it is the same for all processes of this machine until that starts anew.
        """
        if self._directory is None:
            return True
        path = self._path("told")
        if path.exists():
            return False
        _put(path, f"{_boot()} {time.monotonic()}")
        return True

    def was_told(self) -> bool:
        """True if the host may have been told to start."""
        return self._directory is not None and self._path("told").exists()

    def forget_told(self) -> None:
        """The connection was never there: nothing was told."""
        if self._directory is not None:
            self._path("told").unlink(missing_ok=True)

    def seconds_since_told(self) -> float:
        """How long ago the host was first told to start; 0 if it was not."""
        if self._directory is None:
            return 0.0
        path = self._path("told")
        try:
            boot, _, then = path.read_text().rpartition(" ")
            if boot == _boot():
                return max(0.0, time.monotonic() - float(then))
            # The machine was started anew since: only the clock that people set can tell.
            return max(0.0, time.time() - path.stat().st_mtime)
        except FileNotFoundError:
            return 0.0

    def is_started(self) -> bool:
        """True once the host has confirmed that it launched the script."""
        return self._directory is not None and self._path("started").exists()

    def mark_started(self) -> None:
        """Remember that the host launched the script: from here on it is never started, only followed."""
        if self._directory is not None:
            _patiently(self._path("started").touch)

    def log_size(self) -> int:
        """Bytes of output spooled so far: the offset to go on from."""
        if self._directory is None or not self._path("log").exists():
            return 0
        return self._path("log").stat().st_size

    def write_log(self, offset: int, content: bytes) -> None:
        """Put output at its offset."""
        if self._directory is None or not content:
            return
        path = self._path("log")

        def write() -> None:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                done = 0
                while done < len(content):
                    done += os.pwrite(descriptor, content[done:], offset + done)
            finally:
                os.close(descriptor)

        _patiently(write)

    def write_manifest(self, source: int, manifest: dict[str, Any]) -> None:
        """Say what this host offers for the source of that number."""
        path = self._files_directory() / f"source-{source}.{self._host_id}.json"
        _put(path, json.dumps(manifest))

    def manifest(self, source: int, host_id: int) -> dict[str, Any] | None:
        """What a source host offers; None if it never came to say so."""
        path = self._files_directory() / f"source-{source}.{host_id}.json"
        if not path.exists():
            return None
        value: dict[str, Any] = json.loads(path.read_text())
        return value

    def cached(self, sha256: str) -> Path:
        """Where the bytes of that digest are, or are to be."""
        cache = os.environ.get("ADAPTER_FILE_CACHE")
        directory = Path(cache) if cache else self._files_directory() / "cache"
        path = directory / sha256[:2] / sha256
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def _files_directory(self) -> Path:
        if self._directory is not None:
            return self._directory
        by_hand = Path.cwd().parent / "spool-by-hand"  # ansible-runner runs in the project directory
        by_hand.mkdir(mode=0o700, exist_ok=True)
        return by_hand

    def has_file_progress(self) -> bool:
        """True if an attempt at this step has spoken of this host's files before."""
        return self._directory is not None and self._path("files.jsonl").exists()

    def file_progress(self, **entry: Any) -> None:
        """Say how one file stands (keys as adapter.job.model.FileLog)."""
        if self._directory is None:
            return
        entry["time"] = int(time.time() * 1000)
        line = json.dumps(entry).encode() + b"\n"

        def write() -> None:
            with self._path("files.jsonl").open("ab", buffering=0) as file:
                end = file.tell()
                if file.write(line) != len(line):
                    file.truncate(end)  # half a line would spoil the next one
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        _patiently(write)


def _patiently(write: Callable[[], None]) -> None:
    """Returns when it is written. With no room it waits: that is no failure of the host's, and nothing is lost.

    Whoever started this run ends it if it is to end before.
    """
    while True:
        try:
            return write()
        except OSError as error:
            if error.errno not in _FULL:
                raise
            time.sleep(_PAUSE)


def _put(path: Path, text: str, *, durable: bool = False) -> None:
    """Write a file at once; `durable` survives a power cut."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")

    def write() -> None:
        with draft.open("w") as file:
            file.write(text)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        draft.rename(path)

    _patiently(write)


def _boot() -> str:
    """Which life of this machine it is; "" where it has no name."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
