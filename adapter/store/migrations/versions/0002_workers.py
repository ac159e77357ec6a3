"""Workers, which job is whose, and the key that belongs to the database"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: JOB's numbers of the states in which a job has not ended.
_UNFINISHED = "1, 2, 7, 10, 15"


def upgrade() -> None:
    op.create_table(
        "worker",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("executor", sa.String(length=64), nullable=False),
        sa.Column("host_name", sa.String(length=255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("max_running_jobs", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.Column("taken_by", sa.String(length=32), nullable=True),
        sa.Column("start_time", sa.BigInteger(), nullable=False),
        sa.Column("beat_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
    )
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key_digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    # Plain ALTER TABLE: SQLite would otherwise copy the table.
    op.add_column("job_instance", sa.Column("open", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("job_instance", sa.Column("worker_id", sa.String(length=32), nullable=True))
    op.add_column("job_instance", sa.Column("claim", sa.Integer(), server_default="0", nullable=False))
    op.execute(f"UPDATE job_instance SET open = (status IN ({_UNFINISHED}))")  # noqa: S608
    op.create_index(
        "ix_job_instance_open",
        "job_instance",
        ["worker_id", "status", "scope_type", "scope_id", "id"],
        sqlite_where=sa.text("open AND started"),
        postgresql_where=sa.text("open AND started"),
    )
    op.drop_index("ix_job_instance_status", table_name="job_instance")


def downgrade() -> None:
    op.create_index("ix_job_instance_status", "job_instance", ["status"])
    op.drop_index("ix_job_instance_open", table_name="job_instance")
    for name in ("claim", "worker_id", "open"):
        op.drop_column("job_instance", name)
    op.drop_table("installation")
    op.drop_table("worker")
