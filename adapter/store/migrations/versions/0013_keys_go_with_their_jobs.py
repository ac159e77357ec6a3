"""A key of X-Idempotency-Key goes with the job that it stands for"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_NAME = "fk_launched_once_job_instance_id_job_instance"


def upgrade() -> None:
    once = sa.table("launched_once", sa.column("job_instance_id"))
    job = sa.table("job_instance", sa.column("id"))
    op.execute(sa.delete(once).where(once.c.job_instance_id.not_in(sa.select(job.c.id))))
    with op.batch_alter_table("launched_once") as batch:
        batch.create_foreign_key(_NAME, "job_instance", ["job_instance_id"], ["id"], ondelete="CASCADE")
        batch.create_index("ix_launched_once_job_instance_id", ["job_instance_id"])


def downgrade() -> None:
    with op.batch_alter_table("launched_once") as batch:
        batch.drop_index("ix_launched_once_job_instance_id")
        batch.drop_constraint(_NAME, type_="foreignkey")
