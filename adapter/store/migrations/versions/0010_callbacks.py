"""Completions that callbacks tell of, the log of their delivery, the secret that signs them"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FINISHED = (3, 4, 5, 6, 8, 9, 11, 13, 14)


def upgrade() -> None:
    op.add_column("job_instance", sa.Column("callback_secret", sa.Text(), nullable=True))
    op.add_column("job_instance", sa.Column("completions", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "callback",
        sa.Column("job_instance_id", _ID, nullable=False),
        sa.Column("completion", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_instance_id"],
            ["job_instance.id"],
            name=op.f("fk_callback_job_instance_id_job_instance"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_instance_id", "completion", name=op.f("pk_callback")),
    )
    op.create_table(
        "callback_delivery",
        sa.Column("id", _ID, nullable=False),
        sa.Column("job_instance_id", _ID, nullable=False),
        sa.Column("completion", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("content_type", sa.String(64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("start_time", sa.BigInteger(), nullable=False),
        sa.Column("duration", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_instance_id"],
            ["job_instance.id"],
            name=op.f("fk_callback_delivery_job_instance_id_job_instance"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback_delivery")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_callback_delivery_job_instance_id", "callback_delivery", ["job_instance_id"])
    _keep_what_is_owed(op.get_bind())
    op.drop_column("job_instance", "callback_state")


def _keep_what_is_owed(connection: sa.Connection) -> None:
    """A workflow of the release before may still wait for its next attempt: it finds what to tell."""
    job = sa.table(
        "job_instance",
        *map(
            sa.column, ("id", "status", "callback_url", "callback_state", "open", "completions", "end_time")
        ),
    )
    step = sa.table("step_instance", *map(sa.column, ("id", "job_instance_id", "status", "order")))
    ended = job.c.status.in_(_FINISHED)
    connection.execute(sa.update(job).where(ended).values(completions=1))
    told = sa.func.coalesce(job.c.callback_state, "").like("delivered%")
    owed = sa.select(job).where(ended, sa.func.coalesce(job.c.callback_url, "") != "", sa.not_(told))
    callback = sa.table(
        "callback", *map(sa.column, ("job_instance_id", "completion", "body", "state", "create_time"))
    )
    for row in connection.execute(owed).all():
        steps = sa.select(step).where(step.c.job_instance_id == row.id).order_by(step.c.order, step.c.id)
        told_of = [{"step_instance_id": each.id, "status": each.status} for each in connection.execute(steps)]
        body = {
            "job_instance_id": row.id,
            "status": row.status,
            "step_instances": told_of,
            "step_instance_list": told_of,
        }
        values = {
            "job_instance_id": row.id,
            "completion": 1,
            "body": json.dumps(body, separators=(",", ":")),
            "state": "waiting" if row.open else "given_up",
            "create_time": row.end_time or 0,
        }
        connection.execute(sa.insert(callback).values(values))


def downgrade() -> None:
    op.add_column("job_instance", sa.Column("callback_state", sa.Text(), nullable=True))
    op.drop_table("callback_delivery")
    op.drop_table("callback")
    op.drop_column("job_instance", "completions")
    op.drop_column("job_instance", "callback_secret")
