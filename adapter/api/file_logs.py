"""How JOB writes what became of a file: sizes, speeds, progress, and the line of log about it."""

from __future__ import annotations

from adapter.api.times import local_time
from adapter.job.model import FileLog

_UNITS = ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB"))
_NOT_YET = "--"


def size_text(size: int | None) -> str:
    """`9.0 Bytes`, `1.5 KB`: at most three decimals; "--" while unknown."""
    if size is None:
        return _NOT_YET
    for unit, name in _UNITS:
        if size >= unit:
            return f"{round(size / unit, 3)} {name}"
    return f"{float(size)} Bytes"


def speed_text(speed: int | None) -> str:
    """Whole KB/s."""
    return _NOT_YET if speed is None else f"{round(speed / 1024)} KB/s"


def progress_text(progress: int) -> str:
    """Percent."""
    return f"{progress}%"


def log_text(entry: FileLog) -> str:
    """One line in JOB's form (contract g), in the service's time zone."""
    at = "" if entry.time is None else f"[{local_time(entry.time)}] "
    detail = f" Detail: {entry.content.rstrip()}" if entry.content else ""
    return (
        f"{at}FileName: {entry.dest_path or entry.src_path} FileSize: {size_text(entry.size)} "
        f"Status: {entry.status} StatusDesc: {entry.status_desc} Speed: {speed_text(entry.speed)} "
        f"Progress: {progress_text(entry.progress)}{detail}\n"
    )
