"""Uploads as rows: who may send which file, which of them are whole, and which are still needed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import sqlalchemy as sa

from adapter import errors
from adapter.job.model import Scope, StepInstance
from adapter.job.plan import PlanStep
from adapter.job.status import FileType
from adapter.job.upload import Upload, id_in
from adapter.store import codec
from adapter.store.database import Turn, take_turns
from adapter.store.tables import is_unfinished, job_instance, job_plan, job_template, step_instance
from adapter.store.tables_uploads import upload as _upload
from adapter.store.tables_uploads import upload_use as _use
from adapter.store.transactions import Bind, is_storable, transaction

#: Uploads that one transaction should forget, and ids in one statement.
AT_ONCE = 20
_ASKED = 500


class UploadStore:
    """The table `upload`."""

    def __init__(self, bind: Bind) -> None:
        self._bind = bind

    def add(self, uploads: Iterable[Upload]) -> None:
        """Files that are to come."""
        rows = [_values(one) for one in uploads]
        with transaction(self._bind) as connection:
            connection.execute(sa.insert(_upload), rows)

    def get(self, upload_id: str) -> Upload | None:
        """By its id, whether it has come or not; None for any text that is none."""
        if not is_storable(upload_id):
            return None
        with transaction(self._bind) as connection:
            row = connection.execute(sa.select(_upload).where(_upload.c.id == upload_id)).one_or_none()
        return None if row is None else _of(row)

    def find(self, path: str) -> Upload | None:
        """By its path, which must be exactly that; whether it has come or not."""
        upload_id = id_in(path)
        found = None if upload_id is None else self.get(upload_id)
        return found if found is not None and found.path == path else None

    def require(self, scopes: Collection[Scope], path: str) -> Upload:
        """A whole file of one of these scopes. Raises LocalFileUnknown (1244023) for any other path."""
        found = self.find(path)
        if found is None or not found.is_whole or found.scope not in scopes:
            raise errors.LocalFileUnknown(path)
        return found

    def complete(
        self, upload_id: str, size: int, sha256: str, now_ms: int, place: Callable[[], None]
    ) -> bool:
        """Have the file put into its place, and say so; False if it was whole before, or is wanted no more.

        `place` is called while nobody else can do the same. What it raises leaves the upload as it was.
        """
        values = {"size": size, "sha256": sha256, "complete_time": now_ms}
        statement = sa.update(_upload).where(_upload.c.id == upload_id, _upload.c.sha256.is_(None))
        with transaction(self._bind) as connection:
            if connection.execute(statement.values(values)).rowcount != 1:
                return False
            place()
        return True

    def known(self, ids: Collection[str]) -> set[str]:
        """Those of these ids that are uploads."""
        ordered, found = sorted(ids), set[str]()
        for start in range(0, len(ordered), _ASKED):
            some = _upload.c.id.in_(ordered[start : start + _ASKED])
            with transaction(self._bind) as connection:
                found.update(connection.scalars(sa.select(_upload.c.id).where(some)))
        return found

    def removable(self, used_before: int | None, expired_before: int) -> list[str]:
        """What forget() would: whole ones that no launch has named since, others whose URL expired before.

        Never one that a job sends that has not ended, or that a template or plan names. Times are milliseconds;
        None: whole ones stay for ever.
        """
        with transaction(self._bind) as connection:
            ids = connection.scalars(_old(used_before, expired_before)).all()
            named = _named(connection) if ids else set()
        return [upload_id for upload_id in ids if upload_id not in named]

    def forget(self, ids: Collection[str], used_before: int | None, expired_before: int) -> list[str]:
        """Of a few removable() ones those that nobody has begun to use meanwhile; their rows are gone then."""
        of_these = _upload.c.id.in_(ids)
        with transaction(self._bind) as connection:
            take_turns(connection, Turn.RETENTION)
            # Whoever launches with one now waits for it to go, or has done so before the next question.
            connection.execute(sa.select(_upload.c.id).where(of_these).with_for_update())
            still = connection.scalars(_old(used_before, expired_before).where(of_these)).all()
            gone = sorted(set(still) - _named(connection))
            connection.execute(sa.delete(_upload).where(_upload.c.id.in_(gone)))
            connection.execute(sa.delete(_use).where(_use.c.upload_id.in_(gone)))
        return gone


def use_uploads(connection: sa.Connection, step: StepInstance) -> None:
    """Keep what a step sends, in the transaction that stores the step. Raises LocalFileUnknown if it is gone."""
    sources = step.file.sources if step.file else ()
    paths = dict.fromkeys(
        path for source in sources if source.file_type is FileType.LOCAL for path in source.files
    )
    if not paths:
        return
    named = {path: id_in(path) for path in paths}
    there = sa.select(_upload.c.id).where(_upload.c.id.in_(named.values()), _upload.c.sha256.is_not(None))
    found = set(connection.scalars(there.with_for_update(read=True)))
    for path, upload_id in named.items():
        if upload_id not in found:
            raise errors.LocalFileUnknown(path)
    rows = [{"step_instance_id": step.id, "upload_id": upload_id} for upload_id in sorted(found)]
    connection.execute(sa.insert(_use), rows)


def _old(used_before: int | None, expired_before: int) -> sa.Select[Any]:
    is_old = sa.and_(_upload.c.sha256.is_(None), _upload.c.expire_time < expired_before)
    if used_before is not None:
        is_needed = sa.exists().where(
            _use.c.upload_id == _upload.c.id,
            _use.c.step_instance_id == step_instance.c.id,
            step_instance.c.job_instance_id == job_instance.c.id,
            sa.or_(
                job_instance.c.create_time >= used_before, job_instance.c.open, is_unfinished(job_instance)
            ),
        )
        is_old = sa.or_(is_old, sa.and_(_upload.c.complete_time < used_before, sa.not_(is_needed)))
    return sa.select(_upload.c.id).where(is_old).order_by(_upload.c.create_time)


def _named(connection: sa.Connection) -> set[str]:
    """Ids of uploads that a template or a plan sends."""
    local = f'"file_type":{int(FileType.LOCAL)}'
    found = set[str]()
    for table in (job_template, job_plan):
        for text in connection.scalars(sa.select(table.c.steps).where(table.c.steps.contains(local))):
            for step in codec.loads_many(PlanStep, text):
                sources = step.file.sources if step.file else ()
                paths = (path for source in sources for path in source.files)
                found.update(filter(None, map(id_in, paths)))
    return found


def _values(one: Upload) -> dict[str, Any]:
    return {
        "id": one.id,
        "scope_type": one.scope.type,
        "scope_id": one.scope.id,
        "path": one.path,
        "name": one.name,
        "app_code": one.app_code,
        "creator": one.creator,
        "create_time": one.create_time,
        "token_secret": one.token_hash,
        "expire_time": one.expire_time,
    }


def _of(row: sa.Row[Any]) -> Upload:
    return Upload(
        id=row.id,
        scope=Scope(row.scope_type, row.scope_id),
        path=row.path,
        name=row.name,
        app_code=row.app_code,
        creator=row.creator,
        create_time=row.create_time,
        token_hash=row.token_secret,
        expire_time=row.expire_time,
        size=row.size,
        sha256=row.sha256,
        complete_time=row.complete_time,
    )
