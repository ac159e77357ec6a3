"""Indexes that lists of jobs are counted and filtered by, however many are stored"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_LIST = ["scope_type", "scope_id", "create_time", "id", "operator", "status", "type", "launch_mode"]


def upgrade() -> None:
    op.create_index("ix_job_instance_list", "job_instance", _LIST)
    op.drop_index("ix_job_instance_scope_create_time", table_name="job_instance")
    op.create_index("ix_host_result_ip", "host_result", ["ip", "step_instance_id"])


def downgrade() -> None:
    op.drop_index("ix_host_result_ip", table_name="host_result")
    op.create_index(
        "ix_job_instance_scope_create_time", "job_instance", ["scope_type", "scope_id", "create_time"]
    )
    op.drop_index("ix_job_instance_list", table_name="job_instance")
