"""Rules that scripts are looked through for, and what they have found"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    id_ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "dangerous_rule",
        sa.Column("id", id_, nullable=False),
        sa.Column("expression", sa.String(250), nullable=False),
        sa.Column("languages", sa.Integer(), nullable=False),
        sa.Column("action", sa.Integer(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False, server_default=""),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("creator", sa.String(128), nullable=False, server_default=""),
        sa.Column("create_time", sa.BigInteger()),
        sa.Column("last_modify_user", sa.String(128), nullable=False, server_default=""),
        sa.Column("last_modify_time", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dangerous_rule")),
        sa.UniqueConstraint("expression", "languages", name=op.f("uq_dangerous_rule_expression_languages")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "dangerous_record",
        sa.Column("id", id_, nullable=False),
        sa.Column("job_instance_id", id_, nullable=False),
        sa.Column("step_instance_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_id", sa.BigInteger(), nullable=False),
        sa.Column("expression", sa.String(250), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("line_content", sa.Text(), nullable=False),
        sa.Column("match_content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_instance_id"],
            ["job_instance.id"],
            name=op.f("fk_dangerous_record_job_instance_id_job_instance"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dangerous_record")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_dangerous_record_job_instance_id"), "dangerous_record", ["job_instance_id"])


def downgrade() -> None:
    op.drop_table("dangerous_record")
    op.drop_table("dangerous_rule")
