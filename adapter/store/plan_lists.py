"""Lists of templates and plans: a page and how many there are, without a look at any definition."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from adapter.job.model import Scope
from adapter.job.plan import ListedPlan, ListedTemplate, ListFilter
from adapter.store import tables
from adapter.store.transactions import Bind, is_id, transaction

_template = tables.job_template
_plan = tables.job_plan


class PlanLists:
    """Pages of `job_template` and `job_plan`, last changed first; a length of None is all of them."""

    def __init__(self, bind: Bind) -> None:
        self._bind = bind

    def list_templates(
        self, scope: Scope, wanted: ListFilter, *, start: int = 0, length: int | None = 20
    ) -> tuple[int, tuple[ListedTemplate, ...]]:
        """How many of the scope's templates are wanted, and those of the page."""
        total, rows = self._page(
            _template, _conditions(_template, scope, wanted), start, length, _LISTED_TEMPLATES
        )
        return total, tuple(ListedTemplate(scope=scope, **row._mapping) for row in rows)

    def list_plans(
        self,
        scope: Scope,
        wanted: ListFilter,
        *,
        template_id: int | None = None,
        start: int = 0,
        length: int | None = 20,
    ) -> tuple[int, tuple[ListedPlan, ...]]:
        """How many of the scope's plans are wanted, and those of the page."""
        conditions = _conditions(_plan, scope, wanted)
        if template_id is not None:
            if not is_id(template_id):
                return 0, ()
            conditions.append(_plan.c.template_id == template_id)
        total, rows = self._page(_plan, conditions, start, length, _LISTED_PLANS)
        return total, tuple(ListedPlan(scope=scope, **row._mapping) for row in rows)

    def _page(
        self,
        table: sa.Table,
        conditions: list[sa.ColumnElement[bool]],
        start: int,
        length: int | None,
        listed: sa.Select[Any],
    ) -> tuple[int, list[sa.Row[Any]]]:
        """The index finds the ids; rows are read for those only."""
        newest_first = (table.c.last_modify_time.desc(), table.c.id.desc())
        page = sa.select(table.c.id).where(*conditions).order_by(*newest_first).offset(start).limit(length)
        found = page.subquery("page")
        rows = listed.join(found, found.c.id == table.c.id).order_by(*newest_first)
        count = sa.select(sa.func.count()).select_from(table).where(*conditions)
        with transaction(self._bind) as connection:
            return connection.execute(count).scalar_one(), list(connection.execute(rows))


def _authorship(table: sa.Table) -> tuple[sa.Column[Any], ...]:
    return (table.c.creator, table.c.create_time, table.c.last_modify_user, table.c.last_modify_time)


_LISTED_TEMPLATES = sa.select(
    _template.c.id, _template.c.name, _template.c.description, *_authorship(_template)
)
_LISTED_PLANS = sa.select(
    _plan.c.id,
    _plan.c.template_id,
    _plan.c.name,
    (_plan.c.template_version != _template.c.version).label("need_update"),
    _plan.c.step_num,
    *_authorship(_plan),
).select_from(_plan.join(_template, _template.c.id == _plan.c.template_id))


def _conditions(table: sa.Table, scope: Scope, wanted: ListFilter) -> list[sa.ColumnElement[bool]]:
    conditions = [table.c.scope_type == scope.type, table.c.scope_id == scope.id]
    if wanted.name:
        conditions.append(table.c.name.icontains(wanted.name, autoescape=True))
    if wanted.creator:
        conditions.append(table.c.creator == wanted.creator)
    if wanted.last_modify_user:
        conditions.append(table.c.last_modify_user == wanted.last_modify_user)
    for column, (first, last) in (
        (table.c.create_time, wanted.create_time),
        (table.c.last_modify_time, wanted.last_modify_time),
    ):
        if first is not None:
            conditions.append(column >= first)
        if last is not None:
            conditions.append(column <= last)
    return conditions
