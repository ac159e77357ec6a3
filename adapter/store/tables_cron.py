"""The tables of crons: what is launched by the clock, and what became of its times."""

from __future__ import annotations

import sqlalchemy as sa

from adapter.store.columns import Id, authorship, metadata, scope

cron = sa.Table(
    "cron",
    metadata,
    sa.Column("id", Id, primary_key=True),
    *scope(),
    sa.Column("name", sa.String(60), nullable=False),
    # A plan that a cron launches cannot go: store.crons says which they are.
    sa.Column("plan_id", sa.ForeignKey("job_plan.id"), nullable=False, index=True),
    sa.Column("expression", sa.String(255)),
    sa.Column("execute_time", sa.BigInteger),
    sa.Column("time_zone", sa.String(64), nullable=False),
    sa.Column("variables", sa.Text, nullable=False),  # JSON list of CronVariable; values of ciphers encrypted
    sa.Column("app_code", sa.String(128), nullable=False),
    # What its launches are looked for by: NULL while it is not started.
    sa.Column("next_fire_time", sa.BigInteger, index=True),
    sa.Column("revision", sa.Integer, nullable=False),
    *authorship(),
    sa.UniqueConstraint("scope_type", "scope_id", "name"),
    sqlite_autoincrement=True,
)

#: The newest of each cron.
cron_run = sa.Table(
    "cron_run",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("cron_id", sa.ForeignKey("cron.id", ondelete="CASCADE"), nullable=False),
    sa.Column("fire_time", sa.BigInteger, nullable=False),
    sa.Column("last_fire_time", sa.BigInteger, nullable=False),
    sa.Column("times", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # job.cron.CronRunState
    sa.Column("job_instance_id", sa.BigInteger),
    sa.Column("code", sa.Integer),
    sa.Column("message", sa.Text, nullable=False, server_default=""),
    sa.Column("time", sa.BigInteger, nullable=False),  # by the database's clock
    sa.Index("ix_cron_run_cron_id_id", "cron_id", "id"),
    sqlite_autoincrement=True,
)
