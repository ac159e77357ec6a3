"""Batches of a rolling step, and the execution that a host's result comes from"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("step_instance", sa.Column("rolling", sa.Text()))
    op.add_column("step_instance", sa.Column("batch", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("host_result", sa.Column("batch", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("host_result", sa.Column("executed_in", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("host_result", "executed_in")
    op.drop_column("host_result", "batch")
    op.drop_column("step_instance", "batch")
    op.drop_column("step_instance", "rolling")
