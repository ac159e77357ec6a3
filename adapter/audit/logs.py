"""Is a host's stored log what the host printed, whole and once? Are the files told of as they were spooled?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from adapter.audit.finding import Disagreement, Kind
from adapter.job.model import FileLog, HostResult
from adapter.job.roll_up import tag_of
from adapter.job.status import HostStatus

#: How the service's own words begin, after what the host printed.
_OWN_WORDS = re.compile(rb"\n?\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] ")
_FINISHED, _FAILED = 4, 5
#: Ends that some file of the host must have the reason of.
_FILE_PROBLEMS = (HostStatus.COPY_FAILED, HostStatus.SOURCE_MISSING, HostStatus.FILE_FETCH_ERROR)


@dataclass(frozen=True, kw_only=True)
class SpooledLog:
    """What a host printed, as it was spooled."""

    size: int
    read: Callable[[int, int], bytes]  #: (offset, bytes)
    tail: str  #: what the tag is read from


def of_log(
    result: HostResult, chunks: Iterable[tuple[int, bytes]], spooled: SpooledLog | None
) -> Iterator[Disagreement]:
    """`chunks` are the stored ones in order of their offsets. `spooled` is None where the artifacts are not.

    Of a host that has not finished only the order is looked at.
    """
    end, differs, own = 0, -1, b""
    for offset, content in chunks:
        if offset != end:
            what = "a hole" if offset > end else "an overlap"
            yield Kind.LOG, f"{what}: bytes {min(offset, end)} to {max(offset, end)}"
        printed = content[: max(0, result.log_kept - offset)]
        if spooled is not None and differs < 0 and result.status.is_finished:
            differs = _first_difference(offset, printed, spooled.read(offset, len(printed)))
        own = (own + content[len(printed) :])[:64]
        end = max(end, offset + len(content))
    if not result.status.is_finished:
        return
    if end < result.log_kept:
        yield Kind.LOG, f"{result.log_kept} bytes should be stored, {end} are"
    if differs >= 0:
        yield Kind.LOG, f"differs from what the host printed, from byte {differs} on"
    if own and not _OWN_WORDS.match(own):
        yield (
            Kind.LOG,
            f"after the {result.log_kept} bytes that count as kept come {end - result.log_kept} more",
        )
    if spooled is not None:
        if spooled.size != result.log_kept:
            yield Kind.LOG, f"the host's {spooled.size} spooled bytes read as {result.log_kept} kept"
        if tag_of(spooled.tail) != result.tag:
            yield Kind.LOG, f"reads tag {result.tag!r}, the host printed {tag_of(spooled.tail)!r}"


def _first_difference(offset: int, one: bytes, other: bytes) -> int:
    """Where they differ, -1 if they do not."""
    if one == other:
        return -1
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    return offset + (min(len(one), len(other)) if same is None else same)


def of_files(result: HostResult, entries: Sequence[FileLog]) -> Iterator[Disagreement]:
    """A target's state against what is told of the files it should have got."""
    mine = [entry for entry in entries if entry.mode == 1 and entry.bk_host_id == result.host.bk_host_id]
    if result.status is HostStatus.SUCCESS:
        for entry in mine:
            if entry.status != _FINISHED:
                yield Kind.FILE, f"reads SUCCESS, {_file(entry)} reads {entry.status} {entry.status_desc}"
    elif result.status in _FILE_PROBLEMS and not any(entry.status == _FAILED for entry in mine):
        yield Kind.FILE, f"reads {result.status.name}, none of its {len(mine)} files has failed"


def same_files(stored: Iterable[FileLog], spooled: Iterable[FileLog]) -> tuple[FileLog, ...]:
    """What is stored of the files that the plugins spoke of."""
    known = {_key(entry) for entry in spooled}
    return tuple(entry for entry in stored if _key(entry) in known)


def of_file_logs(stored: Iterable[FileLog], spooled: Iterable[FileLog]) -> Iterator[Disagreement]:
    """The newest word of the plugins on each file must be what is stored."""
    known = {_key(entry): entry for entry in stored}
    for entry in spooled:
        found = known.get(_key(entry))
        if found is None:
            yield Kind.FILE, f"{_file(entry)} ({entry.status_desc}) is not stored"
        elif found != entry:
            yield Kind.FILE, f"{_file(entry)} reads {_standing(found)}, the plugin said {_standing(entry)}"


def _key(entry: FileLog) -> tuple[object, ...]:
    return entry.mode, entry.src_host_id, entry.src_path, entry.dest_host_id, entry.dest_path


def _file(entry: FileLog) -> str:
    return entry.dest_path if entry.mode == 1 else f"{entry.src_path} on host {entry.src_host_id}"


def _standing(entry: FileLog) -> str:
    return f"{entry.status} {entry.status_desc} {entry.progress}%"
