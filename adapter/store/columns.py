"""What tables have in common: the metadata, ids, and columns that many of them have."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: SQLite gives ids by itself only to a column whose type is exactly INTEGER.
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def scope() -> list[sa.Column[str]]:
    """What a row belongs to (contract a, scopes)."""
    return [
        sa.Column("scope_type", sa.String(16), nullable=False),
        sa.Column("scope_id", sa.String(64), nullable=False),
    ]


def authorship() -> list[sa.Column[object]]:
    """Who made it and who changed it last, and when."""
    return [
        sa.Column("creator", sa.String(128), nullable=False, server_default=""),
        sa.Column("create_time", sa.BigInteger),
        sa.Column("last_modify_user", sa.String(128), nullable=False, server_default=""),
        sa.Column("last_modify_time", sa.BigInteger),
    ]


def change() -> sa.Column[int]:
    """The number of the row's last change among all changes of its job (store.changes)."""
    return sa.Column("change", sa.BigInteger, nullable=False, server_default="0")
