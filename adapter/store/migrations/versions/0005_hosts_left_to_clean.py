"""Which hosts a collected run is still to be removed from: those that did not answer are tried again"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Plain ALTER TABLE: SQLite would otherwise copy the table.
    op.add_column("collected_run", sa.Column("hosts", sa.Text()))


def downgrade() -> None:
    op.drop_column("collected_run", "hosts")
