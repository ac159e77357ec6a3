"""A host may be in several batches of a step: one that rolls by its file sources"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_KEY = ("step_instance_id", "execute_count", "bk_host_id")


def upgrade() -> None:
    _key(*_KEY, "batch")


def downgrade() -> None:
    _key(*_KEY)


def _key(*columns: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint("pk_host_result", "host_result")
        op.create_primary_key("pk_host_result", "host_result", list(columns))
        return
    # SQLite's key is the order of the rows themselves: the table is written anew.
    op.drop_index("ix_host_result_change", table_name="host_result")
    op.rename_table("host_result", "host_result_before")
    op.create_table(
        "host_result",
        sa.Column("step_instance_id", sa.Integer(), nullable=False),
        sa.Column("execute_count", sa.Integer(), nullable=False),
        sa.Column("bk_host_id", sa.BigInteger(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("order", sa.Integer(), nullable=False),
        sa.Column("bk_cloud_id", sa.BigInteger(), nullable=False),
        sa.Column("ip", sa.String(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("exit_code", sa.Integer()),
        sa.Column("error_code", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(256), nullable=False),
        sa.Column("start_time", sa.BigInteger()),
        sa.Column("end_time", sa.BigInteger()),
        sa.Column("log_bytes", sa.BigInteger(), nullable=False),
        sa.Column("log_kept", sa.BigInteger(), nullable=False),
        sa.Column("executed_in", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("change", sa.BigInteger(), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(
            ["step_instance_id"],
            ["step_instance.id"],
            name=op.f("fk_host_result_step_instance_id_step_instance"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(*columns, name=op.f("pk_host_result")),
        sqlite_with_rowid=False,
    )
    names = ", ".join(f'"{name}"' for name in _COLUMNS)
    op.execute(f"INSERT INTO host_result ({names}) SELECT {names} FROM host_result_before")  # noqa: S608 names of ours
    op.drop_table("host_result_before")
    op.create_index(
        "ix_host_result_change",
        "host_result",
        [sa.text("(step_instance_id + 0)"), "execute_count", "change", "bk_host_id"],
    )


_COLUMNS = (
    "step_instance_id", "execute_count", "bk_host_id", "batch", "order", "bk_cloud_id", "ip", "name", "status",
    "exit_code", "error_code", "tag", "start_time", "end_time", "log_bytes", "log_kept", "executed_in", "change",
)  # fmt: skip
