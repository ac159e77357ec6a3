"""fast_execute_sql: whose client runs, as whom; and everything that leaves no job behind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapter import errors
from adapter.job.commands import ExecuteSql, Once, ScriptRef
from adapter.job.dangerous import RuleAction
from adapter.job.model import Server
from adapter.job.status import ScriptLanguage, StepType, TaskType
from adapter.messages import Language

from .world import CALLER, SOURCE, SRC1, TARGET, World, alias, execute_script, on


def system_of(world: World) -> int:
    """The id of SOURCE's account root."""
    found = world.accounts.by_alias(SOURCE, "root")
    assert found is not None
    return found.id


def database(world: World, **fields: Any) -> int:
    """A MySQL account in SOURCE."""
    given = {"category": 2, "type": 9, "db_system_account_id": system_of(world), "password": "pw"}
    return world.account(SOURCE, "app", **{**given, **fields})


def execute_sql(account_id: int, **changes: Any) -> ExecuteSql:
    command = ExecuteSql(
        caller=CALLER,
        scope=SOURCE,
        script=ScriptRef(content="SELECT 1"),
        db_account_id=account_id,
        target=on(SRC1),
    )
    return replace(command, **changes)


def test_sql_is_a_step_of_its_own_type(world: World) -> None:
    """It runs as the system account, remembers the database's, and the reply has no step."""
    account_id = database(world)
    launched = world.launch.execute_sql(execute_sql(account_id, timeout=60))
    job = world.jobs.get(launched.job_instance_id)
    assert job is not None
    (step,) = job.steps
    assert (launched.step_instance_id, job.type, step.type) == (None, TaskType.SCRIPT, StepType.SQL)
    assert step.script is not None
    assert (step.script.language, step.script.content) == (ScriptLanguage.SQL, "SELECT 1")
    assert (step.script.account_id, step.script.db_account_id) == (system_of(world), account_id)
    assert (step.timeout, world.targets(step.id)) == (60, ["src1"])
    assert job.name.startswith("SQL Script_")


def test_a_name_in_chinese(world: World) -> None:
    """As JOB calls it."""
    caller = replace(CALLER, language=Language.ZH)
    launched = world.launch.execute_sql(execute_sql(database(world), caller=caller))
    assert launched.job_instance_name.startswith("快速执行SQL_")


def test_a_launch_that_is_repeated(world: World) -> None:
    """The same answer, and no second job."""
    command = execute_sql(database(world), caller=replace(CALLER, once=Once(key="k", digest="d")))
    assert world.launch.execute_sql(command) == world.launch.execute_sql(command)
    assert world.count() == 1


def test_sql_of_the_library(world: World) -> None:
    """By version, by script; a script that is no SQL is refused."""
    account_id = database(world)
    version = world.script(SOURCE, "SELECT 2", language=6)
    launched = world.launch.execute_sql(execute_sql(account_id, script=ScriptRef(version_id=version)))
    job = world.jobs.get(launched.job_instance_id)
    assert job is not None
    assert job.steps[0].script is not None
    assert job.steps[0].script.content == "SELECT 2"
    shell = world.script(SOURCE, "echo", language=1)
    with pytest.raises(errors.InvalidParameter, match="language 1"):
        world.launch.execute_sql(execute_sql(account_id, script=ScriptRef(version_id=shell)))


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"category": 1, "type": 1, "db_system_account_id": None}, errors.AccountUnknown),
        ({"db_system_account_id": None}, errors.AccountUnknown),
        ({"db_system_account_id": 4711}, errors.AccountUnknown),
        ({"type": 1}, errors.NotSupported),
    ],
)
def test_accounts_that_run_no_sql(world: World, fields: dict[str, Any], error: type[errors.JobError]) -> None:
    """1244003 for a system account and for a database's without its own; nothing is stored."""
    with pytest.raises(error):
        world.launch.execute_sql(execute_sql(database(world, **fields)))
    assert (world.count(), world.woken) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"db_account_id": 4711}, errors.AccountUnknown),
        ({"db_account_id": 2**63}, errors.AccountUnknown),
        ({"target": Server()}, errors.HostEmpty),
        ({"target": Server(host_ids=(77,))}, errors.HostsUnknown),
        ({"target": Server(dynamic_groups=("empty",))}, errors.TargetEmpty),
        ({"scope": TARGET, "script": ScriptRef(version_id=4711)}, errors.ScriptUnknown),
        ({"script": ScriptRef()}, errors.MissingParameter),
    ],
)
def test_what_is_refused_leaves_nothing(
    world: World, changes: dict[str, Any], error: type[errors.JobError]
) -> None:
    """No row, no wake-up."""
    with pytest.raises(error):
        world.launch.execute_sql(execute_sql(database(world), **changes))
    assert (world.count(), world.woken) == (0, 0)


def test_a_database_s_account_runs_no_script(world: World) -> None:
    """Scripts and files need a user of the system; SQL is no language of theirs."""
    database(world)
    with pytest.raises(errors.NotSupported, match="database account"):
        world.launch.execute_script(execute_script(account=alias("app")))
    with pytest.raises(errors.NotSupported, match="sql"):
        world.launch.execute_script(execute_script(script=ScriptRef(content="SELECT 1", language=6)))
    assert world.count() == 0


def test_sql_is_held_to_dangerous_rules(world: World) -> None:
    """Those of language 6; nothing is stored of what one refuses."""
    account_id = database(world)
    made = world.dangerous.create(
        user="ann", expression="DROP", languages=[6], action=RuleAction.INTERCEPT, description=""
    )
    world.dangerous.enable(made.id, user="ann", enabled=True)
    with pytest.raises(errors.DangerousScript):
        world.launch.execute_sql(execute_sql(account_id, script=ScriptRef(content="DROP TABLE t")))
    assert world.count() == 0
    world.launch.execute_sql(execute_sql(account_id))
