"""Who may do what: the permissions of applications' users."""

from __future__ import annotations

import sqlalchemy as sa

from adapter.store.tables import metadata

#: A user of an application who has rows here may only what one of them allows; `*` is every user without rows.
permission = sa.Table(
    "permission",
    metadata,
    sa.Column("app_code", sa.ForeignKey("app.code", ondelete="CASCADE"), primary_key=True),
    sa.Column("user", sa.String(128), primary_key=True),
    sa.Column("scope", sa.String(90), primary_key=True),  # biz:2; * for all
    sa.Column("actions", sa.Text, nullable=False),  # JSON: null for all, or ["view", ...]
    sa.Column("accounts", sa.Text, nullable=False),  # JSON: null for all, or aliases and "ID=12"
)
