"""Indexes of the jobs that workers look for, each of these rows alone: a claim costs the same however many wait

The one before was never used on SQLite, which wants the very words of a query.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_job_instance_waiting": (
        ["scope_type", "scope_id", "id"],
        "{open} AND {started} AND worker_id IS NULL AND status = 1",
    ),
    "ix_job_instance_left": (["status", "id"], "{open} AND {started} AND worker_id IS NULL AND status != 1"),
    "ix_job_instance_claimed": (
        ["worker_id", "scope_type", "scope_id"],
        "{open} AND worker_id IS NOT NULL",
    ),
}


def upgrade() -> None:
    op.drop_index("ix_job_instance_open", table_name="job_instance")
    for name, (columns, rows) in _INDEXES.items():
        op.create_index(
            name,
            "job_instance",
            columns,
            sqlite_where=sa.text(rows.format(open="open = 1", started="started = 1")),
            postgresql_where=sa.text(rows.format(open="open", started="started")),
        )


def downgrade() -> None:
    for name in _INDEXES:
        op.drop_index(name, table_name="job_instance")
    op.create_index(
        "ix_job_instance_open",
        "job_instance",
        ["worker_id", "status", "scope_type", "scope_id", "id"],
        sqlite_where=sa.text("open AND started"),
        postgresql_where=sa.text("open AND started"),
    )
