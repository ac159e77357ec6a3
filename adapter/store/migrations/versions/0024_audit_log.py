"""The audit log"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.Column("end_time", sa.BigInteger(), nullable=True),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("app_code", sa.String(128), nullable=False),
        sa.Column("user", sa.String(128), nullable=False),
        sa.Column("verified_by", sa.String(16), nullable=False),
        sa.Column("token_id", sa.String(12), nullable=True),
        sa.Column("peer", sa.String(64), nullable=False),
        sa.Column("api", sa.String(128), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("scope", sa.String(90), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("objects", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_log_create_time", "audit_log", ["create_time"])
    op.create_index("ix_audit_log_scope_id", "audit_log", ["scope", "id"])


def downgrade() -> None:
    op.drop_table("audit_log")
