"""Scripts are held to dangerous rules at every launch."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapter import errors
from adapter.job.commands import ExecutePlan, ExecutePlatformJob, ScriptRef, StepOverride
from adapter.job.dangerous import DangerousRule, RuleAction
from adapter.job.plan import JobPlan, PlanScript, PlanStep
from adapter.job.status import StepType
from adapter.messages import Language
from adapter.service import dangerous_scripts
from adapter.service.dangerous_scripts import DangerousScripts
from adapter.store.quota import JobQuota

from .world import CALLER, SOURCE, SRC1, TARGET, World, alias, execute_script, on

SCAN, INTERCEPT = RuleAction.SCAN, RuleAction.INTERCEPT
BAD = ScriptRef(content="#!/bin/sh\necho ok\nrm -rf /\n", language=1)


def a_rule(
    world: World, action: RuleAction, expression: str = r"rm\s+-rf", language: int = 1
) -> DangerousRule:
    made = world.dangerous.create(
        user="ann", expression=expression, languages=[language], action=action, description="no!"
    )
    return world.dangerous.enable(made.id, user="bob", enabled=True)


def a_plan(world: World) -> JobPlan:
    account = world.accounts.list(SOURCE)[1][0].id
    scripts = {
        "fine": PlanScript(account_id=account, content="true", language=1),
        "bad": PlanScript(account_id=account, script_version_id=world.script(SOURCE, "true\nrm -rf /x")),
    }
    steps = [
        PlanStep(id=0, name=name, type=StepType.SCRIPT, target=on(SRC1), script=script)
        for name, script in scripts.items()
    ]
    return world.plan(SOURCE, *steps)


def test_what_a_rule_intercepts_does_not_run(world: World) -> None:
    """The refusal names step, line and what the rule says, as JOB does; no row is stored."""
    a_rule(world, INTERCEPT)
    with pytest.raises(errors.DangerousScript) as refused:
        world.launch.execute_script(execute_script(script=BAD, task_name="clean"))
    words = "[step:clean][line:3][content:rm -rf /] - no!"
    assert refused.value.message == f"Dangerous script, cannot be executed: {words}"
    assert refused.value.message_in(Language.ZH) == f"高危脚本，禁止执行：{words}"
    assert (world.count(), world.woken) == (0, 0)
    assert world.rules.records(None, 10) == ()


def test_every_launch_of_a_script_is_screened(world: World) -> None:
    """Stored versions, plans, and what a platform job puts in their place."""
    plan = a_plan(world)
    (step,) = (step.id for step in plan.steps if step.name == "fine")
    a_rule(world, INTERCEPT)
    launches: tuple[Callable[[], object], ...] = (
        lambda: world.launch.execute_script(
            execute_script(script=ScriptRef(version_id=world.script(SOURCE, "rm -rf")))
        ),
        lambda: world.launch.execute_plan(ExecutePlan(caller=CALLER, scope=SOURCE, plan_id=plan.id)),
        lambda: world.launch.execute_platform_job(
            ExecutePlatformJob(
                caller=CALLER,
                plan_id=plan.id,
                source_scope=SOURCE,
                target_scope=SOURCE,
                steps=(StepOverride(step_id=step, script=BAD),),
            )
        ),
    )
    for launch in launches:
        with pytest.raises(errors.DangerousScript):
            launch()
    assert world.count() == 0


def test_what_a_rule_scans_runs_and_is_noted(world: World) -> None:
    """With job, step, rule and line, for good: the rule may go."""
    plan = a_plan(world)
    rule = a_rule(world, SCAN)
    world.launch.execute_script(execute_script())
    assert world.rules.records(None, 10) == ()
    launched = world.launch.execute_plan(ExecutePlan(caller=CALLER, scope=SOURCE, plan_id=plan.id))
    world.dangerous.delete(rule.id)
    (record,) = world.rules.records(launched.job_instance_id, 10)
    job = world.query.job(SOURCE, launched.job_instance_id)
    assert (record.job_instance_id, record.step_instance_id) == (job.id, job.steps[1].id)
    assert (record.step_name, record.scope, record.operator, record.app_code) == ("bad", SOURCE, "ann", "app")
    assert (record.rule_id, record.expression) == (rule.id, rule.expression)
    assert (record.line, record.line_content, record.match_content) == (2, "rm -rf /x", "rm -rf")
    assert world.rules.records(None, 10) == (record,)
    assert world.rules.records(record.job_instance_id + 1, 10) == ()


def test_the_order_of_checks(world: World) -> None:
    """The script's status, dangerous rules, the quota, the account."""
    a_rule(world, INTERCEPT)
    draft = ScriptRef(version_id=world.script(SOURCE, "rm -rf /", online=False))
    world.launch.execute_script(execute_script())
    world.allow(JobQuota(total=1))
    for script, expected in (
        (draft, errors.ScriptNotExecutable),
        (BAD, errors.DangerousScript),
        (ScriptRef(content="true", language=1), errors.SystemQuotaExceeded),
    ):
        with pytest.raises(expected):
            world.launch.execute_script(execute_script(script=script, account=alias("nobody")))
    world.allow(JobQuota())
    with pytest.raises(errors.AccountUnknown):
        world.launch.execute_script(execute_script(account=alias("nobody")))


def test_a_rule_that_is_disabled_or_of_another_language_is_none(world: World) -> None:
    """From the next launch on: nothing is kept in memory that another process could change."""
    rule = a_rule(world, INTERCEPT)
    other = a_rule(world, INTERCEPT, language=4)
    world.dangerous.enable(rule.id, user="ann", enabled=False)
    world.launch.execute_script(execute_script(script=BAD))
    world.dangerous.update(
        other.id, user="ann", expression="rm", languages=[1, 4], action=INTERCEPT, description=""
    )
    with pytest.raises(errors.DangerousScript, match=r"- rm$"):
        world.launch.execute_script(execute_script(script=BAD))


def test_many_lines_are_not_all_told(world: World) -> None:
    """Ten are enough, and of a long line its beginning."""
    a_rule(world, INTERCEPT)
    script = ScriptRef(content=("rm -rf " + "x" * 300 + "\n") * 50, language=1)
    with pytest.raises(errors.DangerousScript) as refused:
        world.launch.execute_script(execute_script(script=script))
    assert refused.value.detail.count("||") == 9
    assert len(refused.value.detail) < 3000


def test_a_script_that_takes_too_long_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs that was not looked through to its end."""
    a_rule(world, SCAN)
    monkeypatch.setattr(dangerous_scripts, "SECONDS", -1)
    with pytest.raises(errors.Internal, match="could not be looked through"):
        world.launch.execute_script(execute_script(script=BAD))
    assert world.count() == 0


def test_managing_rules(world: World) -> None:
    """A new one is disabled; who made and changed it is kept; the same twice is refused."""
    rules = world.dangerous
    made = rules.create(user="ann", expression="a_b", languages=[4, 1], action=1, description="d%")
    assert (made.enabled, made.languages, made.creator, made.last_modify_user) == (
        False,
        (1, 4),
        "ann",
        "ann",
    )
    with pytest.raises(errors.DangerousRuleExists, match="a_b"):
        rules.create(user="ann", expression="a_b", languages=[1, 4, 1], action=2, description="")
    other = rules.create(user="ann", expression="a_b", languages=[1], action=2, description="")
    with pytest.raises(errors.DangerousRuleExists):
        rules.update(other.id, user="b", expression="a_b", languages=[1, 4], action=2, description="")
    assert rules.enable(other.id, user="bob", enabled=True).last_modify_user == "bob"
    changed = rules.update(other.id, user="c", expression="x", languages=[2], action=1, description="e")
    assert (changed.enabled, changed.expression, changed.languages, changed.action) == (True, "x", (2,), SCAN)

    def listed(**wanted: object) -> list[int]:
        nothing = {"expression": None, "languages": None, "description": None, "action": None}
        return [rule.id for rule in rules.list(**{**nothing, **wanted})]  # type: ignore[arg-type]

    assert listed() == [made.id, other.id]
    assert listed(expression="_") == listed(description="%") == listed(languages=[4, 5]) == [made.id]
    assert (
        listed(languages=[])
        == listed(languages=[99])
        == listed(action=2**70)
        == listed(expression="\0")
        == []
    )
    assert listed(action=1) == [made.id, other.id]
    rules.delete(made.id)
    rules.delete(made.id)
    assert listed() == [other.id]
    for unknown in (made.id, 0, -1, 2**63):
        with pytest.raises(errors.DangerousRuleUnknown):
            rules.enable(unknown, user="ann", enabled=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"expression": "("}, "Invalid expression"),
        ({"expression": "a\0"}, "Invalid expression"),
        ({"expression": "a(?=b)"}, "look-around"),
        ({"languages": []}, "Invalid script_language_list"),
        ({"languages": [1, 7]}, "Invalid script_language_list"),
        ({"action": 3}, "Invalid action"),
        ({"description": "x" * 1001}, "Invalid description"),
    ],
)
def test_what_no_rule_can_be(world: World, changes: dict[str, object], words: str) -> None:
    """1240003, and nothing is stored."""
    given = {"user": "a", "expression": "a", "languages": [1], "action": 1, "description": "", **changes}
    with pytest.raises(errors.BadRequest, match=words):
        world.dangerous.create(**given)  # type: ignore[arg-type]
    assert DangerousScripts(world.rules, world).check(1, "a") == ()
    assert world.rules.enabled() == ()


def test_the_other_business_has_the_same_rules(world: World) -> None:
    """They are the installation's."""
    a_rule(world, INTERCEPT)
    world.account(TARGET, "root")
    with pytest.raises(errors.DangerousScript):
        world.launch.execute_script(execute_script(scope=TARGET, script=BAD))
