"""Stored plans: their steps and their variables."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from adapter import errors
from adapter.job.commands import ExecutePlan, VariableValue
from adapter.job.model import PUBLIC, Approval, JobInstance, JobVariable, Server
from adapter.job.plan import (
    GlobalVariable,
    JobPlan,
    PlanApproval,
    PlanFile,
    PlanFileSource,
    PlanScript,
    PlanStep,
)
from adapter.job.status import StepType, TaskType, VariableType
from tests.support.startable import to_start

from .world import CALLER, SOURCE, SRC1, SRC2, TARGET, World, on


def account_id(world: World) -> int:
    account = world.accounts.by_alias(SOURCE, "root")
    assert account is not None
    return account.id


def script_step(world: World, name: str = "run", target: Server | None = None, **changes: Any) -> PlanStep:
    script = PlanScript(account_id=account_id(world), language=1, content="echo $GREETING")
    return PlanStep(
        id=0, name=name, type=StepType.SCRIPT, target=target or on(SRC1), script=replace(script, **changes)
    )


def file_step(world: World, name: str = "copy", **changes: Any) -> PlanStep:
    source = PlanFileSource(files=("/tmp/a",), account_id=account_id(world), server=on(SRC2))
    file = PlanFile(account_id=account_id(world), target_path="/data", sources=(source,))
    return PlanStep(id=0, name=name, type=StepType.FILE, target=on(SRC1), file=replace(file, **changes))


def variable(name: str, type_: int, value: str = "", server: Server | None = None) -> GlobalVariable:
    return GlobalVariable(id=0, name=name, type=VariableType(type_), value=value, server=server)


def launch(world: World, plan: JobPlan, *values: VariableValue, **changes: Any) -> JobInstance:
    command = ExecutePlan(caller=CALLER, scope=plan.scope, plan_id=plan.id, variables=values)
    launched = world.launch.execute_plan(replace(command, **changes))
    assert launched.step_instance_id is None
    return world.query.job(plan.scope, launched.job_instance_id)


def first_script(job: JobInstance) -> str:
    assert job.steps[0].script is not None
    return job.steps[0].script.content


def test_the_enabled_steps_run_in_order(world: World) -> None:
    """As a job of the plan's name."""
    plan = world.plan(
        SOURCE,
        file_step(world),
        script_step(world, "left out"),
        replace(script_step(world, param="a\nb", timeout=9), ignore_error=True),
        leave_out=("left out",),
    )
    job = launch(world, plan)
    assert (job.name, job.type) == ("the plan", TaskType.PLAN)
    assert (job.plan_id, job.template_id) == (plan.id, plan.template_id)
    assert [(step.order, step.name, step.type) for step in job.steps] == [
        (0, "copy", StepType.FILE),
        (1, "run", StepType.SCRIPT),
    ]
    assert [step.step_id for step in job.steps] == [step.id for step in plan.enabled_steps]
    assert [step.ignore_error for step in job.steps] == [False, True]
    assert job.steps[0].file is not None
    assert job.steps[0].file.sources[0].hosts == (SRC2,)
    assert job.steps[1].script is not None
    assert (job.steps[1].script.param, job.steps[1].script.timeout) == ("a b", 9)
    assert to_start(world.jobs) == [job.id]


def test_a_plan_may_wait_for_its_start(world: World) -> None:
    """As a fast task may."""
    job = launch(world, world.plan(SOURCE, script_step(world)), start_task=False)
    assert not job.started
    assert world.woken == 0


def test_plans_that_cannot_be_run(world: World) -> None:
    """Unknown, another business's, without steps, with nothing to run on."""
    plan = world.plan(SOURCE, script_step(world, target=Server()), script_step(world, "b"), leave_out=("b",))
    with pytest.raises(errors.PlanUnknown):
        launch(world, plan, plan_id=99)
    with pytest.raises(errors.PlanUnknown):
        launch(world, plan, scope=TARGET)
    with pytest.raises(errors.TargetEmpty, match="run"):
        launch(world, plan)
    nothing = world.plan(TARGET, script_step(world), leave_out=("run",))
    with pytest.raises(errors.PlanEmpty):
        launch(world, nothing)
    assert world.count() == 0


def test_a_step_of_a_public_script(world: World) -> None:
    """By version, and by script, which is what is online at the launch; it runs in any business that names it."""
    first = world.scripts.version(world.script(PUBLIC, "echo first"))
    assert first is not None
    step = partial(script_step, world, content=None, language=None, script_id=first.script_id, is_public=True)
    plan = world.plan(SOURCE, step("online"), step("first", script_version_id=first.id))
    second = world.scripts.create_version(
        first.script_id, version="2", content="echo second", operator="ann", now_ms=2
    )
    world.scripts.publish(first.script_id, second.id, operator="ann", now_ms=2)
    scripts = [step.script for step in launch(world, plan).steps]
    assert [
        (script.content, script.language, script.script_id, script.script_version_id, script.is_public)
        for script in scripts
        if script is not None
    ] == [
        ("echo second", 1, first.script_id, second.id, True),
        ("echo first", 1, first.script_id, first.id, True),
    ]
    world.scripts.disable(first.script_id, second.id, operator="ann", now_ms=3)
    with pytest.raises(errors.ScriptNotExecutable):
        launch(world, plan)
    assert world.count() == 1


def test_a_step_of_another_businesss_script(world: World) -> None:
    """It is unknown: only public ones are everybody's."""
    version = world.scripts.version(world.script(TARGET, "echo theirs"))
    assert version is not None
    step = script_step(world, content=None, language=None, script_version_id=version.id, is_public=True)
    with pytest.raises(errors.ScriptUnknown):
        launch(world, world.plan(SOURCE, step))
    assert world.count() == 0


def test_prefix_modes_are_written_into_the_path(world: World) -> None:
    """Mode 3 is mode 2 to a directory of the source's address."""
    job = launch(world, world.plan(SOURCE, file_step(world, transfer_mode=3)))
    assert job.steps[0].file is not None
    assert (job.steps[0].file.target_path, job.steps[0].file.transfer_mode) == ("/data/[FILESRCIP]", 2)


# --- texts -----------------------------------------------------------------------------------------------


def told(world: World, job: JobInstance) -> list[JobVariable]:
    """The variables that the job was launched with; ciphers in clear."""
    return list(world.jobs.variables(job.id, in_clear=True))


def test_texts_are_stored_as_the_plan_has_them(world: World) -> None:
    """A script may change what is in them before they are used; once a step has begun they are shown as used."""
    plan = world.plan(
        SOURCE,
        script_step(world, param="-g ${GREETING} ${OTHER}"),
        script_step(world, "py", content="print()", language=4),
        file_step(
            world,
            target_path="/data/${GREETING}",
            sources=(
                PlanFileSource(
                    files=("${DIR}/a-${GREETING}",), account_id=account_id(world), server=on(SRC2)
                ),
            ),
        ),
        variables=(variable("GREETING", 1, "it's"), variable("DIR", 1, "/tmp")),
    )
    job = launch(world, plan)
    assert first_script(job) == "echo $GREETING"
    for step in job.steps:
        assert world.query.resolved(step) == step
        world.jobs.begin_step(step.id, 1)
    script, _, file = map(world.query.resolved, world.query.job(SOURCE, job.id).steps)
    assert script.script is not None
    assert script.script.param == "-g it's ${OTHER}"
    assert file.file is not None
    assert (file.file.target_path, file.file.sources[0].files) == ("/data/it's", ("/tmp/a-it's",))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (VariableValue(name="GREETING", value="new"), "new"),
        (VariableValue(name="GREETING"), ""),
        (VariableValue(name="GREETING", value="", server=Server()), ""),
        (VariableValue(name="UNKNOWN", value="new"), "old"),
        (VariableValue(id=99, value="new"), "old"),
        (VariableValue(id=1, name="UNKNOWN", value="new"), "new"),
        (VariableValue(value="new"), "old"),
    ],
)
def test_a_request_s_values_win(world: World, value: VariableValue, expected: str) -> None:
    """By id, else by name; neither value nor hosts is an empty text; the unknown is ignored."""
    plan = world.plan(SOURCE, script_step(world), variables=(variable("GREETING", 1, "old"),))
    if value.id == 1:
        value = replace(value, id=plan.variables[0].id)
    assert [variable.value for variable in told(world, launch(world, plan, value))] == [expected]


def test_a_required_variable_may_be_empty(world: World) -> None:
    """JOB's API does not look at that either."""
    asked = replace(variable("GREETING", 1), required=True)
    plan = world.plan(SOURCE, script_step(world), variables=(asked,))
    assert [each.value for each in told(world, launch(world, plan))] == [""]


def test_variables_are_kept_with_the_job(world: World) -> None:
    """As this launch has them, in the plan's order; a secret encrypted, and masked; nothing of another job."""
    plan = world.plan(
        SOURCE,
        script_step(world, target=Server(variable="hosts")),
        variables=(
            variable("B", 1, "old"),
            variable("PASS", 4, "s3cret"),
            variable("hosts", 3, server=on(SRC1)),
            variable("A", 1, "é\n"),
        ),
    )
    plain = launch(world, plan)
    given = launch(world, plan, VariableValue(name="B", value="new"))
    assert [(each.name, each.type, each.value) for each in told(world, plain)] == [
        ("B", 1, "old"),
        ("PASS", 4, "s3cret"),
        ("hosts", 3, ""),
        ("A", 1, "é\n"),
    ]
    shown = world.query.variables(given)[given.steps[0].id]
    assert [each.value for each in shown] == ["new", "******", "", "é\n"]
    assert "s3cret" not in repr(told(world, plain))
    assert world.jobs.variables(2**63) == world.jobs.variables(given.id + 1) == ()


def test_a_cipher_makes_the_param_sensitive(world: World) -> None:
    """So that it is stored encrypted, and masked."""
    plan = world.plan(
        SOURCE,
        script_step(world, param="-p ${PASS}"),
        script_step(world, "other", param="-p x"),
        variables=(variable("PASS", 4, "s3cret"),),
    )
    job = launch(world, plan)
    assert job.steps[0].script is not None
    assert (job.steps[0].script.param, job.steps[0].script.param_sensitive) == ("******", True)
    assert world.jobs.script_param(job.steps[0].id) == "-p ${PASS}"
    assert job.steps[1].script is not None
    assert not job.steps[1].script.param_sensitive


def test_a_path_that_variables_leave_relative_is_refused(world: World) -> None:
    """It would be written wherever the connection happens to begin."""
    plan = world.plan(
        SOURCE, file_step(world, target_path="${DIR}data"), variables=(variable("DIR", 1, "tmp/"),)
    )
    with pytest.raises(errors.MissingOrInvalid, match="tmp/data"):
        launch(world, plan)
    assert launch(world, plan, VariableValue(name="DIR", value="/")).steps


def test_a_path_that_a_script_may_change_is_looked_at_later(world: World) -> None:
    """What is in it is known when its step begins."""
    variables = (replace(variable("DIR", 1, "tmp/"), changeable=True),)
    plan = world.plan(SOURCE, file_step(world, target_path="${DIR}data"), variables=variables)
    assert launch(world, plan).steps[0].file is not None


def test_imported_hosts_are_looked_up_at_the_launch(world: World) -> None:
    """Once, as targets are; of those that a shell script imports, and nothing else."""
    variables = (
        variable("WHERE", 3, server=Server(dynamic_groups=("src",))),
        variable("EMPTY", 3, server=Server()),
        variable("OTHER", 3, server=Server(dynamic_groups=("nosuch",))),
    )
    imports = "# job_import {{WHERE}}\n# job_import {{EMPTY}}\n# job_import {{JOB_LAST_ALL}}"
    python = script_step(world, "py", content="# job_import {{OTHER}}", language=4)
    plan = world.plan(SOURCE, script_step(world, content=imports), python, variables=variables)
    assert [each.value for each in told(world, launch(world, plan))] == [f"{SRC1.label},{SRC2.label}", "", ""]


def test_a_cipher_in_a_path_is_refused(world: World) -> None:
    """It would be stored and shown in clear."""
    plan = world.plan(
        SOURCE, file_step(world, target_path="/${PASS}"), variables=(variable("PASS", 4, "s3cret"),)
    )
    with pytest.raises(errors.NotSupported, match=r"cipher variable \[PASS\]") as raised:
        launch(world, plan)
    assert "s3cret" not in raised.value.message


@pytest.mark.parametrize("type_", [5, 6])
@pytest.mark.parametrize("value", ["a b", '("a"', "($(id))", '("$HOME")', "(`id`)", "(*)", "([x y]z)"])
def test_an_array_that_is_none_is_refused(world: World, type_: int, value: str) -> None:
    """Also what a shell would run or expand; in the plan or in the request."""
    variables = (variable("LIST", type_, '(["1"]="a")' if type_ == 5 else '("a")'),)
    plan = world.plan(SOURCE, script_step(world), variables=variables)
    with pytest.raises(errors.InvalidParameter, match=r"\[LIST\]"):
        launch(world, plan, VariableValue(name="LIST", value=value))
    assert world.count() == 0
    assert launch(world, plan, VariableValue(name="LIST")).steps


# --- hosts -----------------------------------------------------------------------------------------------


def test_a_target_may_be_a_host_variable(world: World) -> None:
    """The run-time hosts win over the plan's."""
    target = Server(variable="WHERE")
    plan = world.plan(
        SOURCE, script_step(world, target=target), variables=(variable("WHERE", 3, server=on(SRC1)),)
    )
    chosen = VariableValue(name="WHERE", value="", server=Server(dynamic_groups=("src",)))
    assert world.targets(launch(world, plan).steps[0].id) == ["src1"]
    assert world.targets(launch(world, plan, chosen).steps[0].id) == ["src1", "src2"]
    for emptied in (VariableValue(name="WHERE"), VariableValue(name="WHERE", value="x", server=on(SRC1))):
        with pytest.raises(errors.TargetEmpty):
            launch(world, plan, emptied)


def test_a_source_may_be_a_host_variable(world: World) -> None:
    """With the source's error if it is empty."""
    source = PlanFileSource(files=("/a",), account_id=account_id(world), server=Server(variable="FROM"))
    plan = world.plan(
        SOURCE, file_step(world, sources=(source,)), variables=(variable("FROM", 3, server=on(SRC2)),)
    )
    job = launch(world, plan)
    assert job.steps[0].file is not None
    assert job.steps[0].file.sources[0].hosts == (SRC2,)
    with pytest.raises(errors.SourceEmpty):
        launch(world, plan, VariableValue(name="FROM"))


def test_a_host_variable_must_be_one(world: World) -> None:
    """A name that is missing or a string's is 1244008."""
    for name in ("NONE", "TEXT"):
        plan = world.plan(
            SOURCE if name == "NONE" else TARGET,
            script_step(world, target=Server(variable=name)),
            variables=(variable("TEXT", 1, "x"),),
        )
        with pytest.raises(errors.HostVariableMissing, match=name):
            launch(world, plan)


# --- approval --------------------------------------------------------------------------------------------


def approval_step(*users: str, roles: tuple[str, ...] = ()) -> PlanStep:
    asked = PlanApproval(message="sure?", users=users, roles=roles)
    return PlanStep(id=0, name="ask", type=StepType.APPROVAL, target=Server(), approval=asked)


def test_an_approval_asks_people_and_roles(world: World) -> None:
    """Roles are whoever has them at the launch, each named once; it has no hosts."""
    roles = ("JOB_RESOURCE_OWNER", "JOB_RESOURCE_TRIGGER_USER")
    plan = world.plan(SOURCE, script_step(world), approval_step("bob", CALLER.user, roles=roles))
    _, step = launch(world, plan).steps
    assert step.type is StepType.APPROVAL
    assert step.approval == Approval(
        message="sure?", users=tuple(dict.fromkeys(("bob", CALLER.user, plan.creator))), roles=roles
    )
    assert world.results(step.id) == ()


def test_an_approval_that_asks_nobody_is_refused(world: World) -> None:
    """Its job would wait for ever."""
    with pytest.raises(errors.NotSupported, match="ask"):
        launch(world, world.plan(SOURCE, script_step(world), approval_step()))
    assert world.count() == 0
