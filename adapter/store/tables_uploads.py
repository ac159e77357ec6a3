"""The tables of uploaded files; their bytes are in a directory (store.upload_files)."""

from __future__ import annotations

import sqlalchemy as sa

from adapter.store.columns import metadata, scope

upload = sa.Table(
    "upload",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),  # a UUID in hex
    *scope(),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("app_code", sa.String(128), nullable=False),
    sa.Column("creator", sa.String(128), nullable=False),
    sa.Column("create_time", sa.BigInteger, nullable=False),
    sa.Column("token_secret", sa.String(255), nullable=False),  # SHA-256 of the URL's token
    sa.Column("expire_time", sa.BigInteger, nullable=False),  # of the URL
    sa.Column("size", sa.BigInteger),  # these three: once it is whole
    sa.Column("sha256", sa.String(64)),
    sa.Column("complete_time", sa.BigInteger),
    sa.Index("ix_upload_complete_time", "complete_time", "expire_time"),
)

#: Steps that send an upload. No foreign key to it: what a step was is remembered longer.
upload_use = sa.Table(
    "upload_use",
    metadata,
    sa.Column(
        "step_instance_id",
        sa.ForeignKey("step_instance.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    sa.Column("upload_id", sa.String(32), primary_key=True),
    sa.Index("ix_upload_use_upload_id", "upload_id"),
)
