"""The tables of the service itself: its key, its workers, the ids of its hosts."""

from __future__ import annotations

import sqlalchemy as sa

from adapter.store.columns import metadata

#: One row: which key the secrets in this database are encrypted with.
installation = sa.Table(
    "installation",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key_digest", sa.String(64), nullable=False),
    # The highest id of a job that was removed for its age (store.retention).
    sa.Column("removed_to", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("password_key_secret", sa.Text),  # the RSA key that clients encrypt hosts' passwords for
)

#: The processes that run jobs. Others judge by `beat`, a counter, whether one is alive; its times are for people.
worker = sa.Table(
    "worker",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("executor", sa.String(64), nullable=False),  # of its workflows, as DBOS knows it
    sa.Column("host_name", sa.String(255), nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("max_running_jobs", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # store.workers.WorkerState
    sa.Column("beat", sa.BigInteger, nullable=False),
    sa.Column("taken_by", sa.String(32)),  # the worker that found this one dead
    sa.Column("start_time", sa.BigInteger, nullable=False),
    sa.Column("beat_time", sa.BigInteger, nullable=False),  # by the database's clock
)

#: The stable ids of hosts whose inventory gives no bk_host_id (design D1).
host_identity = sa.Table(
    "host_identity",
    metadata,
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("bk_host_id", sa.BigInteger, nullable=False, unique=True),
)
