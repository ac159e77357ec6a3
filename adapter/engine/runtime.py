"""A private directory for sockets: short paths (a socket's may have 108 bytes) that nobody else can prepare.

Every process that uses one holds a lock in it, which the kernel gives back however the process ends: what nobody
holds was left by processes that were killed, and goes when the next one wants a directory.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
from pathlib import Path
from typing import IO

_LOCK = "lock"
#: What follows the user's number; with a second part while it is removed.
_DIGEST = re.compile(r"[0-9a-f]{8}(\.[0-9a-f]{8})?")
#: The locks of this process, by directory.
_held: dict[Path, IO[bytes]] = {}


def runtime_dir(data_dir: Path) -> Path:
    """`$XDG_RUNTIME_DIR/adapter-…` or `/tmp/adapter-<uid>-…`, one for each data directory, made if needed.

    It is this process's, and perhaps others' as well, until leave() or the process's end. Removes those of any data
    directory that killed processes have left. Raises RuntimeError if somebody else owns it.
    """
    given = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nonexistent")  # `su` hands on one that is another's
    base = given if given.is_dir() and given.stat().st_uid == os.getuid() else Path(tempfile.gettempdir())
    of_us = f"adapter-{os.getuid()}-"
    for found in base.glob(f"{of_us}*"):
        if _DIGEST.fullmatch(found.name.removeprefix(of_us)):
            _remove_if_left(found)
    path = base / f"{of_us}{hashlib.sha256(str(data_dir).encode()).hexdigest()[:8]}"
    while True:
        with contextlib.suppress(FileNotFoundError):  # another process has just removed it
            _enter(path)
            if _is_of(_held[path], path):
                return path


def leave(path: Path) -> None:
    """This process needs it no more: it goes with the last that does."""
    lock = _held.pop(path, None)
    if lock is not None:
        lock.close()
        _remove_if_left(path)


def _enter(path: Path) -> None:
    """Raises FileNotFoundError if it is removed meanwhile; or the lock is then that of what is no more."""
    with contextlib.suppress(FileExistsError):  # not exist_ok: it may be gone again when that looks at it
        path.mkdir(mode=0o700)
    if _is_read_by_others(path):
        path.chmod(0o700)
    if not _is_private(path):
        raise RuntimeError(f"{path} is not a private directory of user {os.getuid()}; remove it")
    lock = (path / _LOCK).open("ab")
    fcntl.flock(lock, fcntl.LOCK_SH)  # whoever removes it has it for a moment
    if path in _held:
        _held[path].close()
    else:
        atexit.register(leave, path)
    _held[path] = lock


def _remove_if_left(path: Path) -> None:
    """Remove it if no process has it. One without a lock stays: an earlier version may live in it."""
    with contextlib.suppress(FileNotFoundError):
        if not _is_private(path):
            return
        if path.suffix:  # whoever was removing it has died
            shutil.rmtree(path, ignore_errors=True)
            return
        with (path / _LOCK).open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            if _is_of(lock, path):
                going = path.with_suffix(f".{secrets.token_hex(4)}")
                path.rename(going)  # at once: whoever comes now makes a new one
                shutil.rmtree(going, ignore_errors=True)


def _is_read_by_others(path: Path) -> bool:
    """True for a directory of ours that others may only look into. Raises FileNotFoundError.

    Ansible makes one if the directory of its connections is gone: a play that outlived its killed service, while
    the next one removed what that left.
    """
    found = path.lstat()
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return is_ours and bool(found.st_mode & 0o077) and not found.st_mode & 0o022


def _is_private(path: Path) -> bool:
    """Raises FileNotFoundError."""
    found = path.lstat()
    return (
        stat.S_ISDIR(found.st_mode)
        and found.st_uid == os.getuid()
        and not stat.S_IMODE(found.st_mode) & 0o077
    )


def _is_of(lock: IO[bytes], path: Path) -> bool:
    """True if it still is the lock of the directory that has this path now."""
    try:
        there = (path / _LOCK).stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(lock.fileno()), there)
