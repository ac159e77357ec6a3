"""Permissions of applications and users; tokens that expire and can be withdrawn"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("actions", "accounts"):  # who is registered keeps every right
        op.add_column("app", sa.Column(name, sa.Text(), nullable=False, server_default="null"))
    op.add_column("app", sa.Column("old_hashed_secret", sa.String(64), nullable=True))
    op.add_column("app", sa.Column("old_secret_expire_time", sa.BigInteger(), nullable=True))
    op.add_column("token", sa.Column("expire_time", sa.BigInteger(), nullable=True))  # theirs do not expire
    op.add_column("token", sa.Column("withdraw_time", sa.BigInteger(), nullable=True))
    op.create_table(
        "permission",
        sa.Column("app_code", sa.String(128), nullable=False),
        sa.Column("user", sa.String(128), nullable=False),
        sa.Column("scope", sa.String(90), nullable=False),
        sa.Column("actions", sa.Text(), nullable=False),
        sa.Column("accounts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["app_code"], ["app.code"], name=op.f("fk_permission_app_code_app"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("app_code", "user", "scope", name=op.f("pk_permission")),
    )


def downgrade() -> None:
    op.drop_table("permission")
    for name in ("withdraw_time", "expire_time"):
        op.drop_column("token", name)
    for name in ("old_secret_expire_time", "old_hashed_secret", "accounts", "actions"):
        op.drop_column("app", name)
