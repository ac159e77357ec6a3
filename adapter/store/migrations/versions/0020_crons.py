"""Crons, what became of their times, and which jobs they launched on hosts that may be invalid"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    id_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("job_instance", sa.Column("cron_id", sa.BigInteger()))
    op.create_index(
        "ix_job_instance_cron",
        "job_instance",
        ["cron_id", "create_time"],
        sqlite_where=sa.text("cron_id IS NOT NULL"),
        postgresql_where=sa.text("cron_id IS NOT NULL"),
    )
    op.add_column(
        "host_result", sa.Column("is_invalid", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.create_table(
        "cron",
        sa.Column("id", id_, nullable=False),
        sa.Column("scope_type", sa.String(16), nullable=False),
        sa.Column("scope_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("plan_id", id_, nullable=False),
        sa.Column("expression", sa.String(255)),
        sa.Column("execute_time", sa.BigInteger()),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("variables", sa.Text(), nullable=False),
        sa.Column("app_code", sa.String(128), nullable=False),
        sa.Column("next_fire_time", sa.BigInteger()),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("creator", sa.String(128), nullable=False, server_default=""),
        sa.Column("create_time", sa.BigInteger()),
        sa.Column("last_modify_user", sa.String(128), nullable=False, server_default=""),
        sa.Column("last_modify_time", sa.BigInteger()),
        sa.ForeignKeyConstraint(["plan_id"], ["job_plan.id"], name=op.f("fk_cron_plan_id_job_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cron")),
        sa.UniqueConstraint("scope_type", "scope_id", "name", name=op.f("uq_cron_scope_type_scope_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_cron_plan_id", "cron", ["plan_id"])
    op.create_index("ix_cron_next_fire_time", "cron", ["next_fire_time"])
    op.create_table(
        "cron_run",
        sa.Column("id", id_, nullable=False),
        sa.Column("cron_id", id_, nullable=False),
        sa.Column("fire_time", sa.BigInteger(), nullable=False),
        sa.Column("last_fire_time", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("job_instance_id", sa.BigInteger()),
        sa.Column("code", sa.Integer()),
        sa.Column("message", sa.Text(), nullable=False, server_default=""),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cron_id"], ["cron.id"], name=op.f("fk_cron_run_cron_id_cron"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cron_run")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_cron_run_cron_id_id", "cron_run", ["cron_id", "id"])


def downgrade() -> None:
    op.drop_table("cron_run")
    op.drop_table("cron")
    op.drop_column("host_result", "is_invalid")
    op.drop_index("ix_job_instance_cron", "job_instance")
    op.drop_column("job_instance", "cron_id")
