"""Contents of files that came with a request: encrypted, stored with their job, gone when nothing can need them."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from adapter.job.model import StepInstance
from adapter.job.status import MAY_BE_RETRIED, RunStatus
from adapter.store import tables
from adapter.store.secrets import SecretBox
from adapter.store.transactions import Bind, transaction

_table = tables.given_file
_step = tables.step_instance

#: By number of the step's source.
Sealed = Mapping[int, bytes]


def sealed(step: StepInstance, box: SecretBox) -> Sealed:
    """The contents that a step has with it, as they are stored. Takes time: not for a transaction."""
    sources = step.file.sources if step.file else ()
    return {
        number: box.encrypt_bytes(source.content)
        for number, source in enumerate(sources)
        if source.content is not None
    }


def keep(connection: sa.Connection, step_instance_id: int, contents: Sealed) -> None:
    """Store them, in the transaction that stores the step."""
    rows = [
        {"step_instance_id": step_instance_id, "source": number, "content_secret": content}
        for number, content in contents.items()
    ]
    if rows:
        connection.execute(sa.insert(_table), rows)


class GivenFiles:
    """The table `given_file`."""

    def __init__(self, bind: Bind, box: SecretBox) -> None:
        self._bind = bind
        self._box = box

    def of(self, step_instance_id: int) -> dict[int, bytes]:
        """What is kept for a step, by number of its source. ValueError if the key file is another."""
        wanted = sa.select(_table).where(_table.c.step_instance_id == step_instance_id)
        with transaction(self._bind) as connection:
            rows = connection.execute(wanted).all()
        return {row.source: self._box.decrypt_bytes(row.content_secret) for row in rows}

    def forget(self, step_instance_id: int) -> None:
        """Keep nothing for a step any more."""
        with transaction(self._bind) as connection:
            connection.execute(sa.delete(_table).where(_table.c.step_instance_id == step_instance_id))

    def forget_useless(self, ended_before: int) -> int:
        """Keep nothing for steps that are done for good, or that ended before that time; how many contents."""
        done = [status for status in RunStatus if status.is_finished and status not in MAY_BE_RETRIED]
        useless = sa.select(_step.c.id).where(
            sa.or_(
                _step.c.status.in_(done),
                sa.and_(_step.c.status.in_(list(MAY_BE_RETRIED)), _step.c.end_time < ended_before),
            ),
            _step.c.id.in_(sa.select(_table.c.step_instance_id)),
        )
        with transaction(self._bind) as connection:
            return connection.execute(
                sa.delete(_table).where(_table.c.step_instance_id.in_(useless))
            ).rowcount
