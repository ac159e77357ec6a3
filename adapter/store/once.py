"""Launches that happen at most once: which job a caller's key stands for."""

from __future__ import annotations

import sqlalchemy as sa

from adapter.errors import KeyUsed
from adapter.job.commands import Caller
from adapter.store import tables
from adapter.store.secrets import SecretBox

_once = tables.launched_once
_FIND = sa.select(_once).where(_once.c.app_code == sa.bindparam("app"), _once.c.key == sa.bindparam("key"))


class KeyTaken(Exception):
    """Another launch with the same key was stored first; nothing was stored of this one."""


def launched_once(connection: sa.Connection, box: SecretBox, caller: Caller) -> int | None:
    """The job instance that the caller's key stands for; None if it has no key, or a new one.

    Raises KeyUsed if it stands for another request.
    """
    if caller.once is None:
        return None
    row = connection.execute(_FIND, {"app": caller.app_code, "key": caller.once.key}).one_or_none()
    if row is None:
        return None
    if row.fingerprint != box.fingerprint(caller.once.digest):
        raise KeyUsed(row.job_instance_id)
    return int(row.job_instance_id)


def mark_launched(connection: sa.Connection, box: SecretBox, caller: Caller, job_instance_id: int) -> None:
    """From now on the caller's key, if it has one, stands for the job. Raises KeyTaken."""
    if caller.once is None:
        return
    values = {
        "app_code": caller.app_code,
        "key": caller.once.key,
        "fingerprint": box.fingerprint(caller.once.digest),
        "job_instance_id": job_instance_id,
    }
    try:
        connection.execute(sa.insert(_once).values(values))
    except sa.exc.IntegrityError as error:
        raise KeyTaken from error
