"""The tables of jobs as a whole, and which of them workers and quotas look at."""

from __future__ import annotations

import sqlalchemy as sa

from adapter.job.status import RunStatus
from adapter.store.columns import Id, change, metadata, scope

job_instance = sa.Table(
    "job_instance",
    metadata,
    sa.Column("id", Id, primary_key=True),
    *scope(),
    sa.Column("other_scope_type", sa.String(16)),
    sa.Column("other_scope_id", sa.String(64)),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("type", sa.Integer, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("plan_id", sa.BigInteger, nullable=False),
    sa.Column("template_id", sa.BigInteger, nullable=False),
    sa.Column("launch_mode", sa.Integer, nullable=False),
    sa.Column("operator", sa.String(128), nullable=False),
    sa.Column("app_code", sa.String(128), nullable=False),
    sa.Column("callback_url", sa.Text),
    sa.Column("callback_secret", sa.Text),  # signs the callbacks
    sa.Column("completions", sa.Integer, nullable=False, server_default="0"),  # how often it has ended
    sa.Column("started", sa.Boolean, nullable=False),
    sa.Column("create_time", sa.BigInteger, nullable=False),
    sa.Column("start_time", sa.BigInteger),
    sa.Column("end_time", sa.BigInteger),
    sa.Column(
        "logs_removed_time", sa.BigInteger
    ),  # of what scripts printed (store.retention); NULL: it is there
    # The engine has something left to do for it: to run it, to end it, to see to its callback.
    sa.Column("open", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("worker_id", sa.String(32)),  # who does it now
    sa.Column("claim", sa.Integer, nullable=False, server_default="0"),  # a fencing token: +1 for each owner
    sa.Column("changes", sa.BigInteger, nullable=False, server_default="0"),  # the last number given out
    sa.Column("cron_id", sa.BigInteger),  # which launched it, and may be gone
    change(),
    # All that get_job_instance_list filters by but the name: pages are counted without looking at a row.
    sa.Index(
        "ix_job_instance_list",
        "scope_type",
        "scope_id",
        "create_time",
        "id",
        "operator",
        "status",
        "type",
        "launch_mode",
    ),
    sa.Index("ix_job_instance_end_time", "end_time"),
    sa.Index("ix_job_instance_other_scope_create_time", "other_scope_type", "other_scope_id", "create_time"),
    sqlite_autoincrement=True,
)

#: No parameter: with one no database knows that an index of these rows alone will do.
_UNFINISHED: list[sa.ColumnElement[int]] = [
    sa.literal_column(str(int(status)), sa.Integer) for status in RunStatus if not status.is_finished
]

_WAITING: sa.ColumnElement[int] = sa.literal_column(str(int(RunStatus.WAITING)), sa.Integer)


def waits(job: sa.FromClause) -> sa.ColumnElement[bool]:
    """A job that a worker may begin when there is a place for it."""
    return sa.and_(_is_anybodys(job), job.c.status == _WAITING)


def is_left(job: sa.FromClause) -> sa.ColumnElement[bool]:
    """A job that somebody must go on with at once: begun and let go of, to be stopped, or to be told of."""
    return sa.and_(_is_anybodys(job), job.c.status != _WAITING)


def is_unfinished(job: sa.FromClause) -> sa.ColumnElement[bool]:
    """A job that was started and has not ended: what quotas count."""
    return sa.and_(job.c.started, job.c.status.in_(_UNFINISHED))


def is_claimed(job: sa.FromClause) -> sa.ColumnElement[bool]:
    """A job that some worker has."""
    return sa.and_(job.c.open, job.c.worker_id.is_not(None))


def _is_anybodys(job: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(job.c.open, job.c.started, job.c.worker_id.is_(None))


def _index_of(name: str, rows: sa.ColumnElement[bool], *columns: sa.Column[object]) -> None:
    """All that workers look through to find their next job: small however many jobs are stored."""
    sa.Index(name, *columns, sqlite_where=rows, postgresql_where=rows)


_job = job_instance.c

_index_of("ix_job_instance_waiting", waits(job_instance), _job.scope_type, _job.scope_id, _job.id)

_index_of("ix_job_instance_left", is_left(job_instance), _job.status, _job.id)

_index_of(
    "ix_job_instance_unfinished",
    is_unfinished(job_instance),
    _job.id,
    _job.scope_type,
    _job.scope_id,
    _job.app_code,
)

_index_of("ix_job_instance_cron", _job.cron_id.is_not(None), _job.cron_id, _job.create_time)

_index_of("ix_job_instance_with_logs", _job.logs_removed_time.is_(None), _job.end_time)

_index_of("ix_job_instance_claimed", is_claimed(job_instance), _job.worker_id, _job.scope_type, _job.scope_id)

#: The plan's variables as the job was launched with them.
job_variable = sa.Table(
    "job_variable",
    metadata,
    sa.Column("job_instance_id", sa.ForeignKey("job_instance.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("order", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("type", sa.Integer, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("value_secret", sa.Text),  # of a cipher variable, instead of the value
    sa.Column("changeable", sa.Boolean, nullable=False, server_default=sa.false()),
)

#: Completions of jobs that a callback_url is told of, written with the job's end.
callback = sa.Table(
    "callback",
    metadata,
    sa.Column("job_instance_id", sa.ForeignKey("job_instance.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("completion", sa.Integer, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),  # what is told, to the byte
    sa.Column("state", sa.String(16), nullable=False),  # job.callbacks.CallbackState
    sa.Column("create_time", sa.BigInteger, nullable=False),
)

#: What became of each POST of them; the newest of each job.
callback_delivery = sa.Table(
    "callback_delivery",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column(
        "job_instance_id", sa.ForeignKey("job_instance.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("completion", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("content_type", sa.String(64), nullable=False),
    sa.Column("url", sa.Text, nullable=False),  # without what may be secret in it
    sa.Column("status", sa.Integer),
    sa.Column("error", sa.Text),
    sa.Column("start_time", sa.BigInteger, nullable=False),
    sa.Column("duration", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

#: Launches that were sent with an X-Idempotency-Key. As long as the job is there the key stands for it.
launched_once = sa.Table(
    "launched_once",
    metadata,
    sa.Column("app_code", sa.String(128), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),  # of the API's name and the request
    sa.Column(
        "job_instance_id", sa.ForeignKey("job_instance.id", ondelete="CASCADE"), nullable=False, index=True
    ),
)
