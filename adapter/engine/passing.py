"""Troubles that are not a job's and pass: a disk that is full, a database that is away or locked."""

from __future__ import annotations

import errno

import sqlalchemy as sa

_FULL = (errno.ENOSPC, errno.EDQUOT)
#: SQLite has one class for these and for what no waiting mends, such as a table that is missing.
_SQLITE_WORDS = ("disk is full", "disk I/O error", "database is locked", "unable to open database file")


def is_passing(error: BaseException) -> bool:
    """True if the same may succeed later, on this machine or another, without anybody changing the job."""
    if isinstance(error, sa.exc.TimeoutError):
        return True
    if isinstance(error, sa.exc.DBAPIError):
        if error.connection_invalidated:
            return True
        is_sqlite = "sqlite" in type(error.orig).__module__
        is_known = not is_sqlite or any(words in str(error.orig) for words in _SQLITE_WORDS)
        return isinstance(error, sa.exc.OperationalError) and is_known
    return isinstance(error, OSError) and error.errno in _FULL
