"""v3 requests that start jobs: what becomes of them, and every refusal in JOB's order."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.job.commands import (
    AccountRef,
    ExecutePlan,
    ExecuteScript,
    HostPassword,
    ScriptRef,
    SourceSpec,
    TransferFile,
    VariableValue,
)
from adapter.job.model import IpRef, Server

from . import bodies
from .bodies import v3
from .conftest import World

CALLER_TARGET = Server(host_ids=(101,), ips=(IpRef(bk_cloud_id=0, ip="10.0.0.1"),))
NO_HOSTS: dict[str, Any] = {"host_id_list": [], "ip_list": None, "dynamic_group_list": ""}


def _code(world: World, name: str, **changes: Any) -> tuple[int, str]:
    reply = world.job.v3(name, v3(name, **changes))
    if reply["code"]:
        assert world.launch.commands == []
    return reply["code"], reply["message"]


def test_a_whole_script_request(world: World) -> None:
    """Every field arrives."""
    assert _code(world, "fast_execute_script", start_task=False, is_param_sensitive=1)[0] == 0
    command = world.launch.commands[0]
    assert isinstance(command, ExecuteScript)
    assert command.script == ScriptRef(content="echo $1", language=1)
    assert (command.account, command.target) == (AccountRef(alias="root"), CALLER_TARGET)
    assert (command.param, command.param_sensitive, command.timeout) == ("hello", True, 1000)
    assert (command.task_name, command.start_task) == ("Test", False)
    assert command.callback_url == "http://10.0.0.1:8000/callback?a=1"


def test_a_minimal_script_request(world: World) -> None:
    """JOB's defaults."""
    optional = dict.fromkeys(["script_param", "timeout", "task_name", "is_param_sensitive", "callback_url"])
    assert _code(world, "fast_execute_script", **optional)[0] == 0
    command = world.launch.commands[0]
    assert isinstance(command, ExecuteScript)
    assert (command.param, command.param_sensitive, command.timeout) == ("", False, 7200)
    assert (command.task_name, command.callback_url, command.start_task) == ("", None, True)


def _parallel(**changes: int) -> dict[str, Any]:
    waits = {
        "batch_start_wait_fixed_ms": 1,
        "batch_start_wait_random_min_ms": 2,
        "batch_start_wait_random_max_ms": 3,
    }
    return {"execution_mode": 2, "expression": "1", **waits, **changes}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"script_version_id": 3, "script_id": "x"}, ScriptRef(version_id=3)),
        ({"script_id": "x"}, ScriptRef(script_id="x")),
        ({"script_id": 12, "script_content": None, "script_language": None}, ScriptRef(script_id="12")),
        ({"script_version_id": 3, "script_language": 5}, ScriptRef(version_id=3)),
        ({"script_language": 4}, ScriptRef(content="echo $1", language=4)),
    ],
)
def test_which_script_runs(world: World, given: dict[str, Any], expected: ScriptRef) -> None:
    """The version wins over the script, which wins over the text."""
    assert _code(world, "fast_execute_script", **given)[0] == 0
    assert world.launch.commands[0].script == expected  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"account_id": 5, "account_alias": "root"}, AccountRef(id=5)),
        ({"account_id": 0, "account_alias": "root"}, AccountRef(alias="root")),
        ({"account_id": "5", "account_alias": None}, AccountRef(id=5)),
    ],
)
def test_which_account(world: World, given: dict[str, Any], expected: AccountRef) -> None:
    """An id of at least 1 wins."""
    assert _code(world, "fast_execute_script", **given)[0] == 0
    assert world.launch.commands[0].account == expected  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"script_content": None}, 1241004, "[script_version_id|script_id|script_content]"),
        ({"script_content": "", "script_id": " "}, 1241004, "script_content"),
        ({"script_version_id": 0}, 1241005, "[script_version_id]"),
        ({"script_language": None}, 1241005, "[script_language]"),
        ({"script_language": 0}, 1241005, "[script_language]"),
        ({"script_language": 7}, 1241005, "[script_language]"),
        ({"script_language": 7, "script_id": "x"}, 1241005, "[script_language]"),
        ({"script_language": 6}, 1241011, "sql"),
        ({"target_server": None}, 1241004, "[target_server]"),
        ({"target_server": ""}, 1241004, "[target_server]"),
        ({"target_server": {}}, 1244001, "Host is empty"),
        ({"target_server": {"variable": "hosts"}}, 1244001, "Host is empty"),
        ({"target_server": NO_HOSTS}, 1244001, "Host is empty"),
        ({"account_alias": None}, 1241004, "[account_id|account_alias]"),
        ({"account_alias": " ", "account_id": 0}, 1241004, "[account_id|account_alias]"),
        ({"rolling_config": {}}, 1240003, "rolling_config.expression"),
        ({"rolling_config": '{"type": 1}'}, 1240003, "rolling_config.expression"),
        ({"rolling_config": {"type": 3, "expression": "1"}}, 1240003, "rolling_config.type"),
        ({"rolling_config": {"mode": 0, "expression": "1"}}, 1240003, "rolling_config.mode"),
        ({"rolling_config": {"execution_mode": 3, "expression": "1"}}, 1240003, "rolling_config.execution"),
        ({"rolling_config": {"type": 2, "expression": "1"}}, 1240003, "rolling_config.file_source"),
        ({"rolling_config": {"type": 2, "file_source": {}}}, 1244026, "a script rolls by 1"),
        ({"rolling_config": {"execution_mode": 2, "expression": "1"}}, 1240003, "wait_fixed_ms"),
        ({"rolling_config": _parallel(batch_start_wait_random_max_ms=1)}, 1240003, "1 is less than 2"),
        ({"rolling_config": _parallel(batch_start_wait_fixed_ms=3_600_001)}, 1240003, "wait_fixed_ms"),
        ({"rolling_config": {"expression": "ten"}}, 1244026, '"ten", which is none of N'),
        ({"rolling_config": {"expression": "1 0%"}}, 1244026, '"0%": the number'),
        ({"windows_interpreter": "C:\\python"}, 1240003, "windows_interpreter"),
        ({"windows_interpreter": "C:\\a\nb.exe"}, 1240003, "windows_interpreter"),
        ({"windows_interpreter": "x" * 257 + ".exe"}, 1240003, "windows_interpreter"),
        ({"host_password_list": [{"ip": "10.0.0.1"}]}, 1240003, "encrypted_password"),
        ({"host_password_list": [{"host_id": 1, "encrypted_password": ""}]}, 1240003, "encrypted_password"),
        ({"host_password_list": [{"encrypted_password": "x" * 173}]}, 1240003, "encrypted_password"),
        ({"host_password_list": "x"}, 1240003, "host_password_list"),
    ],
)
def test_refused_scripts(world: World, changes: dict[str, Any], code: int, words: str) -> None:
    """JOB's code for each, naming the field; what cannot be done yet is never ignored."""
    found, message = _code(world, "fast_execute_script", **changes)
    assert (found, words in message) == (code, True), message


def test_what_is_only_for_windows(world: World) -> None:
    """It arrives, with blanks cut off; a password is never shown."""
    changes = {
        "windows_interpreter": " D:\\Software\\python3\\python.exe ",
        "host_password_list": [
            {"host_id": 101, "encrypted_password": "c2VjcmV0"},
            {"bk_cloud_id": "0", "ip": "10.0.0.1", "encrypted_password": "b3RoZXI="},
        ],
    }
    assert _code(world, "fast_execute_script", script_language=5, **changes)[0] == 0
    command = world.launch.commands[0]
    assert isinstance(command, ExecuteScript)
    assert command.windows_interpreter == "D:\\Software\\python3\\python.exe"
    assert command.host_passwords == (
        HostPassword(bk_host_id=101, encrypted="c2VjcmV0"),
        HostPassword(bk_cloud_id=0, ip="10.0.0.1", encrypted="b3RoZXI="),
    )
    assert "c2VjcmV0" not in repr(command)


def test_empty_values_of_what_is_not_supported(world: World) -> None:
    """They ask for nothing."""
    nothing: dict[str, Any] = {"rolling_config": None, "windows_interpreter": " ", "host_password_list": []}
    assert _code(world, "fast_execute_script", **nothing)[0] == 0


def test_the_order_of_checks(world: World) -> None:
    """Each mistake is only seen once those before it are put right."""
    mistakes: list[tuple[dict[str, Any], int]] = [
        ({"timeout": 0}, 1240003),
        ({"script_version_id": -1}, 1241005),
        ({"script_language": 9}, 1241005),
        ({"target_server": {}}, 1244001),
        ({"account_alias": ""}, 1241004),
        ({"rolling_config": {"expression": "x"}}, 1244026),
    ]
    for first in range(len(mistakes)):
        changes = {name: value for change, _ in mistakes[first:] for name, value in change.items()}
        assert _code(world, "fast_execute_script", **changes)[0] == mistakes[first][1]


def test_a_whole_transfer(world: World) -> None:
    """Every field arrives."""
    changes = {"file_target_name": "b.txt", "task_name": "Copy", "callback_url": "http://a/", "start_task": 0}
    assert _code(world, "fast_transfer_file", **changes)[0] == 0
    command = world.launch.commands[0]
    assert isinstance(command, TransferFile)
    assert command.target_path == "/tmp/[FILESRCIP]/"
    assert command.sources == (
        SourceSpec(files=("/tmp/REGEX:[a-z]*.txt",), account=AccountRef(id=1), server=CALLER_TARGET),
    )
    assert (command.account, command.target) == (AccountRef(alias="root"), CALLER_TARGET)
    assert (command.upload_speed_limit, command.download_speed_limit) == (10, None)
    assert (command.transfer_mode, command.timeout, command.file_target_name) == (1, 1000, "b.txt")
    assert (command.task_name, command.callback_url, command.start_task) == ("Copy", "http://a/", False)


@pytest.mark.parametrize(("given", "mode"), [(None, 2), (1, 1), (2, 2), (3, 2), (4, 2), (99, 2), (0, 2)])
def test_transfer_modes(world: World, given: int | None, mode: int) -> None:
    """Everything but strict is force."""
    assert _code(world, "fast_transfer_file", transfer_mode=given)[0] == 0
    assert world.launch.commands[0].transfer_mode == mode  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "path", ["/", " /tmp/a ", "C:\\tmp", "c:/tmp", "${dir}/x", "/tmp/[DATE:yyyy-MM-dd]/"]
)
def test_target_paths(world: World, path: str) -> None:
    """Absolute, or completed by a variable; blanks around are cut off."""
    assert _code(world, "fast_transfer_file", file_target_path=path)[0] == 0
    assert world.launch.commands[0].target_path == path.strip()  # type: ignore[union-attr]


def _source(**changes: Any) -> list[dict[str, Any]]:
    source = {**v3("fast_transfer_file")["file_source_list"][0], **changes}
    return [{name: value for name, value in source.items() if value is not None}]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"file_target_path": None}, 1241007, "[file_target_path]"),
        ({"file_target_path": "tmp/"}, 1241007, "[file_target_path]"),
        ({"account_alias": None}, 1241004, "[account_id|account_alias]"),
        ({"target_server": None}, 1241004, "[target_server]"),
        ({"target_server": NO_HOSTS}, 1241004, "[target_server]"),
        ({"file_source_list": None}, 1241004, "[file_source_list]"),
        ({"file_source_list": []}, 1241004, "[file_source_list]"),
        ({"file_source_list": [None]}, 1240003, "file_source_list[0]"),
        ({"rolling_config": {"expression": "x"}}, 1244026, '"x", which'),
        (
            {"rolling_config": {"type": 2, "file_source": {}, "execution_mode": 2}},
            1241005,
            "[rolling_config.execution_mode]",
        ),
        ({"rolling_config": {"type": 2, "expression": "1"}}, 1240003, "rolling_config.file_source"),
        (
            {"rolling_config": {"type": 2, "file_source": {"max_execute_object_num_in_batch": 0}}},
            1240003,
            "max_execute_object_num_in_batch",
        ),
        (
            {"rolling_config": {"type": 2, "file_source": {}}, "file_source_list": _source(file_type=2)},
            1244035,
            "only server files",
        ),
        ({"file_source_list": _source(file_list=[])}, 1241004, "[file_source.file_list]"),
        ({"file_source_list": _source(file_list=["a"])}, 1241005, "[file_source.file_list]"),
        ({"file_source_list": _source(file_list=["/a", "b/c"])}, 1241005, "[file_source.file_list]"),
        ({"file_source_list": _source(file_type=2, file_list=[])}, 1241004, "[file_source.file_list]"),
        (
            {"file_source_list": _source(file_type=3)},
            1241004,
            "[file_source.file_source_id/file_source.file_source_code]",
        ),
        (
            {"file_source_list": _source(file_type=3, file_source_id=0, file_source_code=" ")},
            1241004,
            "[file_source.file_source_id/file_source.file_source_code]",
        ),
        (
            {"file_source_list": _source(file_type=3, file_source_id="one")},
            1240003,
            "file_source_list[0].file_source_id",
        ),
        (
            {"rolling_config": {"type": 2, "file_source": {}}, "file_source_list": _source(file_type=3)},
            1244035,
            "only server files",
        ),
        ({"file_source_list": _source(file_type=4)}, 1241005, "[file_source.file_type]"),
        ({"file_source_list": _source(file_type=0)}, 1241005, "[file_source.file_type]"),
        ({"file_source_list": _source(account=None)}, 1241004, "[file_source.account]"),
        ({"file_source_list": _source(account={"id": 0})}, 1241004, "[file_source.account]"),
        ({"file_source_list": _source(server=None)}, 1241004, "[file_source.server]"),
        ({"file_source_list": _source(server=NO_HOSTS)}, 1241004, "[file_source.server]"),
        ({"file_target_name": "../a"}, 1241005, "[file_target_name]"),
        ({"timeout": 259_201}, 1240003, "timeout"),
    ],
)
def test_refused_transfers(world: World, changes: dict[str, Any], code: int, words: str) -> None:
    """JOB's code for each, naming the field."""
    found, message = _code(world, "fast_transfer_file", **changes)
    assert (found, words in message) == (code, True), message


def test_a_plan(world: World) -> None:
    """Hosts only count where there is no text; a variable without either is emptied."""
    variables = [
        {"id": 1, "name": "ignored", "value": "a"},
        {"id": 0, "name": "b", "value": "text", "server": bodies.HOSTS},
        {"name": "hosts", "value": "", "server": bodies.HOSTS},
        {"name": "nothing"},
        {"name": "blank", "value": "  ", "server": {}},
    ]
    assert _code(world, "execute_job_plan", global_var_list=variables)[0] == 0
    command = world.launch.commands[0]
    assert isinstance(command, ExecutePlan)
    assert (command.plan_id, command.callback_url, command.start_task) == (1, "https://example.com", True)
    assert command.variables == (
        VariableValue(id=1, name="ignored", value="a"),
        VariableValue(name="b", value="text"),
        VariableValue(name="hosts", server=CALLER_TARGET),
        VariableValue(name="nothing", value=""),
        VariableValue(name="blank", value="  "),
    )


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"job_plan_id": None}, 1241005, "[job_plan_id]"),
        ({"job_plan_id": 0}, 1241005, "[job_plan_id]"),
        ({"global_var_list": [{"value": "x"}]}, 1241005, "[global_var.id|global_var.name]"),
        ({"global_var_list": [{"id": 0, "name": ""}]}, 1241005, "[global_var.id|global_var.name]"),
        ({"global_var_list": [{"name": "x", "value": {}}]}, 1240003, "global_var_list[0].value"),
    ],
)
def test_refused_plans(world: World, changes: dict[str, Any], code: int, words: str) -> None:
    """JOB's code for each, naming the field."""
    found, message = _code(world, "execute_job_plan", **changes)
    assert (found, words in message) == (code, True), message


@pytest.mark.parametrize("name", ["fast_execute_script", "fast_transfer_file"])
def test_the_reply_of_a_fast_job(world: World, name: str) -> None:
    """Three fields, ids as integers."""
    assert world.job.v3(name, v3(name))["data"] == {
        "job_instance_id": 10000,
        "job_instance_name": "Test",
        "step_instance_id": 10001,
    }


def test_the_reply_of_a_plan(world: World) -> None:
    """The step's id is there, and null."""
    data = world.job.v3("execute_job_plan", v3("execute_job_plan"))["data"]
    assert data == {"job_instance_id": 10000, "job_instance_name": "Test", "step_instance_id": None}
