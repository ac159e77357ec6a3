"""Lists of many scripts and versions: which version is online stands with the script, and indexes of pages"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_IS_ONLINE = sa.text("online_version_id IS NOT NULL")


def upgrade() -> None:
    op.create_index("ix_script_version_of_script", "script_version", ["script_id", "id"])
    op.add_column("script", sa.Column("online_version_id", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE script SET online_version_id = (SELECT max(id) FROM script_version"
        " WHERE script_version.script_id = script.id AND script_version.status = 1)"
    )
    op.create_index(
        "ix_script_online",
        "script",
        ["scope_type", "scope_id", "last_modify_time", "id", "name", "language", "online_version_id"],
        sqlite_where=_IS_ONLINE,
        postgresql_where=_IS_ONLINE,
    )


def downgrade() -> None:
    op.drop_index("ix_script_online", "script")
    op.drop_column("script", "online_version_id")
    op.drop_index("ix_script_version_of_script", "script_version")
