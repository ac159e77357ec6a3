"""Launches that were sent with an X-Idempotency-Key"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "launched_once",
        sa.Column("app_code", sa.String(128), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("job_instance_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("app_code", "key", name=op.f("pk_launched_once")),
    )


def downgrade() -> None:
    op.drop_table("launched_once")
