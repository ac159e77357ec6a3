"""Script runs whose results are stored and whose directories are still on their hosts"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "collected_run",
        sa.Column("step_instance_id", sa.BigInteger(), nullable=False),
        sa.Column("execute_count", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("collect_time", sa.BigInteger(), nullable=False),
        sa.Column("clean_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("step_instance_id", "execute_count", name=op.f("pk_collected_run")),
    )
    op.create_index(op.f("ix_collected_run_clean_time"), "collected_run", ["clean_time"])


def downgrade() -> None:
    op.drop_index(op.f("ix_collected_run_clean_time"), table_name="collected_run")
    op.drop_table("collected_run")
