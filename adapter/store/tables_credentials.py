"""The table of credentials."""

from __future__ import annotations

import sqlalchemy as sa

from adapter.store.columns import authorship, metadata, scope

credential = sa.Table(
    "credential",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),  # a UUID in hex, as JOB's
    *scope(),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("type", sa.String(32), nullable=False),  # job.credential.CredentialType
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("value_secret", sa.Text, nullable=False),  # JSON object: the type's parts
    *authorship(),
    sa.UniqueConstraint("scope_type", "scope_id", "name"),
)
