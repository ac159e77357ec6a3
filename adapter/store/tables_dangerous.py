"""The tables of what scripts are looked through for, and of what was found."""

from __future__ import annotations

import sqlalchemy as sa

from adapter.store.columns import Id, authorship, metadata

#: What scripts are looked through for before they run.
dangerous_rule = sa.Table(
    "dangerous_rule",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("expression", sa.String(250), nullable=False),
    sa.Column("languages", sa.Integer, nullable=False),  # the bit of its number for each
    sa.Column("action", sa.Integer, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("enabled", sa.Boolean, nullable=False),
    *authorship(),
    sa.UniqueConstraint("expression", "languages"),
    sqlite_autoincrement=True,
)

#: Lines of scripts that ran though a rule had matched them. The rule may be gone.
dangerous_record = sa.Table(
    "dangerous_record",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column(
        "job_instance_id", sa.ForeignKey("job_instance.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("step_instance_id", sa.BigInteger, nullable=False),
    sa.Column("rule_id", sa.BigInteger, nullable=False),
    sa.Column("expression", sa.String(250), nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("line_content", sa.Text, nullable=False),
    sa.Column("match_content", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
