"""Fast scripts and file transfers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from adapter import errors
from adapter.job.commands import AccountRef, ExecutePlan, ExecutePlatformJob, ScriptRef, SourceSpec
from adapter.job.model import FileSource, FileTask, Scope, ScriptTask, Server
from adapter.job.paths import timestamp_name
from adapter.job.plan import PlanScript, PlanStep
from adapter.job.rolling import MAX_BATCHES, MAX_PARALLEL_BATCHES, ExecutionMode, Rolling
from adapter.job.status import HostStatus, LaunchMode, RunStatus, StepType, TaskType
from adapter.service import file_tasks, step_builder
from adapter.store.quota import JobQuota
from tests.support.startable import to_start

from .world import CALLER, NOW, SOURCE, SRC1, SRC2, TARGET, World, alias, execute_script, on, transfer_file


def test_a_script_becomes_a_job_that_waits_for_the_engine(world: World) -> None:
    """With one step, its hosts in order, and a name made of the time."""
    launched = world.launch.execute_script(
        execute_script(param="a\nb", timeout=60, callback_url="http://example.com/")
    )
    job = world.query.job(SOURCE, launched.job_instance_id)
    (step,) = job.steps
    assert launched.step_instance_id == step.id
    assert launched.job_instance_name == job.name == step.name
    assert job.name == "Script Execution_" + timestamp_name(NOW, None)
    assert (job.type, job.status, job.launch_mode) == (TaskType.SCRIPT, RunStatus.WAITING, LaunchMode.API)
    assert (job.plan_id, job.template_id, step.step_id) == (-1, -1, -1)
    assert (job.operator, job.app_code, job.callback_url) == ("ann", "app", "http://example.com/")
    assert job.create_time == step.create_time == NOW
    account = world.accounts.by_alias(SOURCE, "root")
    assert account is not None
    assert step.script == ScriptTask(
        language=1, content="echo hi", param="a b", timeout=60, account_id=account.id
    )
    assert world.targets(step.id) == ["src2", "src1"]
    assert all(result.status == HostStatus.WAITING for result in world.results(step.id))
    assert to_start(world.jobs) == [job.id]
    assert world.woken == 1


def test_a_job_may_wait_for_its_start(world: World) -> None:
    """Then the engine does not hear of it."""
    launched = world.launch.execute_script(execute_script(start_task=False, task_name="later"))
    assert launched.job_instance_name == "later"
    assert to_start(world.jobs) == []
    assert world.woken == 0


def test_a_version_of_the_library_is_run_with_its_text(world: World) -> None:
    """By version, or by script: then the one that is online."""
    version_id = world.script(SOURCE, "print(1)", language=4)
    version = world.scripts.version(version_id)
    assert version is not None
    for ref in (
        ScriptRef(version_id=version_id, content="no", language=1),
        ScriptRef(script_id=version.script_id),
    ):
        launched = world.launch.execute_script(execute_script(script=ref))
        script = world.query.job(None, launched.job_instance_id).steps[0].script
        assert script is not None
        assert (script.content, script.language) == ("print(1)", 4)
        assert (script.script_id, script.script_version_id) == (version.script_id, version_id)


def test_a_sensitive_param_is_masked_for_everybody_but_the_engine(world: World) -> None:
    """It is stored encrypted."""
    launched = world.launch.execute_script(execute_script(param="p\nw", param_sensitive=True))
    step = world.query.job(SOURCE, launched.job_instance_id).steps[0]
    assert step.script is not None
    assert step.script.param == "******"
    assert world.jobs.script_param(step.id) == "p w"


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"scope": Scope("biz", "77"), "target": Server()}, errors.ScopeUnknown, 1243049),
        ({"target": Server(), "account": AccountRef()}, errors.HostEmpty, 1244001),
        ({"script": ScriptRef()}, errors.MissingParameter, 1241004),
        ({"script": ScriptRef(content="", language=1)}, errors.MissingParameter, 1241004),
        ({"script": ScriptRef(content="x")}, errors.InvalidParameter, 1241005),
        ({"script": ScriptRef(version_id=99)}, errors.ScriptUnknown, 1243001),
        ({"script": ScriptRef(content="x", language=6)}, errors.NotSupported, 1241011),
        ({"script": ScriptRef(content="x", language=77)}, errors.NotSupported, 1241011),
        ({"account": AccountRef()}, errors.MissingParameter, 1241004),
        ({"account": alias("nobody")}, errors.AccountUnknown, 1244003),
        ({"account": AccountRef(id=99)}, errors.AccountUnknown, 1244003),
        ({"target": on(replace(SRC1, bk_host_id=77))}, errors.HostsUnknown, 1244030),
        ({"target": Server(host_ids=(3,))}, errors.HostsNotInScope, 1244002),
        ({"target": Server(dynamic_groups=("none",))}, errors.GroupUnknown, 1211003),
        ({"target": Server(dynamic_groups=("empty",))}, errors.TargetEmpty, 1244028),
        ({"target": Server(dynamic_groups=("dst",))}, errors.TargetEmpty, 1244028),
        ({"target": Server(variable="hosts")}, errors.HostVariableMissing, 1244008),
        ({"param": "a\0b"}, errors.InvalidParameter, 1241005),
    ],
)
def test_a_bad_script_request_leaves_no_row(
    world: World, changes: dict[str, Any], error: type[errors.JobError], code: int
) -> None:
    """And says what is wrong with the contract's code."""
    with pytest.raises(error) as raised:
        world.launch.execute_script(execute_script(**changes))
    assert raised.value.code == code
    assert (world.count(), world.woken) == (0, 0)


def test_a_script_must_be_executable(world: World) -> None:
    """Drafts, other businesses' scripts, and SQL are refused."""
    draft = world.script(SOURCE, "draft", online=False)
    elsewhere = world.script(TARGET, "elsewhere")
    batch = world.script(SOURCE, "dir", language=6)
    for version_id, error in (
        (draft, errors.ScriptNotExecutable),
        (elsewhere, errors.ScriptUnknown),
        (batch, errors.NotSupported),
    ):
        with pytest.raises(error):
            world.launch.execute_script(execute_script(script=ScriptRef(version_id=version_id)))
    found = world.scripts.version(draft)
    assert found is not None
    world.scripts.publish(found.script_id, draft, operator="ann", now_ms=2)
    world.scripts.take_offline(found.script_id, draft, operator="ann", now_ms=2)
    assert world.launch.execute_script(execute_script(script=ScriptRef(version_id=draft)))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"category": 2, "type": 9}, "database account"),
        ({"type": 10}, "database account"),
        ({"type": 2}, "Windows account"),
    ],
)
def test_accounts_that_no_posix_host_has_are_refused(
    world: World, fields: dict[str, Any], words: str
) -> None:
    """For scripts, for targets and for sources; scripts run as accounts of Windows."""
    world.account(SOURCE, "odd", **fields)
    odd = alias("odd")
    if "Windows" not in words:
        with pytest.raises(errors.NotSupported, match=words):
            world.launch.execute_script(execute_script(account=odd))
    with pytest.raises(errors.NotSupported, match=words):
        world.launch.transfer_file(transfer_file(account=odd))
    sources = (SourceSpec(files=("/a",), account=odd, server=on(SRC1)),)
    with pytest.raises(errors.NotSupported, match=words):
        world.launch.transfer_file(transfer_file(sources=sources))


def test_limits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as allowed are allowed."""
    monkeypatch.setattr(step_builder, "MAX_SCRIPT_TARGETS", 2)
    monkeypatch.setattr(file_tasks, "MAX_FILE_TASKS", 4)
    world.launch.execute_script(execute_script(target=on(SRC1, SRC2)))
    source = SourceSpec(files=("/a", "/b"), account=alias("root"), server=on(SRC1))
    world.launch.transfer_file(transfer_file(sources=(source,), target=on(SRC1, SRC2)))
    monkeypatch.setattr(step_builder, "MAX_SCRIPT_TARGETS", 1)
    monkeypatch.setattr(file_tasks, "MAX_FILE_TASKS", 3)
    with pytest.raises(errors.TooManyTargets):
        world.launch.execute_script(execute_script(target=on(SRC1, SRC2)))
    with pytest.raises(errors.TooManyFileTasks):
        world.launch.transfer_file(transfer_file(sources=(source,), target=on(SRC1, SRC2)))
    assert world.count() == 2


def test_limits_of_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """500, and 200 if they begin by the clock; nothing is stored."""
    assert (MAX_BATCHES, MAX_PARALLEL_BATCHES) == (500, 200)
    one_by_one = {mode: Rolling(execution_mode=mode, expression="1") for mode in ExecutionMode}
    for mode, name in (
        (ExecutionMode.SERIAL, "MAX_BATCHES"),
        (ExecutionMode.PARALLEL, "MAX_PARALLEL_BATCHES"),
    ):
        monkeypatch.setattr(step_builder, name, 1)
        with pytest.raises(errors.TooManyBatches) as raised:
            world.launch.execute_script(execute_script(target=on(SRC1, SRC2), rolling=one_by_one[mode]))
        assert raised.value.code == 1244027
    assert world.count() == 0
    monkeypatch.setattr(step_builder, "MAX_BATCHES", 2)
    world.launch.execute_script(
        execute_script(target=on(SRC1, SRC2), rolling=one_by_one[ExecutionMode.SERIAL])
    )


def test_who_has_too_many_unfinished_jobs_is_told_before_accounts_are_looked_up(world: World) -> None:
    """As in JOB: another account would not help. Every way to launch; nothing is stored."""
    step = PlanStep(
        id=0,
        name="s",
        type=StepType.SCRIPT,
        target=on(SRC1),
        script=PlanScript(content="true", language=1, account_id=world.account(SOURCE, "other")),
    )
    plan = world.plan(SOURCE, step)
    world.allow(JobQuota(per_app=1))
    world.launch.execute_script(execute_script())
    launches: tuple[Callable[[], object], ...] = (
        lambda: world.launch.execute_script(execute_script(account=alias("nobody"))),
        lambda: world.launch.transfer_file(transfer_file(account=alias("nobody"))),
        lambda: world.launch.execute_plan(ExecutePlan(caller=CALLER, scope=SOURCE, plan_id=plan.id)),
        lambda: world.launch.execute_platform_job(
            ExecutePlatformJob(caller=CALLER, plan_id=plan.id, source_scope=SOURCE, target_scope=TARGET)
        ),
    )
    for launch in launches:
        with pytest.raises(errors.AppQuotaExceeded):
            launch()
    assert world.count() == 1


def test_a_transfer_becomes_a_job_with_its_sources_resolved(world: World) -> None:
    """Groups become hosts now, not when it runs; targets become host results."""
    sources = (
        SourceSpec(files=(" /tmp/a ", "/b/"), account=alias("root"), server=Server(dynamic_groups=("src",))),
    )
    launched = world.launch.transfer_file(
        transfer_file(
            sources=sources,
            target_path=" /data/[FILESRCIP] ",
            transfer_mode=3,
            upload_speed_limit=5,
            file_target_name="c",
        )
    )
    job = world.query.job(SOURCE, launched.job_instance_id)
    (step,) = job.steps
    account = world.accounts.by_alias(SOURCE, "root")
    assert account is not None
    assert job.name == "File Transfer_" + timestamp_name(NOW, None)
    assert (job.type, step.type, launched.step_instance_id) == (TaskType.FILE, StepType.FILE, step.id)
    assert step.file == FileTask(
        sources=(FileSource(files=("/tmp/a", "/b/"), account_id=account.id, hosts=(SRC1, SRC2)),),
        target_path="/data/[FILESRCIP]",
        account_id=account.id,
        transfer_mode=2,
        upload_speed_limit=5,
        file_target_name="c",
    )
    assert world.targets(step.id) == ["src2"]


def source(**changes: Any) -> tuple[SourceSpec, ...]:
    return (replace(SourceSpec(files=("/a",), account=alias("root"), server=on(SRC1)), **changes),)


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"scope": Scope("biz_set", "2")}, 1243049, "biz_set_2"),
        ({"target_path": "data"}, 1241007, "file_target_path"),
        ({"target_path": "${x}/data"}, 1241007, "no variable of that name"),
        ({"target_path": "C:\\data"}, 1241011, "Windows"),
        ({"target_path": "/a\0b"}, 1241007, "NUL"),
        ({"account": AccountRef()}, 1241004, "account"),
        ({"account": alias("nobody")}, 1244003, "nobody"),
        ({"target": Server()}, 1241004, "target_server"),
        ({"target": Server(dynamic_groups=("empty",))}, 1244028, "target"),
        ({"sources": ()}, 1241004, "file_source_list"),
        ({"sources": source(files=())}, 1241004, "file_source.file_list"),
        ({"sources": source(files=("/a", "b"))}, 1241005, "'b'"),
        ({"sources": source(files=("D:/b",))}, 1241011, "Windows"),
        ({"sources": source(server=Server())}, 1241004, "file_source.server"),
        ({"sources": source(server=Server(dynamic_groups=("empty",)))}, 1244029, "source"),
        ({"sources": source(account=alias("nobody"))}, 1244003, "nobody"),
    ],
)
def test_a_bad_transfer_leaves_no_row(world: World, changes: dict[str, Any], code: int, words: str) -> None:
    """And says what is wrong with the contract's code."""
    with pytest.raises(errors.JobError, match=words) as raised:
        world.launch.transfer_file(transfer_file(**changes))
    assert raised.value.code == code
    assert (world.count(), world.woken) == (0, 0)


def test_a_strict_transfer_stays_strict(world: World) -> None:
    """The directory must then exist."""
    launched = world.launch.transfer_file(transfer_file(transfer_mode=1, target=on(SRC2)))
    task = world.query.job(None, launched.job_instance_id).steps[0].file
    assert task is not None
    assert task.transfer_mode == 1
