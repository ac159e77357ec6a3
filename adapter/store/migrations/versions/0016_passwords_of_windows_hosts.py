"""Passwords of Windows accounts on single hosts, and the key that clients encrypt them for"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("installation", sa.Column("password_key_secret", sa.Text()))
    id_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "host_password",
        sa.Column("step_instance_id", id_, nullable=False),
        sa.Column("bk_host_id", sa.BigInteger(), nullable=False),
        sa.Column("password_secret", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["step_instance_id"],
            ["step_instance.id"],
            name=op.f("fk_host_password_step_instance_id_step_instance"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("step_instance_id", "bk_host_id", name=op.f("pk_host_password")),
    )


def downgrade() -> None:
    op.drop_table("host_password")
    op.drop_column("installation", "password_key_secret")
