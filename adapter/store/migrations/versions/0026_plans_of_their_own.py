"""Plans have steps and variables of their own, and lists of them indexes"""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_LISTED = ["last_modify_time", "id", "name", "creator", "last_modify_user", "create_time"]
_INDEXES = {
    "ix_job_template_listed": ("job_template", ["scope_type", "scope_id"]),
    "ix_job_plan_listed": ("job_plan", ["scope_type", "scope_id"]),
    "ix_job_plan_listed_of_template": ("job_plan", ["template_id", "scope_type", "scope_id"]),
}


def upgrade() -> None:
    op.alter_column("job_plan", "steps", new_column_name="selection")
    for table, column in _added():
        op.add_column(table, column)
    _give_plans_the_steps_of_their_templates()
    for name, (table, of) in _INDEXES.items():
        op.create_index(name, table, [*of, *_LISTED])


def downgrade() -> None:
    for name, (table, _) in _INDEXES.items():
        op.drop_index(name, table)
    for table, column in _added():
        op.drop_column(table, column.name)
    op.alter_column("job_plan", "selection", new_column_name="steps")


def _added() -> list[tuple[str, sa.Column[Any]]]:
    return [
        ("job_template", sa.Column("description", sa.Text(), nullable=False, server_default="")),
        ("job_template", sa.Column("version", sa.BigInteger(), nullable=False, server_default="1")),
        ("job_plan", sa.Column("scope_type", sa.String(16), nullable=False, server_default="")),
        ("job_plan", sa.Column("scope_id", sa.String(64), nullable=False, server_default="")),
        ("job_plan", sa.Column("steps", sa.Text(), nullable=False, server_default="[]")),
        ("job_plan", sa.Column("variables", sa.Text(), nullable=False, server_default="[]")),
        ("job_plan", sa.Column("step_num", sa.Integer(), nullable=False, server_default="0")),
        ("job_plan", sa.Column("template_version", sa.BigInteger(), nullable=False, server_default="1")),
    ]


def _give_plans_the_steps_of_their_templates() -> None:
    """Until now a plan ran what its template had at the moment: that is what it goes on with."""
    connection = op.get_bind()
    plan = sa.table(
        "job_plan",
        *(sa.column(name) for name in ("id", "template_id", "selection", "step_num")),
        *(sa.column(name) for name in ("scope_type", "scope_id", "steps", "variables")),
    )
    template = sa.table(
        "job_template", *(sa.column(name) for name in ("id", "scope_type", "scope_id", "steps", "variables"))
    )
    its = {
        name: sa.select(template.c[name]).where(template.c.id == plan.c.template_id).scalar_subquery()
        for name in ("scope_type", "scope_id", "steps", "variables")
    }
    connection.execute(sa.update(plan).values(its))
    rows = connection.execute(sa.select(plan.c.id, plan.c.selection, plan.c.steps)).all()
    for id_, selection, steps in rows:
        ids, wanted = [step["id"] for step in json.loads(steps)], json.loads(selection)
        num = sum(step in wanted for step in ids) if wanted is not None else len(ids)
        connection.execute(sa.update(plan).where(plan.c.id == id_).values(step_num=num))
