"""What jobs' callback_urls are to be told, written with the job's end; and the log of telling it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from adapter.job.callbacks import Callback, CallbackState, Delivery, callback_body
from adapter.job.status import RunStatus
from adapter.store import tables
from adapter.store.transactions import is_id

_job = tables.job_instance
_step = tables.step_instance
_callback = tables.callback
_delivery = tables.callback_delivery

#: POSTs of one job that are remembered: older ones go as newer ones come.
MAX_DELIVERIES = 100


def has_callback(status: RunStatus) -> sa.ColumnElement[bool]:
    """True of a job that calls back when it ends with this status; one that is being stopped ends STOPPED."""
    ends_told = sa.or_(_job.c.status == RunStatus.STOPPING, sa.literal(status.calls_back))
    return sa.and_(sa.func.coalesce(_job.c.callback_url, "") != "", ends_told)


def owe_callback(connection: sa.Connection, job_instance_id: int, now_ms: int) -> None:
    """Write down what the job, which has just ended and has a callback, is to tell of this completion."""
    job = connection.execute(sa.select(_job).where(_job.c.id == job_instance_id)).one()
    steps = (
        sa.select(_step.c.id, _step.c.status)
        .where(_step.c.job_instance_id == job_instance_id)
        .order_by(_step.c.order, _step.c.id)
    )
    told = [(row.id, RunStatus(row.status)) for row in connection.execute(steps)]
    connection.execute(
        sa.insert(_callback).values(
            job_instance_id=job_instance_id,
            completion=job.completions,
            body=callback_body(job_instance_id, RunStatus(job.status), told),
            state=CallbackState.WAITING,
            create_time=now_ms,
        )
    )


class CallbackStore:
    """The tables `callback` and `callback_delivery`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def of_job(self, job_instance_id: int) -> tuple[Callback, ...]:
        """What the job has had to tell, in order."""
        if not is_id(job_instance_id):
            return ()
        statement = (
            sa.select(_callback)
            .where(_callback.c.job_instance_id == job_instance_id)
            .order_by(_callback.c.completion)
        )
        with self._engine.begin() as connection:
            return tuple(_to_callback(row) for row in connection.execute(statement))

    def get(self, job_instance_id: int, completion: int) -> Callback | None:
        """One of them."""
        found = (callback for callback in self.of_job(job_instance_id) if callback.completion == completion)
        return next(found, None)

    def set_state(self, job_instance_id: int, completion: int, state: CallbackState) -> None:
        """Note what became of it. DELIVERED stays."""
        statement = (
            sa.update(_callback)
            .where(
                _callback.c.job_instance_id == job_instance_id,
                _callback.c.completion == completion,
                _callback.c.state != CallbackState.DELIVERED,
            )
            .values(state=state)
        )
        with self._engine.begin() as connection:
            connection.execute(statement)

    def log(self, job_instance_id: int, delivery: Delivery) -> None:
        """Remember a POST; the job's oldest is forgotten if there are more than MAX_DELIVERIES."""
        of_job = _delivery.c.job_instance_id == job_instance_id
        newest = sa.select(_delivery.c.id).where(of_job).order_by(_delivery.c.id.desc()).limit(MAX_DELIVERIES)
        values = {
            "completion": delivery.completion,
            "attempt": delivery.attempt,
            "content_type": delivery.content_type,
            "url": delivery.url,
            "status": delivery.status,
            "error": delivery.error,
            "start_time": delivery.start_time,
            "duration": delivery.duration,
        }
        with self._engine.begin() as connection:
            connection.execute(sa.insert(_delivery).values(job_instance_id=job_instance_id, **values))
            connection.execute(sa.delete(_delivery).where(of_job, _delivery.c.id.not_in(newest)))

    def deliveries(self, job_instance_id: int) -> tuple[Delivery, ...]:
        """The POSTs of the job that are remembered, in order."""
        if not is_id(job_instance_id):
            return ()
        statement = (
            sa.select(_delivery)
            .where(_delivery.c.job_instance_id == job_instance_id)
            .order_by(_delivery.c.id)
        )
        with self._engine.begin() as connection:
            return tuple(_to_delivery(row) for row in connection.execute(statement))


def _to_callback(row: sa.Row[Any]) -> Callback:
    return Callback(
        job_instance_id=row.job_instance_id,
        completion=row.completion,
        body=row.body,
        state=CallbackState(row.state),
        create_time=row.create_time,
    )


def _to_delivery(row: sa.Row[Any]) -> Delivery:
    return Delivery(
        completion=row.completion,
        attempt=row.attempt,
        content_type=row.content_type,
        url=row.url,
        status=row.status,
        error=row.error,
        start_time=row.start_time,
        duration=row.duration,
    )
