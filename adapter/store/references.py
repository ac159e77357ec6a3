"""Who names a script or an account: what is in use is not deleted (contract d)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from adapter import errors
from adapter.job.model import PUBLIC, Account, Scope, Script
from adapter.job.plan import PlanScript, PlanStep
from adapter.messages import Phrase, say
from adapter.store import codec
from adapter.store.tables import account, is_unfinished, job_instance, job_plan, job_template, step_instance


def refuse_used_script(connection: sa.Connection, script: Script, runs: Callable[[PlanScript], bool]) -> None:
    """Raises ScriptInUse if a template or a plan has a step of the script for which `runs` is true."""
    scope = None if script.scope == PUBLIC else script.scope

    def names_it(step: PlanStep) -> bool:
        return step.script is not None and step.script.script_id == script.id and runs(step.script)

    user = _first_user(connection, script.name, ("script_id", script.id), names_it, scope)
    if user is not None:
        raise errors.ScriptInUse(user)


def refuse_used_account(connection: sa.Connection, found: Account) -> None:
    """Raises AccountInUse if a template, a plan, a database's account or a job that has not ended names it."""
    user = _first_user(
        connection, found.alias, ("account_id", found.id), lambda step: found.id in _accounts_of(step)
    )
    if user is not None:
        raise errors.AccountInUse(user)
    database = sa.select(account).where(account.c.db_system_account_id == found.id).limit(1)
    for row in connection.execute(database):
        raise errors.AccountInUse(
            say("[{name}] by account {id} [{alias}]", name=found.alias, id=row.id, alias=row.alias)
        )
    jobs = (
        sa.select(job_instance.c.id)
        .join(step_instance, step_instance.c.job_instance_id == job_instance.c.id)
        .where(
            is_unfinished(job_instance),
            sa.or_(*(_mentions(name, found.id) for name in ("account_id", "db_account_id"))),
        )
        .limit(1)
    )
    for job_id in connection.scalars(jobs):
        raise errors.AccountInUse(
            say("[{name}] by job {id}, which has not ended", name=found.alias, id=job_id)
        )


def _mentions(name: str, id_: int) -> sa.ColumnElement[bool]:
    """Of a step's definition, a JSON: exact, since within a text the key's quotes are escaped."""
    definition = step_instance.c.definition
    return sa.or_(*(definition.contains(f'"{name}":{id_}{end}', autoescape=True) for end in ",}"))


def _first_user(
    connection: sa.Connection,
    name: str,
    mention: tuple[str, str | int],
    names_it: Callable[[PlanStep], bool],
    scope: Scope | None = None,
) -> Phrase | None:
    """Which template or plan, of the scope or of any, has such a step: both keep steps of their own."""
    template = _first(connection, _with(job_template, mention, scope), names_it)
    if template is not None:
        return say("[{name}] by job template {id} [{of}]", name=name, id=template.id, of=template.name)
    plan = _first(connection, _with(job_plan, mention, scope), names_it)
    if plan is not None:
        return say("[{name}] by job plan {id} [{of}]", name=name, id=plan.id, of=plan.name)
    return None


def _with(table: sa.Table, mention: tuple[str, str | int], scope: Scope | None) -> sa.Select[Any]:
    """The few rows that are worth reading."""
    name, value = mention
    text = f'"{name}":{json.dumps(value)}'
    statement = sa.select(table).where(table.c.steps.contains(text, autoescape=True)).order_by(table.c.id)
    if scope is None:
        return statement
    return statement.where(table.c.scope_type == scope.type, table.c.scope_id == scope.id)


def _first(
    connection: sa.Connection, statement: sa.Select[Any], names_it: Callable[[PlanStep], bool]
) -> sa.Row[Any] | None:
    for row in connection.execute(statement):
        if any(map(names_it, codec.loads_many(PlanStep, row.steps))):
            return row
    return None


def _accounts_of(step: PlanStep) -> set[int]:
    if step.script is not None:
        return {step.script.account_id}
    if step.file is not None:
        return {step.file.account_id, *(source.account_id for source in step.file.sources)}
    return set()
