"""The tables of what a business keeps: accounts, scripts, templates and plans."""

from __future__ import annotations

import sqlalchemy as sa

from adapter.store.columns import Id, authorship, metadata, scope

account = sa.Table(
    "account",
    metadata,
    sa.Column("id", Id, primary_key=True),
    *scope(),
    sa.Column("alias", sa.String(255), nullable=False),
    sa.Column("account", sa.String(255), nullable=False),
    sa.Column("category", sa.Integer, nullable=False),
    sa.Column("type", sa.Integer, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("login_user", sa.String(255)),
    sa.Column("private_key_secret", sa.Text),
    sa.Column("password_secret", sa.Text),
    sa.Column("db_port", sa.Integer),
    sa.Column("db_system_account_id", sa.BigInteger),
    *authorship(),
    sa.UniqueConstraint("scope_type", "scope_id", "alias"),
    sqlite_autoincrement=True,
)

script = sa.Table(
    "script",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    *scope(),
    sa.Column("name", sa.String(60), nullable=False),
    sa.Column("language", sa.Integer, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("online_version_id", sa.BigInteger),  # of its versions, the one of status 1
    *authorship(),
    sa.UniqueConstraint("scope_type", "scope_id", "name"),
)

#: Of lists: in their order, with what they filter by, so that of many scripts a page reads only its own rows.
sa.Index(
    "ix_script_online",
    script.c.scope_type,
    script.c.scope_id,
    script.c.last_modify_time,
    script.c.id,
    script.c.name,
    script.c.language,
    script.c.online_version_id,  # SQLite looks at it once more, though every row here has one
    sqlite_where=script.c.online_version_id.is_not(None),
    postgresql_where=script.c.online_version_id.is_not(None),
)

script_version = sa.Table(
    "script_version",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("script_id", sa.ForeignKey("script.id", ondelete="CASCADE"), nullable=False),
    sa.Column("version", sa.String(60), nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("version_desc", sa.Text, nullable=False, server_default=""),
    *authorship(),
    sa.UniqueConstraint("script_id", "version"),
    sa.Index("ix_script_version_of_script", "script_id", "id"),
    sqlite_autoincrement=True,
)

job_template = sa.Table(
    "job_template",
    metadata,
    sa.Column("id", Id, primary_key=True),
    *scope(),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("steps", sa.Text, nullable=False),  # JSON list of PlanStep, in order
    sa.Column("variables", sa.Text, nullable=False),  # JSON list of GlobalVariable
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),  # +1 with steps and variables
    *authorship(),
    sa.UniqueConstraint("scope_type", "scope_id", "name"),
    sqlite_autoincrement=True,
)

#: Step ids are unique over all templates, as in JOB; this table hands them out.
template_step = sa.Table(
    "template_step",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("template_id", sa.ForeignKey("job_template.id", ondelete="CASCADE"), nullable=False),
    sqlite_autoincrement=True,
)

#: A plan has steps and variables of its own: its template's, as they were when it was last brought up to date.
job_plan = sa.Table(
    "job_plan",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("template_id", sa.ForeignKey("job_template.id", ondelete="CASCADE"), nullable=False),
    sa.Column("scope_type", sa.String(16), nullable=False, server_default=""),  # the template's
    sa.Column("scope_id", sa.String(64), nullable=False, server_default=""),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("selection", sa.Text, nullable=False),  # JSON: null for all, or the ids of steps that run
    sa.Column("steps", sa.Text, nullable=False, server_default="[]"),  # as job_template.steps
    sa.Column("variables", sa.Text, nullable=False, server_default="[]"),  # with the plan's own values
    sa.Column("step_num", sa.Integer, nullable=False, server_default="0"),  # how many run
    sa.Column("template_version", sa.BigInteger, nullable=False, server_default="1"),  # that the steps are of
    *authorship(),
    sa.UniqueConstraint("template_id", "name"),
    sqlite_autoincrement=True,
)


def _listed(table: sa.Table, name: str, *of: sa.Column[object]) -> None:
    """An index with all that lists order and filter by: a page costs no look at definitions, which are long."""
    newest_first = (table.c.last_modify_time, table.c.id)
    filtered = (table.c.name, table.c.creator, table.c.last_modify_user, table.c.create_time)
    sa.Index(name, *of, *newest_first, *filtered)


_listed(job_template, "ix_job_template_listed", job_template.c.scope_type, job_template.c.scope_id)

_listed(job_plan, "ix_job_plan_listed", job_plan.c.scope_type, job_plan.c.scope_id)

_listed(
    job_plan,
    "ix_job_plan_listed_of_template",
    job_plan.c.template_id,
    job_plan.c.scope_type,
    job_plan.c.scope_id,
)
