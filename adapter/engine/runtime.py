"""A private directory for sockets: short paths (a socket's may have 108 bytes) that nobody else can prepare."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from pathlib import Path


def runtime_dir(data_dir: Path) -> Path:
    """`$XDG_RUNTIME_DIR/adapter-…` or `/tmp/adapter-<uid>-…`, one for each data directory, made if needed.

    Raises RuntimeError if somebody else owns it.
    """
    digest = hashlib.sha256(str(data_dir).encode()).hexdigest()[:8]
    given = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nonexistent")  # `su` hands on one that is another's
    base = given if given.is_dir() and given.stat().st_uid == os.getuid() else Path(tempfile.gettempdir())
    path = base / f"adapter-{os.getuid()}-{digest}"
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise RuntimeError(f"{path} is not a private directory of user {os.getuid()}; remove it")
    return path
