"""Changes of a job are numbered: what changed since a number is found without looking at everything"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = ("job_instance", "step_instance", "host_result")


def upgrade() -> None:
    # Plain ALTER TABLE: SQLite would otherwise copy the table.
    op.add_column("job_instance", sa.Column("changes", sa.BigInteger(), server_default="0", nullable=False))
    for table in _TABLES:
        op.add_column(table, sa.Column("change", sa.BigInteger(), server_default="0", nullable=False))
    # An expression, so that it is never taken for the primary key (store.tables.OF_STEP).
    op.create_index(
        "ix_host_result_change",
        "host_result",
        [sa.text("(step_instance_id + 0)"), "execute_count", "change", "bk_host_id"],
    )


def downgrade() -> None:
    op.drop_index("ix_host_result_change", table_name="host_result")
    for table in _TABLES:
        op.drop_column(table, "change")
    op.drop_column("job_instance", "changes")
