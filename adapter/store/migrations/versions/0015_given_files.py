"""Contents of files that came with a request, encrypted, until their step needs them no more"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "given_file",
        sa.Column("step_instance_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.Integer(), nullable=False),
        sa.Column("content_secret", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["step_instance_id"],
            ["step_instance.id"],
            name=op.f("fk_given_file_step_instance_id_step_instance"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("step_instance_id", "source", name=op.f("pk_given_file")),
    )


def downgrade() -> None:
    op.drop_table("given_file")
