"""Crons that several people have a hand in at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from adapter import errors
from adapter.job.commands import Caller, VariableValue
from adapter.job.cron import Cron
from adapter.job.plan import GlobalVariable
from adapter.job.status import VariableType
from adapter.service.crons import CronFields
from adapter.store.database import migrate, open_database
from adapter.store.secrets import SecretBox
from tests.support.crons import START, Node

from .world import SOURCE

ANN, BOB = Caller(app_code="app", user="ann"), Caller(app_code="other", user="bob")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    opened = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    migrate(opened, tmp_path / "lock")
    yield opened
    opened.dispose()


@pytest.fixture
def node(engine: sa.Engine) -> Node:
    Node.now[0] = START
    made = Node.on(engine, SecretBox(Fernet.generate_key()))
    made.set_up()
    return made


def test_of_two_changes_at_once_one_wins(node: Node) -> None:
    """The other is told to look again; nothing of it is stored."""
    cron = node.started(node.plan_id())
    node.crons.update(BOB, SOURCE, cron.id, CronFields(name="bob's"))
    with pytest.raises(errors.CronChanged) as error:
        node.store.update(replace(cron, name="ann's"))
    assert str(cron.id) in error.value.message
    assert node.again(cron).name == "bob's"


def test_one_that_goes_while_it_is_deleted(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """1245008; and 1245001 while it is changed."""
    cron = node.started(node.plan_id())
    monkeypatch.setattr(type(node.store), "delete", lambda _store, _cron_id: False)
    with pytest.raises(errors.CronNotDeleted):
        node.crons.delete(SOURCE, cron.id)
    monkeypatch.undo()
    node.crons.delete(SOURCE, cron.id)
    with pytest.raises(errors.CronUnknown):
        node.store.update(cron)


def test_a_plan_that_goes_while_a_cron_is_saved(node: Node, engine: sa.Engine) -> None:
    """It is the plan that is missing, not the name that is taken."""
    cron = node.started(node.plan_id())
    gone = replace(cron, plan_id=4711, name="new")
    with pytest.raises(errors.PlanUnknown):
        node.store.create(gone)
    with pytest.raises(errors.PlanUnknown):
        node.store.update(replace(cron, plan_id=4711))
    with pytest.raises(errors.CronExists):
        node.store.create(cron)


def test_whoever_changes_it_is_whom_it_runs_as(node: Node) -> None:
    """By saving, starting and stopping alike."""
    cron = node.started(node.plan_id())

    def who() -> tuple[str, str]:
        found = node.again(cron)
        return found.app_code, found.last_modify_user

    assert who() == ("app", "ann")
    node.crons.stop(BOB, SOURCE, cron.id)
    assert who() == ("other", "bob")
    node.crons.update(ANN, SOURCE, cron.id, CronFields(expression="0 5 * * *"))
    assert who() == ("app", "ann")
    node.crons.start(BOB, SOURCE, cron.id)
    assert who() == ("other", "bob")
    assert node.again(cron).creator == "ann"


def test_another_plan_keeps_what_fits(node: Node) -> None:
    """Its variables are matched when it is launched."""
    text, key = VariableType.STRING, VariableType.CIPHER
    plan_id = node.plan_id(variables=(GlobalVariable(id=0, name="a", type=text),))
    cron = node.started(plan_id, variables=(VariableValue(name="a", value="kept"),))
    other = node.plans.create_template(
        SOURCE,
        name="other",
        steps=(node.step(),),
        variables=(GlobalVariable(id=0, name="b", type=text), GlobalVariable(id=0, name="a", type=key)),
        operator="ann",
        now_ms=1,
    )
    other_id = node.plans.create_plan(other, name="o", operator="ann", now_ms=1)
    node.crons.update(ANN, SOURCE, cron.id, CronFields(plan_id=other_id))
    changed: Cron = node.again(cron)
    assert [item.name for item in changed.variables] == ["a"]
    assert changed.values_for(other.variables) == ()
