"""Which jobs a worker would take, if it had room for all."""

from __future__ import annotations

import sqlalchemy as sa

from adapter.store.jobs import JobStore
from adapter.store.tables import job_instance


def to_start(jobs: JobStore) -> list[int]:
    """Ids of the jobs that were started and are open, oldest first."""
    statement = sa.select(job_instance.c.id).where(job_instance.c.open, job_instance.c.started)
    with jobs._engine.begin() as connection:
        return list(connection.scalars(statement.order_by(job_instance.c.id)))
