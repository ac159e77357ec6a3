"""Has an inventory changed? Its files' names, sizes and times, compared."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

Fingerprint = frozenset[tuple[str, int, int, int, int]]

_BESIDE_A_FILE = ("group_vars", "host_vars", "ansible.cfg")
#: Files that editors and interpreters write, some of them while an inventory script runs.
_NOT_INVENTORY = (".pyc", ".swp", ".swx", "~", ".retry", ".log")


def fingerprint(path: Path) -> Fingerprint:
    """Differs from an earlier one if any file of the inventory was written, added, removed or replaced.

    For a directory that is everything in it, for a file also the group_vars and host_vars beside it.
    What a script or plugin reads elsewhere is not seen; that is what the time to live is for.
    """
    is_directory = os.path.isdir(path)  # noqa: PTH112 Path.is_dir raises where a parent may not be entered
    roots = [path] if is_directory else [path, *(path.parent / name for name in _BESIDE_A_FILE)]
    return frozenset(
        (file, status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
        for file, status in _files([os.fspath(root) for root in roots])
    )


def _files(waiting: list[str]) -> Iterator[tuple[str, os.stat_result]]:
    seen: set[tuple[int, int]] = set()  # directories, so that a link upwards ends
    while waiting:
        path = waiting.pop()
        try:
            status = os.stat(path)  # noqa: PTH116 a Path for each of very many files costs more than the stat
            if not stat.S_ISDIR(status.st_mode):
                yield path, status
            elif (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                waiting.extend(entry.path for entry in os.scandir(path) if _counts(entry.name))
        except OSError:
            continue  # gone, or not ours to read: Ansible will say so


def _counts(name: str) -> bool:
    return not name.startswith(".") and name != "__pycache__" and not name.endswith(_NOT_INVENTORY)
