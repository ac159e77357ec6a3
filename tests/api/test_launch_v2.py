"""v2 requests that start jobs: what becomes of them, and every refusal."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.job.commands import (
    AccountRef,
    ExecutePlan,
    ExecutePlatformJob,
    ExecuteScript,
    ScriptRef,
    SourceSpec,
    StepOverride,
    TransferFile,
    VariableValue,
)
from adapter.job.model import IpRef, Scope, Server, TopoNode

from .bodies import v2
from .conftest import World

ROOT = AccountRef(alias="root")
IPS = (IpRef(bk_cloud_id=0, ip="10.0.0.1"),)
TARGET = Server(ips=IPS, dynamic_groups=("3",))


def _code(world: World, name: str, **changes: Any) -> tuple[int, str]:
    reply = world.job.v2(name, v2(name, **changes))
    if reply["code"]:
        assert world.launch.commands == []
    return reply["code"], reply["message"]


def test_a_script(world: World) -> None:
    """Addresses and groups are merged."""
    assert _code(world, "fast_execute_script", bk_callback_url="http://a/")[0] == 0
    assert world.launch.commands == [
        ExecuteScript(
            caller=world.launch.commands[0].caller,
            scope=Scope("biz", "1"),
            script=ScriptRef(content="echo $1", language=1),
            account=ROOT,
            target=TARGET,
            param="hello",
            timeout=1000,
            callback_url="http://a/",
        )
    ]


def test_a_script_of_the_library(world: World) -> None:
    """v2's script_id is the id of a version; it wins over the text."""
    assert _code(world, "fast_execute_script", script_id="7", script_timeout=None)[0] == 0
    command = world.launch.commands[0]
    assert isinstance(command, ExecuteScript)
    assert (command.script, command.timeout) == (ScriptRef(version_id=7), 7200)


def test_target_server_replaces_the_other_lists(world: World) -> None:
    """As contract f2 has it; v2 trims addresses."""
    target = {
        "ip_list": [{"bk_cloud_id": 0, "ip": " 10.0.0.9 "}],
        "dynamic_group_id_list": ["g"],
        "topo_node_list": [{"id": 1, "node_type": "module"}],
    }
    assert _code(world, "fast_execute_script", target_server=target)[0] == 0
    assert world.launch.commands[0].target == Server(  # type: ignore[union-attr]
        ips=(IpRef(bk_cloud_id=0, ip="10.0.0.9"),),
        dynamic_groups=("g",),
        topo_nodes=(TopoNode(id=1, node_type="module"),),
    )


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"script_id": 0}, 1241005, "[script_id]"),
        ({"script_content": None}, 1241004, "[script_id|script_content]"),
        ({"script_type": None}, 1241005, "[script_type]"),
        ({"script_type": 7}, 1241005, "[script_type]"),
        ({"script_type": 6}, 1241011, "sql"),
        ({"account": None}, 1241004, "[account]"),
        ({"ip_list": None, "custom_query_id": None}, 1241007, "ip_list"),
        ({"target_server": {}}, 1241007, "ip_list"),
        ({"script_timeout": 0}, 1240003, "script_timeout"),
        ({"script_timeout": 259_201}, 1240003, "script_timeout"),
        ({"bk_callback_url": "nowhere"}, 1240003, "bk_callback_url"),
        ({"custom_query_id": "3"}, 1240003, "custom_query_id"),
    ],
)
def test_refused_scripts(world: World, changes: dict[str, Any], code: int, words: str) -> None:
    """JOB's code for each, naming the field."""
    found, message = _code(world, "fast_execute_script", **changes)
    assert (found, words in message) == (code, True), message


def test_files(world: World) -> None:
    """Every field arrives."""
    changes = {"upload_speed_limit": 5, "download_speed_limit": -1, "timeout": 60, "task_name": "Copy"}
    assert _code(world, "fast_push_file", **changes)[0] == 0
    assert world.launch.commands == [
        TransferFile(
            caller=world.launch.commands[0].caller,
            scope=Scope("biz", "1"),
            target_path="/tmp/",
            account=ROOT,
            target=TARGET,
            sources=(SourceSpec(files=("/tmp/a",), account=ROOT, server=TARGET),),
            timeout=60,
            upload_speed_limit=5,
            task_name="Copy",
        )
    ]


SOURCE = v2("fast_push_file")["file_source"][0]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"file_target_path": None}, 1241007, "[file_target_path]"),
        ({"file_target_path": "a"}, 1241007, "[file_target_path]"),
        ({"account": None}, 1241004, "[account]"),
        ({"file_source": None}, 1241004, "[file_source]"),
        ({"file_source": [{**SOURCE, "files": []}]}, 1241004, "[file_source.files]"),
        ({"file_source": [{**SOURCE, "files": ["a"]}]}, 1241005, "[file_source.files]"),
        ({"file_source": [{**SOURCE, "account": ""}]}, 1241004, "[file_source.account]"),
        ({"file_source": [{"files": ["/a"], "account": "root"}]}, 1241007, "file_source.ip_list"),
        ({"ip_list": [], "custom_query_id": []}, 1241007, "ip_list"),
    ],
)
def test_refused_files(world: World, changes: dict[str, Any], code: int, words: str) -> None:
    """JOB's code for each, naming the field."""
    found, message = _code(world, "fast_push_file", **changes)
    assert (found, words in message) == (code, True), message


def test_a_job(world: World) -> None:
    """The old `steps` are ignored, as by today's JOB."""
    variables = [{"name": "a", "value": "b"}, {"id": 2, "ip_list": [{"bk_cloud_id": 0, "ip": "10.0.0.1"}]}]
    assert _code(world, "execute_job", global_vars=variables, steps=[{"step_id": 1}])[0] == 0
    assert world.launch.commands == [
        ExecutePlan(
            caller=world.launch.commands[0].caller,
            scope=Scope("biz", "1"),
            plan_id=1,
            variables=(VariableValue(name="a", value="b"), VariableValue(id=2, server=Server(ips=IPS))),
        )
    ]
    assert _code_of_new(world, bk_job_id=0) == 1241005
    assert _code_of_new(world, bk_job_id=None) == 1241005
    assert _code_of_new(world, global_vars=[{}]) == 1241005


def _code_of_new(world: World, **changes: Any) -> int:
    code: int = world.job.v2("execute_job", v2("execute_job", **changes))["code"]
    return code


def _platform(world: World, steps: Any) -> tuple[int, str]:
    return _code(world, "execute_platform_job", steps=steps)


def test_a_platform_job_as_it_is_stored(world: World) -> None:
    """No steps are all steps."""
    assert _code(world, "execute_platform_job", steps=None, bk_callback_url="http://a/")[0] == 0
    assert world.launch.commands == [
        ExecutePlatformJob(
            caller=world.launch.commands[0].caller,
            source_scope=Scope("biz", "1"),
            target_scope=Scope("biz", "2"),
            plan_id=1,
            callback_url="http://a/",
        )
    ]


def test_steps_that_are_only_selected(world: World) -> None:
    """Nothing is overridden, not even the timeout."""
    assert _platform(world, [{"step_id": 2}, {"step_id": 1, "ip_list": [], "file_source": []}])[0] == 0
    command = world.launch.commands[0]
    assert isinstance(command, ExecutePlatformJob)
    assert command.steps == (StepOverride(step_id=2), StepOverride(step_id=1))


def test_a_script_of_the_callers_in_a_platform_job(world: World) -> None:
    """It has the documented timeout; its language may be the stored script's."""
    steps = [
        {"step_id": 1, "script_content": "ZWNobyAkMQ=="},
        {"step_id": 2, "script_id": 5, "script_timeout": 60},
        {"step_id": 3, "script_param": "YQpi", "script_timeout": 86400},
    ]
    assert _platform(world, steps)[0] == 0
    command = world.launch.commands[0]
    assert isinstance(command, ExecutePlatformJob)
    assert command.steps == (
        StepOverride(step_id=1, script=ScriptRef(content="echo $1"), timeout=1000),
        StepOverride(step_id=2, script=ScriptRef(version_id=5), timeout=60),
        StepOverride(step_id=3, param="a b", timeout=86400),
    )


@pytest.mark.parametrize(
    ("step", "code", "words"),
    [
        ({"step_id": None}, 1240003, "steps[0].step_id"),
        ({"step_id": 0}, 1240003, "steps[0].step_id"),
        ({"script_timeout": 59}, 1240003, "steps[0].script_timeout"),
        ({"script_timeout": 86_401}, 1240003, "steps[0].script_timeout"),
        ({"script_id": 0}, 1241005, "[script_id]"),
        ({"script_content": "YQ==", "script_type": 0}, 1241005, "[script_type]"),
        ({"script_content": "YQ==", "script_type": 6}, 1241011, "sql"),
        ({"file_target_path": "a"}, 1241007, "[file_target_path]"),
        ({"file_source": [{"files": ["/a"]}]}, 1241004, "[file_source.account]"),
        ({"ip_list": [{"ip": "10.0.0.1"}]}, 1240003, "steps[0].ip_list[0].bk_cloud_id"),
    ],
)
def test_refused_steps(world: World, step: dict[str, Any], code: int, words: str) -> None:
    """JOB's code for each, naming the field."""
    found, message = _platform(world, [{"step_id": 1, **step}])
    assert (found, words in message) == (code, True), message


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"bk_job_id": 0}, 1241005, "[bk_job_id]"),
        ({"source_bk_biz_id": None}, 1240003, "source_bk_biz_id"),
        ({"target_bk_biz_id": 0}, 1240003, "target_bk_biz_id"),
        ({"steps": []}, 1241005, "[steps]"),
        ({"steps": [{"step_id": 1}, {"step_id": 1}]}, 1241005, "[steps.step_id]"),
        ({"steps": {"step_id": 1}}, 1240003, "steps must be a list"),
    ],
)
def test_refused_platform_jobs(world: World, changes: dict[str, Any], code: int, words: str) -> None:
    """JOB's code for each, naming the field."""
    found, message = _code(world, "execute_platform_job", **changes)
    assert (found, words in message) == (code, True), message


def test_replies(world: World) -> None:
    """The step's id only where there is one."""
    assert world.job.v2("fast_push_file", v2("fast_push_file"))["data"]["step_instance_id"] == 10001
    assert world.job.v2("execute_job", v2("execute_job"))["data"] == {
        "job_instance_id": 10000,
        "job_instance_name": "Test",
    }
