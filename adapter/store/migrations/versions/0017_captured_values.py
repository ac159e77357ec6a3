"""Variables of every type, and what scripts leave of them"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_variable", sa.Column("value_secret", sa.Text(), nullable=True))
    op.add_column(
        "job_variable", sa.Column("changeable", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "captured_value",
        sa.Column("step_instance_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("execute_count", sa.Integer(), nullable=False),
        sa.Column("bk_host_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("host_order", sa.Integer(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["step_instance_id"],
            ["step_instance.id"],
            name=op.f("fk_captured_value_step_instance_id_step_instance"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "step_instance_id", "execute_count", "bk_host_id", "name", name=op.f("pk_captured_value")
        ),
    )


def downgrade() -> None:
    op.drop_table("captured_value")
    op.drop_column("job_variable", "changeable")
    op.drop_column("job_variable", "value_secret")
