"""Who may do what, and who did what: permissions of applications' users, and the audit log."""

from __future__ import annotations

import sqlalchemy as sa

from adapter.store.tables import Id, metadata

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

#: Every launch and change, and what was refused: written before it happens and completed after, or with it.
audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("create_time", sa.BigInteger, nullable=False, index=True),
    sa.Column("end_time", sa.BigInteger),
    sa.Column("request_id", sa.String(64), nullable=False),
    sa.Column("app_code", sa.String(128), nullable=False),
    sa.Column("user", sa.String(128), nullable=False),
    sa.Column("verified_by", sa.String(16), nullable=False),  # "": they only said so, and were not believed
    sa.Column("token_id", sa.String(12)),
    sa.Column("peer", sa.String(64), nullable=False),
    sa.Column("api", sa.String(128), nullable=False),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("scope", sa.String(90)),  # biz:2
    sa.Column("code", sa.Integer),  # of the reply; NULL: it was begun, and nobody knows how it ended
    sa.Column("objects", sa.Text, nullable=False),  # JSON: ids by the names of their fields
    sa.Index("ix_audit_log_scope_id", "scope", "id"),
    sqlite_autoincrement=True,
)
