"""What scripts left of a plan's variables, written with the results of their hosts."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from adapter.job.variables import CapturedValue
from adapter.store import job_rows, tables
from adapter.store.transactions import insert_for

_captured = tables.captured_value


def insert_captured(
    connection: sa.Connection, step_instance_id: int, execute_count: int, items: Iterable[CapturedValue]
) -> None:
    """Within a transaction of the caller's. The same host's value stays; for the job that of the first host counts.

    So it is nothing to the outcome in which order hosts end, or how often that is written.
    """
    rows = [job_rows.captured_values(step_instance_id, execute_count, item) for item in items]
    if not rows:
        return
    insert = insert_for(connection, _captured)
    given = insert.excluded
    upsert = insert.on_conflict_do_update(
        index_elements=list(_captured.primary_key.columns),
        set_={"value": given.value, "host_order": given.host_order},
        where=_captured.c.host_order > given.host_order,
    )
    connection.execute(upsert, rows)
