"""The table of file sources."""

from __future__ import annotations

import sqlalchemy as sa

from adapter.store.columns import Id, authorship, metadata, scope

file_source = sa.Table(
    "file_source",
    metadata,
    sa.Column("id", Id, primary_key=True),
    *scope(),
    sa.Column("code", sa.String(32), nullable=False),
    sa.Column("alias", sa.String(255), nullable=False),
    sa.Column("type", sa.String(32), nullable=False),  # job.file_source.FileSourceType
    sa.Column("base_url", sa.Text, nullable=False),
    sa.Column("region", sa.String(64), nullable=False, server_default=""),
    sa.Column("credential_id", sa.ForeignKey("credential.id"), index=True),
    sa.Column("file_prefix", sa.String(100), nullable=False, server_default=""),
    *authorship(),
    sa.UniqueConstraint("scope_type", "scope_id", "code"),
    sa.UniqueConstraint("scope_type", "scope_id", "alias"),
    sqlite_autoincrement=True,
)
