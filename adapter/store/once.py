"""Launches that happen at most once: which job a caller's key stands for."""

from __future__ import annotations

import sqlalchemy as sa

from adapter.errors import KeyUsed
from adapter.job.commands import Once
from adapter.store import tables
from adapter.store.secrets import SecretBox

_once = tables.launched_once
_FIND = sa.select(_once).where(_once.c.app_code == sa.bindparam("app"), _once.c.key == sa.bindparam("key"))


class KeyTaken(Exception):
    """Another launch with the same key was stored first; nothing was stored of this one."""


def launched_once(connection: sa.Connection, box: SecretBox, app_code: str, once: Once) -> int | None:
    """The job instance that the application's key stands for; None if it is a new one.

    Raises KeyUsed if it stands for another request.
    """
    row = connection.execute(_FIND, {"app": app_code, "key": once.key}).one_or_none()
    if row is None:
        return None
    if row.fingerprint != box.fingerprint(once.digest):
        raise KeyUsed(row.job_instance_id)
    return int(row.job_instance_id)


def mark_launched(
    connection: sa.Connection, box: SecretBox, app_code: str, once: Once, job_instance_id: int
) -> None:
    """From now on the application's key stands for the job. Raises KeyTaken."""
    values = {
        "app_code": app_code,
        "key": once.key,
        "fingerprint": box.fingerprint(once.digest),
        "job_instance_id": job_instance_id,
    }
    try:
        connection.execute(sa.insert(_once).values(values))
    except sa.exc.IntegrityError as error:
        raise KeyTaken from error
