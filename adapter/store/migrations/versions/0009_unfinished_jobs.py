"""An index of the jobs that quotas count, these rows alone"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ROWS = "{started} AND status IN (1, 2, 7, 10, 15)"


def upgrade() -> None:
    op.create_index(
        "ix_job_instance_unfinished",
        "job_instance",
        ["id", "scope_type", "scope_id", "app_code"],
        sqlite_where=sa.text(_ROWS.format(started="started = 1")),
        postgresql_where=sa.text(_ROWS.format(started="started")),
    )


def downgrade() -> None:
    op.drop_index("ix_job_instance_unfinished", table_name="job_instance")
