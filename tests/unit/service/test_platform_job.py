"""execute_platform_job: a plan over two businesses, with some of its steps changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapter import errors
from adapter.job.commands import ExecutePlatformJob, ScriptRef, SourceSpec, StepOverride
from adapter.job.model import JobInstance, Scope, Server
from adapter.job.plan import JobPlan, PlanFile, PlanFileSource, PlanScript, PlanStep
from adapter.job.status import StepType, TaskType

from .world import BOTH, CALLER, DST1, DST2, SOURCE, SRC1, SRC2, TARGET, THIRD, World, alias, on


def a_plan(world: World, scope: Scope = THIRD) -> JobPlan:
    """A script step and a file step on the host that every business has."""
    owner = world.account(scope, "owner")
    script = PlanScript(account_id=owner, language=4, content="print(1)", param="stored", timeout=77)
    source = PlanFileSource(files=("/stored",), account_id=owner, server=on(SRC1))
    file = PlanFile(account_id=owner, target_path="/data/", sources=(source,))
    return world.plan(
        scope,
        PlanStep(id=0, name="run", type=StepType.SCRIPT, target=on(DST1), script=script),
        PlanStep(id=0, name="copy", type=StepType.FILE, target=on(DST2), file=file),
    )


def launch(
    world: World, plan: JobPlan, steps: tuple[StepOverride, ...] | None = None, **changes: Any
) -> JobInstance:
    command = ExecutePlatformJob(
        caller=CALLER, source_scope=SOURCE, target_scope=TARGET, plan_id=plan.id, steps=steps
    )
    launched = world.launch.execute_platform_job(replace(command, **changes))
    assert (launched.job_instance_name, launched.step_instance_id) == ("the plan", None)
    return world.query.job(None, launched.job_instance_id)


def steps_of(plan: JobPlan) -> tuple[int, int]:
    return plan.steps[0].id, plan.steps[1].id


def test_a_plan_of_a_third_business_runs_as_it_is_stored(world: World) -> None:
    """Targets in the target business, sources in the source business; both see the job."""
    plan = a_plan(world)
    job = launch(world, plan, callback_url="http://example.com/")
    assert (job.scope, job.other_scope, job.type, job.plan_id) == (TARGET, SOURCE, TaskType.PLAN, plan.id)
    assert job.callback_url == "http://example.com/"
    assert world.query.job(SOURCE, job.id) == world.query.job(TARGET, job.id) == job
    with pytest.raises(errors.JobUnknown):
        world.query.job(THIRD, job.id)
    assert [step.name for step in job.steps] == ["run", "copy"]
    assert [world.targets(step.id) for step in job.steps] == [["dst1"], ["dst2"]]
    assert job.steps[1].file is not None
    assert job.steps[1].file.sources[0].hosts == (SRC1,)
    assert world.woken == 1


def test_one_business_may_be_both(world: World) -> None:
    """Then the job has no second one."""
    plan = a_plan(world)
    run, _ = steps_of(plan)
    job = launch(world, plan, (StepOverride(step_id=run, target=on(SRC1)),), target_scope=SOURCE)
    assert (job.scope, job.other_scope) == (SOURCE, None)


def test_only_the_listed_steps_run_in_the_plan_s_order(world: World) -> None:
    """However they are listed."""
    plan = a_plan(world)
    run, copy = steps_of(plan)
    assert [step.step_id for step in launch(world, plan, (StepOverride(step_id=copy),)).steps] == [copy]
    both = (StepOverride(step_id=copy), StepOverride(step_id=run))
    job = launch(world, plan, both)
    assert [(step.order, step.step_id) for step in job.steps] == [(0, run), (1, copy)]


def test_a_script_step_s_changes(world: World) -> None:
    """Everything that is given replaces what is stored; a script without a language keeps it."""
    plan = a_plan(world)
    run, _ = steps_of(plan)
    here = world.account(TARGET, "deploy")
    override = StepOverride(
        step_id=run,
        script=ScriptRef(content="print(2)"),
        param="a\nb",
        timeout=60,
        account=alias("deploy"),
        target=Server(dynamic_groups=("dst",)),
        target_path="",
        sources=(),
    )
    (step,) = launch(world, plan, (override,)).steps
    assert step.script is not None
    assert (step.script.content, step.script.language) == ("print(2)", 4)
    assert (step.script.param, step.script.timeout, step.script.account_id) == ("a b", 60, here)
    assert world.targets(step.id) == ["dst2", "dst1"]
    (step,) = launch(world, plan, (StepOverride(step_id=run, script=ScriptRef(), target=Server()),)).steps
    assert step.script is not None
    assert (step.script.content, step.script.param, step.script.timeout) == ("print(1)", "stored", 77)


def test_a_script_id_wins_and_may_be_of_any_of_the_businesses(world: World) -> None:
    """Target first, then the plan's, then the source."""
    plan = a_plan(world)
    run, _ = steps_of(plan)
    for scope in (TARGET, THIRD, SOURCE):
        version_id = world.script(scope, f"echo {scope}")
        ref = ScriptRef(version_id=version_id, content="no", language=1)
        (step,) = launch(world, plan, (StepOverride(step_id=run, script=ref),)).steps
        assert step.script is not None
        assert (step.script.content, step.script.language) == (f"echo {scope}", 1)
        assert step.script.script_version_id == version_id
    with pytest.raises(errors.ScriptUnknown):
        launch(world, plan, (StepOverride(step_id=run, script=ScriptRef(version_id=99)),))


def test_content_takes_the_language_of_the_library_s_script_it_replaces(world: World) -> None:
    """The stored step names a version, not a language."""
    owner = world.account(THIRD, "owner")
    script = PlanScript(account_id=owner, script_version_id=world.script(THIRD, "print 1;", language=3))
    plan = world.plan(THIRD, PlanStep(id=0, name="run", type=StepType.SCRIPT, target=on(DST1), script=script))
    override = StepOverride(step_id=plan.steps[0].id, script=ScriptRef(content="print 2;"))
    (step,) = launch(world, plan, (override,)).steps
    assert step.script is not None
    assert (step.script.content, step.script.language, step.script.script_id) == ("print 2;", 3, None)


def test_a_file_step_s_changes(world: World) -> None:
    """Sources are the source business's, accounts of the business their hosts are in."""
    plan = a_plan(world)
    _, copy = steps_of(plan)
    here, there = world.account(TARGET, "deploy"), world.account(SOURCE, "deploy")
    sources = (
        SourceSpec(
            files=("/tmp/REGEX:[a-z]*.txt",), account=alias("deploy"), server=Server(dynamic_groups=("src",))
        ),
    )
    override = StepOverride(
        step_id=copy, account=alias("deploy"), target=on(DST1, BOTH), target_path="/new/", sources=sources
    )
    (step,) = launch(world, plan, (override,)).steps
    assert step.file is not None
    assert (step.file.target_path, step.file.account_id) == ("/new/", here)
    assert step.file.sources[0].account_id == there
    assert step.file.sources[0].hosts == (SRC1, SRC2)
    assert world.targets(step.id) == ["dst1", "both"]


def test_where_an_alias_is_looked_up(world: World) -> None:
    """Where the hosts are, then where the plan is, and for sources at last in the target business."""
    plan = a_plan(world)
    _, copy = steps_of(plan)
    sources = (SourceSpec(files=("/a",), account=alias("who"), server=on(SRC1)),)
    of_source = StepOverride(step_id=copy, sources=sources)
    of_target = StepOverride(step_id=copy, account=alias("who"))

    def found(override: StepOverride) -> int:
        (step,) = launch(world, plan, (override,)).steps
        assert step.file is not None
        return step.file.sources[0].account_id if override.sources else step.file.account_id

    with pytest.raises(errors.AccountUnknown, match="who"):
        found(of_source)
    in_target = world.account(TARGET, "who")
    assert (found(of_source), found(of_target)) == (in_target, in_target)
    in_third = world.account(THIRD, "who")
    assert (found(of_source), found(of_target)) == (in_third, in_target)
    in_source = world.account(SOURCE, "who")
    assert (found(of_source), found(of_target)) == (in_source, in_target)


def test_hosts_must_be_in_their_business(world: World) -> None:
    """A target of the source business is as foreign as any."""
    plan = a_plan(world)
    run, copy = steps_of(plan)
    sources = (SourceSpec(files=("/a",), account=alias("owner"), server=on(DST1)),)
    for override in (StepOverride(step_id=run, target=on(SRC1)), StepOverride(step_id=copy, sources=sources)):
        with pytest.raises(errors.HostsNotInScope):
            launch(world, plan, (override,))
    assert world.count() == 0


@pytest.mark.parametrize(
    ("index", "fields", "words"),
    [
        (0, {"target_path": "/x"}, "steps.file_target_path"),
        (0, {"sources": (SourceSpec(files=("/a",), account=alias("x"), server=on(SRC1)),)}, "file_source"),
        (1, {"script": ScriptRef(version_id=1)}, "steps.script_id"),
        (1, {"script": ScriptRef(content="x")}, "steps.script_content"),
        (1, {"param": "x"}, "steps.script_param"),
        (1, {"timeout": 60}, "steps.script_timeout"),
    ],
)
def test_fields_of_another_type_of_step_are_refused(
    world: World, index: int, fields: dict[str, Any], words: str
) -> None:
    """By name; empty ones do no harm."""
    plan = a_plan(world)
    with pytest.raises(errors.InvalidParameter, match=words):
        launch(world, plan, (StepOverride(step_id=plan.steps[index].id, **fields),))
    assert launch(world, plan, (StepOverride(step_id=plan.steps[1].id, param="", script=ScriptRef()),))


def test_steps_must_be_the_plan_s_and_listed_once(world: World) -> None:
    """The message has the ids that there are."""
    plan = a_plan(world)
    run, copy = steps_of(plan)
    with pytest.raises(errors.InvalidParameter, match=rf"steps.step_id.*999.*{run}, {copy}"):
        launch(world, plan, (StepOverride(step_id=999),))
    with pytest.raises(errors.InvalidParameter, match="listed twice"):
        launch(world, plan, (StepOverride(step_id=run), StepOverride(step_id=run)))
    with pytest.raises(errors.InvalidParameter, match="lists no step"):
        launch(world, plan, ())


def test_the_plan_must_be_one_the_caller_may_use(world: World) -> None:
    """Otherwise it does not exist; both businesses must."""
    plan = a_plan(world)
    stranger = replace(CALLER, scopes=frozenset({SOURCE, TARGET}))
    with pytest.raises(errors.PlanUnknown):
        launch(world, plan, caller=stranger)
    assert launch(world, plan, caller=replace(CALLER, scopes=frozenset({SOURCE, TARGET, THIRD})))
    with pytest.raises(errors.PlanUnknown):
        launch(world, plan, plan_id=99)
    nowhere = Scope("biz", "77")
    for changed in ("source_scope", "target_scope"):
        with pytest.raises(errors.ScopeUnknown, match="biz_77"):
            launch(world, plan, None, **{changed: nowhere})


def test_a_plan_of_either_business_is_seen(world: World) -> None:
    """By a caller of just these two."""
    caller = replace(CALLER, scopes=frozenset({SOURCE, TARGET}))
    for scope in (SOURCE, TARGET):
        assert launch(world, a_plan(world, scope), caller=caller)
