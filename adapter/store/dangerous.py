"""Dangerous rules, and which scripts that ran they had matched."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import sqlalchemy as sa

from adapter import errors
from adapter.job.dangerous import DangerousRule, Finding, RuleAction
from adapter.job.model import Scope
from adapter.store import tables
from adapter.store.transactions import Bind, insert_row, is_id, is_storable, transaction

_rule, _record = tables.dangerous_rule, tables.dangerous_record
_job, _step = tables.job_instance, tables.step_instance
_ADD_RECORDS = sa.insert(_record)
_ENABLED = sa.select(_rule).where(_rule.c.enabled).order_by(_rule.c.id)


class RuleFields(TypedDict, total=False):
    """What can be said of a rule."""

    expression: str
    languages: tuple[int, ...]
    action: int
    description: str
    enabled: bool


@dataclass(frozen=True, kw_only=True)
class DangerousRecord:
    """A line of a script that was launched though a rule matched it."""

    job_instance_id: int
    step_instance_id: int
    step_name: str
    scope: Scope
    app_code: str
    operator: str
    create_time: int
    rule_id: int
    expression: str
    line: int
    line_content: str
    match_content: str


class DangerousRuleStore:
    """The table `dangerous_rule`; `dangerous_record` is read here, and written with jobs."""

    def __init__(self, bind: Bind) -> None:
        self._bind = bind

    def enabled(self) -> tuple[DangerousRule, ...]:
        """The rules that scripts are held to."""
        with transaction(self._bind) as connection:
            return tuple(_to_rule(row) for row in connection.execute(_ENABLED))

    def get(self, rule_id: int) -> DangerousRule | None:
        """One rule, None if there is none of that id."""
        if not is_id(rule_id):
            return None
        with transaction(self._bind) as connection:
            row = connection.execute(sa.select(_rule).where(_rule.c.id == rule_id)).one_or_none()
        return None if row is None else _to_rule(row)

    def list(
        self,
        *,
        expression: str | None = None,
        languages: Collection[int] | None = None,
        description: str | None = None,
        action: int | None = None,
    ) -> tuple[DangerousRule, ...]:
        """Those that meet all that is given, in the order they were made.

        Texts are parts of the value; of the languages a rule needs one.
        """
        conditions: list[sa.ColumnElement[bool]] = []
        for column, text in ((_rule.c.expression, expression), (_rule.c.description, description)):
            if text and not is_storable(text):
                return ()
            if text:
                conditions.append(column.contains(text, autoescape=True))
        if languages is not None:
            conditions.append(_rule.c.languages.bitwise_and(_bits(languages)) > 0)
        if action is not None:
            conditions.append(_rule.c.action == max(min(action, 99), -1))
        statement = sa.select(_rule).where(*conditions).order_by(_rule.c.id)
        with transaction(self._bind) as connection:
            return tuple(_to_rule(row) for row in connection.execute(statement))

    def of(self, expression: str, languages: Collection[int]) -> DangerousRule | None:
        """The rule of just this expression and these languages."""
        statement = sa.select(_rule).where(
            _rule.c.expression == expression, _rule.c.languages == _bits(languages)
        )
        with transaction(self._bind) as connection:
            row = connection.execute(statement).one_or_none()
        return None if row is None else _to_rule(row)

    def create(self, fields: RuleFields, *, operator: str, now_ms: int) -> DangerousRule:
        """Store a rule. Raises DangerousRuleExists for the same expression and languages."""
        values = {
            **_columns(fields),
            "creator": operator,
            "create_time": now_ms,
            "last_modify_user": operator,
            "last_modify_time": now_ms,
        }
        try:
            with transaction(self._bind) as connection:
                rule_id = insert_row(connection, _rule, values)
        except sa.exc.IntegrityError as error:
            raise errors.DangerousRuleExists(fields["expression"]) from error
        return self._stored(rule_id)

    def update(self, rule_id: int, fields: RuleFields, *, operator: str, now_ms: int) -> DangerousRule:
        """Change what is given. Raises DangerousRuleExists, and DangerousRuleUnknown."""
        values = {**_columns(fields), "last_modify_user": operator, "last_modify_time": now_ms}
        if not is_id(rule_id):
            raise errors.DangerousRuleUnknown(rule_id)
        try:
            with transaction(self._bind) as connection:
                connection.execute(sa.update(_rule).where(_rule.c.id == rule_id).values(values))
        except sa.exc.IntegrityError as error:
            raise errors.DangerousRuleExists(fields["expression"]) from error
        return self._stored(rule_id)

    def delete(self, rule_id: int) -> None:
        """Remove a rule, if it is there. What it matched stays noted."""
        if is_id(rule_id):
            with transaction(self._bind) as connection:
                connection.execute(sa.delete(_rule).where(_rule.c.id == rule_id))

    def records(self, job_instance_id: int | None, most: int) -> tuple[DangerousRecord, ...]:
        """What was noted of one job, or the newest of all."""
        statement = (
            sa.select(
                _record,
                _step.c.name,
                *(_job.c[name] for name in ("scope_type", "scope_id", "app_code", "operator", "create_time")),
            )
            .join_from(_record, _job, _record.c.job_instance_id == _job.c.id)
            .join(_step, _record.c.step_instance_id == _step.c.id)
            .order_by(_record.c.id.desc())
            .limit(most)
        )
        if job_instance_id is not None:
            if not is_id(job_instance_id):
                return ()
            statement = statement.where(_record.c.job_instance_id == job_instance_id)
        with transaction(self._bind) as connection:
            return tuple(_to_record(row) for row in connection.execute(statement))

    def _stored(self, rule_id: int) -> DangerousRule:
        rule = self.get(rule_id)
        if rule is None:
            raise errors.DangerousRuleUnknown(rule_id)
        return rule


def note_findings(
    connection: sa.Connection, job_instance_id: int, found: Iterable[tuple[int, Sequence[Finding]]]
) -> None:
    """Keep what rules have matched in a job that is being stored, by step instance."""
    rows = [
        {
            "job_instance_id": job_instance_id,
            "step_instance_id": step_id,
            "rule_id": finding.rule.id,
            "expression": finding.rule.expression,
            "line": finding.line,
            "line_content": finding.line_content,
            "match_content": finding.match_content,
        }
        for step_id, findings in found
        for finding in findings
    ]
    if rows:
        connection.execute(_ADD_RECORDS, rows)


def _columns(fields: RuleFields) -> dict[str, Any]:
    values: dict[str, Any] = dict(fields)
    if "languages" in fields:
        values["languages"] = _bits(fields["languages"])
    return values


def _bits(languages: Collection[int]) -> int:
    return sum(1 << language for language in set(languages) if 0 < language < 16)


def _to_rule(row: sa.Row[Any]) -> DangerousRule:
    return DangerousRule(
        id=row.id,
        expression=row.expression,
        languages=tuple(language for language in range(16) if row.languages >> language & 1),
        action=RuleAction(row.action),
        description=row.description,
        enabled=row.enabled,
        creator=row.creator,
        create_time=row.create_time,
        last_modify_user=row.last_modify_user,
        last_modify_time=row.last_modify_time,
    )


def _to_record(row: sa.Row[Any]) -> DangerousRecord:
    return DangerousRecord(
        job_instance_id=row.job_instance_id,
        step_instance_id=row.step_instance_id,
        step_name=row.name,
        scope=Scope(row.scope_type, row.scope_id),
        app_code=row.app_code,
        operator=row.operator,
        create_time=row.create_time,
        rule_id=row.rule_id,
        expression=row.expression,
        line=row.line,
        line_content=row.line_content,
        match_content=row.match_content,
    )
