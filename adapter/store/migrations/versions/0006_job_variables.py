"""The variables that a plan's job was launched with"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "job_variable",
        sa.Column("job_instance_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_instance_id"],
            ["job_instance.id"],
            name=op.f("fk_job_variable_job_instance_id_job_instance"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_instance_id", "order", name=op.f("pk_job_variable")),
    )


def downgrade() -> None:
    op.drop_table("job_variable")
