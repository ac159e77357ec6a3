"""The batches of a transfer that rolls by its file sources: which files of which hosts each has (contract e).

Sources stay in their order. One with more hosts or files than a batch may have is cut into batches of its own, for
each part of its hosts each part of its files; of the others, as many neighbours as fit together are one batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from adapter.job.model import FileSource, FileTask
from adapter.job.rolling import Rolling

T = TypeVar("T")

Sources = tuple[FileSource, ...]


def file_batches(sources: Sequence[FileSource], rolling: Rolling) -> tuple[Sources, ...]:
    """The sources of each batch, as bk-job's FileSourceBatchCalculator cuts them."""
    batches: list[Sources] = []
    together: list[FileSource] = []
    for source in sources:
        if not _fits([source], rolling):
            if together:
                batches.append(tuple(together))
                together = []
            batches.extend((part,) for part in _parts(source, rolling))
        elif _fits([*together, source], rolling):
            together.append(source)
        else:
            batches.append(tuple(together))
            together = [source]
    return (*batches, tuple(together)) if together else tuple(batches)


def of_batch(task: FileTask, rolling: Rolling, batch: int) -> FileTask:
    """What the transfer does in one batch; the first is 1."""
    return replace(task, sources=file_batches(task.sources, rolling)[batch - 1])


def _fits(sources: Sequence[FileSource], rolling: Rolling) -> bool:
    hosts = sum(len(source.hosts) for source in sources)
    files = sum(len(source.files) for source in sources)
    return hosts <= (rolling.max_source_hosts or hosts) and files <= (rolling.max_files or files)


def _parts(source: FileSource, rolling: Rolling) -> Iterator[FileSource]:
    for hosts in _portions(source.hosts, rolling.max_source_hosts):
        for files in _portions(source.files, rolling.max_files):
            yield replace(source, hosts=hosts, files=files)


def _portions(items: tuple[T, ...], most: int | None) -> Iterator[tuple[T, ...]]:
    size = most or len(items)
    for start in range(0, len(items), size):
        yield items[start : start + size]
