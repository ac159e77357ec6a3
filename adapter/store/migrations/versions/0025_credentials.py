"""Credentials of businesses"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "credential",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("scope_type", sa.String(16), nullable=False),
        sa.Column("scope_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("description", sa.Text(), nullable=False, server_default=""),
        sa.Column("value_secret", sa.Text(), nullable=False),
        sa.Column("creator", sa.String(128), nullable=False, server_default=""),
        sa.Column("create_time", sa.BigInteger()),
        sa.Column("last_modify_user", sa.String(128), nullable=False, server_default=""),
        sa.Column("last_modify_time", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential")),
        sa.UniqueConstraint(
            "scope_type", "scope_id", "name", name=op.f("uq_credential_scope_type_scope_id_name")
        ),
    )


def downgrade() -> None:
    op.drop_table("credential")
