"""What is no job's fault and passes: nobody may end a job for it."""

from __future__ import annotations

import errno
import sqlite3

import pytest
import sqlalchemy as sa

from adapter.engine.passing import is_passing


def of_sqlite(words: str) -> sa.exc.OperationalError:
    """As SQLAlchemy raises it."""
    return sa.exc.OperationalError("UPDATE", {}, sqlite3.OperationalError(words))


@pytest.mark.parametrize(
    "error",
    [
        of_sqlite("database or disk is full"),
        of_sqlite("disk I/O error"),
        of_sqlite("database is locked"),
        sa.exc.OperationalError("SELECT", {}, Exception("connection refused")),
        sa.exc.InterfaceError("SELECT", {}, Exception("gone"), connection_invalidated=True),
        sa.exc.TimeoutError("QueuePool limit"),
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
    ],
    ids=str,
)
def test_a_full_disk_and_a_database_that_is_away_pass(error: Exception) -> None:
    """The same may succeed later."""
    assert is_passing(error)


@pytest.mark.parametrize(
    "error",
    [
        of_sqlite("no such table: job_instance"),
        sa.exc.IntegrityError("INSERT", {}, Exception("unique")),
        FileNotFoundError(errno.ENOENT, "No such file"),
        ValueError("no"),
    ],
    ids=str,
)
def test_a_defect_does_not_pass(error: Exception) -> None:
    """Waiting for it would be for ever."""
    assert not is_passing(error)
