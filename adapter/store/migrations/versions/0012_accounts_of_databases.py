"""Accounts of databases: their port, and the system account that their client runs as"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account", sa.Column("db_port", sa.Integer(), nullable=True))
    op.add_column("account", sa.Column("db_system_account_id", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("account", "db_system_account_id")
    op.drop_column("account", "db_port")
