"""Jobs whose logs were removed say so, and what is old is found by its end"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_instance", sa.Column("logs_removed_time", sa.BigInteger(), nullable=True))
    op.add_column(
        "installation", sa.Column("removed_to", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.create_index("ix_job_instance_end_time", "job_instance", ["end_time"])
    where = sa.text("logs_removed_time IS NULL")
    op.create_index(
        "ix_job_instance_with_logs", "job_instance", ["end_time"], sqlite_where=where, postgresql_where=where
    )


def downgrade() -> None:
    op.drop_index("ix_job_instance_with_logs", table_name="job_instance")
    op.drop_index("ix_job_instance_end_time", table_name="job_instance")
    op.drop_column("installation", "removed_to")
    op.drop_column("job_instance", "logs_removed_time")
