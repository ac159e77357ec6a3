"""Files that were uploaded, and which steps send them"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_STEP = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "upload",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("scope_type", sa.String(16), nullable=False),
        sa.Column("scope_id", sa.String(64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("app_code", sa.String(128), nullable=False),
        sa.Column("creator", sa.String(128), nullable=False),
        sa.Column("create_time", sa.BigInteger(), nullable=False),
        sa.Column("token_secret", sa.String(255), nullable=False),
        sa.Column("expire_time", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger()),
        sa.Column("sha256", sa.String(64)),
        sa.Column("complete_time", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index("ix_upload_complete_time", "upload", ["complete_time", "expire_time"])
    op.create_table(
        "upload_use",
        sa.Column("step_instance_id", _STEP, autoincrement=False, nullable=False),
        sa.Column("upload_id", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["step_instance_id"],
            ["step_instance.id"],
            name=op.f("fk_upload_use_step_instance_id_step_instance"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("step_instance_id", "upload_id", name=op.f("pk_upload_use")),
    )
    op.create_index("ix_upload_use_upload_id", "upload_use", ["upload_id"])


def downgrade() -> None:
    op.drop_table("upload_use")
    op.drop_table("upload")
