"""File sources of businesses"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "file_source",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scope_type", sa.String(16), nullable=False),
        sa.Column("scope_id", sa.String(64), nullable=False),
        sa.Column("code", sa.String(32), nullable=False),
        sa.Column("alias", sa.String(255), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("region", sa.String(64), nullable=False, server_default=""),
        sa.Column("credential_id", sa.String(32)),
        sa.Column("file_prefix", sa.String(100), nullable=False, server_default=""),
        sa.Column("creator", sa.String(128), nullable=False, server_default=""),
        sa.Column("create_time", sa.BigInteger()),
        sa.Column("last_modify_user", sa.String(128), nullable=False, server_default=""),
        sa.Column("last_modify_time", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_source")),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credential.id"], name=op.f("fk_file_source_credential_id_credential")
        ),
        sa.UniqueConstraint(
            "scope_type", "scope_id", "code", name=op.f("uq_file_source_scope_type_scope_id_code")
        ),
        sa.UniqueConstraint(
            "scope_type", "scope_id", "alias", name=op.f("uq_file_source_scope_type_scope_id_alias")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_file_source_credential_id"), "file_source", ["credential_id"])


def downgrade() -> None:
    op.drop_table("file_source")
