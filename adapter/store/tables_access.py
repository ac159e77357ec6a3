"""Who may ask and do what, and who did what: applications, tokens, permissions and the audit log."""

from __future__ import annotations

import sqlalchemy as sa

from adapter.store.columns import Id, metadata

app = sa.Table(
    "app",
    metadata,
    sa.Column("code", sa.String(128), primary_key=True),
    sa.Column("hashed_secret", sa.String(64), nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),  # JSON: null for all, or ["biz:2", ...]
    sa.Column("act_as_any_user", sa.Boolean, nullable=False),
    sa.Column("create_time", sa.BigInteger),
    sa.Column(
        "actions", sa.Text, nullable=False, server_default="null"
    ),  # JSON: null for all, or ["view", ...]
    sa.Column("accounts", sa.Text, nullable=False, server_default="null"),  # JSON: null for all, or aliases
    sa.Column("old_hashed_secret", sa.String(64)),  # which it had before, good for a while longer
    sa.Column("old_secret_expire_time", sa.BigInteger),
)

token = sa.Table(
    "token",
    metadata,
    sa.Column("hashed_token", sa.String(64), primary_key=True),
    sa.Column("app_code", sa.ForeignKey("app.code", ondelete="CASCADE"), nullable=False),
    sa.Column("user", sa.String(128), nullable=False),
    sa.Column("create_time", sa.BigInteger),
    sa.Column("expire_time", sa.BigInteger),  # NULL: never
    sa.Column("withdraw_time", sa.BigInteger),
)
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
