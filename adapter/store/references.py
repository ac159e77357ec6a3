"""Who names a script or an account: what is in use is not deleted (contract d)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from adapter import errors
from adapter.job.model import PUBLIC, Account, Script
from adapter.job.plan import PlanScript, PlanStep
from adapter.messages import Phrase, say
from adapter.store import codec
from adapter.store.tables import account, is_unfinished, job_instance, job_template, step_instance


def refuse_used_script(connection: sa.Connection, script: Script, runs: Callable[[PlanScript], bool]) -> None:
    """Raises ScriptInUse if a template has a step of the script for which `runs` is true."""
    statement = _templates_with("script_id", script.id)
    if script.scope != PUBLIC:
        statement = statement.where(
            job_template.c.scope_type == script.scope.type, job_template.c.scope_id == script.scope.id
        )

    def names_it(step: PlanStep) -> bool:
        return step.script is not None and step.script.script_id == script.id and runs(step.script)

    found = _first(connection, statement, names_it)
    if found is not None:
        raise errors.ScriptInUse(_by_template(script.name, found))


def refuse_used_account(connection: sa.Connection, found: Account) -> None:
    """Raises AccountInUse if a template, a database's account or a job that has not ended names it."""
    statement = _templates_with("account_id", found.id)
    template = _first(connection, statement, lambda step: found.id in _accounts_of(step))
    if template is not None:
        raise errors.AccountInUse(_by_template(found.alias, template))
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


def _by_template(name: str, template: sa.Row[Any]) -> Phrase:
    return say("[{name}] by job template {id} [{of}]", name=name, id=template.id, of=template.name)


def _mentions(name: str, id_: int) -> sa.ColumnElement[bool]:
    """Of a step's definition, a JSON: exact, since within a text the key's quotes are escaped."""
    definition = step_instance.c.definition
    return sa.or_(*(definition.contains(f'"{name}":{id_}{end}', autoescape=True) for end in ",}"))


def _templates_with(name: str, value: str | int) -> sa.Select[Any]:
    """The few templates that are worth reading."""
    mention = f'"{name}":{json.dumps(value)}'
    return (
        sa.select(job_template)
        .where(job_template.c.steps.contains(mention, autoescape=True))
        .order_by(job_template.c.id)
    )


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
