"""fast_execute_sql in v3 and v2: what becomes of a request, and every refusal in JOB's order."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.job.commands import ExecuteSql, ScriptRef
from adapter.job.model import IpRef, Server

from .bodies import v2, v3
from .conftest import World

NAME = "fast_execute_sql"
NO_HOSTS: dict[str, Any] = {"host_id_list": [], "ip_list": None, "dynamic_group_list": ""}
NO_SCRIPT: dict[str, Any] = {"script_content": None}


def test_a_whole_request(world: World) -> None:
    """Every field arrives; SQL needs no language, and the reply has no step."""
    reply = world.job.v3(NAME, v3(NAME, start_task=False))
    assert reply["data"] == {
        "job_instance_id": 10000,
        "job_instance_name": "Test",
        "step_instance_id": None,
    }
    (command,) = world.launch.commands
    assert isinstance(command, ExecuteSql)
    assert command.script == ScriptRef(content="SELECT 1;", language=6)
    assert (command.db_account_id, command.timeout, command.start_task) == (7, 1000, False)
    assert command.target.host_ids == (101,)
    assert command.callback_url == "https://example.com"


def test_v2(world: World) -> None:
    """script_id is a version's; the reply leaves the step out."""
    reply = world.job.v2(NAME, v2(NAME, script_id=3))
    assert reply["data"] == {"job_instance_id": 10000, "job_instance_name": "Test"}
    (command,) = world.launch.commands
    assert isinstance(command, ExecuteSql)
    assert (command.script, command.timeout) == (ScriptRef(version_id=3), 1000)
    assert command.db_account_id == 7


def test_addresses_are_trimmed(world: World) -> None:
    """Not checked before, as in fast_execute_script."""
    reply = world.job.v3(NAME, v3(NAME, target_server={"ip_list": [{"bk_cloud_id": 0, "ip": " 10.0.0.1 "}]}))
    assert reply["code"] == 0
    assert world.launch.commands[0].target == Server(ips=(IpRef(bk_cloud_id=0, ip="10.0.0.1"),))  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"timeout": 0}, 1240003),
        ({"timeout": 259_201}, 1240003),
        ({"callback_url": "ftp://x"}, 1240003),
        ({"db_account_id": "x"}, 1240003),
        ({"db_account_id": 2**63}, 1240003),
        ({**NO_SCRIPT, "target_server": None, "db_account_id": None}, 1241004),
        ({"script_version_id": 0, "target_server": None}, 1241005),
        ({"target_server": None, "db_account_id": None}, 1241004),
        ({"target_server": NO_HOSTS, "db_account_id": None}, 1244001),
        ({"db_account_id": None}, 1241004),
        ({"db_account_id": 0}, 1241004),
        ({"db_account_id": -1}, 1241004),
        ({"script_content": "AA=="}, 1240003),  # a NUL
    ],
)
def test_refusals(world: World, changes: dict[str, Any], code: int) -> None:
    """Nothing is launched."""
    assert world.job.v3(NAME, v3(NAME, **changes))["code"] == code
    assert world.launch.commands == []


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ({**NO_SCRIPT, "target_server": None}, "script_version_id|script_id|script_content"),
        ({"target_server": None, "db_account_id": None}, "target_server"),
        ({"db_account_id": None}, "db_account_id"),
    ],
)
def test_what_is_missing_is_named(world: World, missing: dict[str, Any], named: str) -> None:
    """In JOB's order: script, hosts, account."""
    assert f"[{named}]" in world.job.v3(NAME, v3(NAME, **missing))["message"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"script_timeout": 0}, 1240003),
        ({**NO_SCRIPT, "db_account_id": None}, 1241004),
        ({"script_id": 0, "db_account_id": None}, 1241005),
        ({"ip_list": None, "custom_query_id": None, "db_account_id": None}, 1241007),
        ({"db_account_id": None}, 1241004),
    ],
)
def test_refusals_of_v2(world: World, changes: dict[str, Any], code: int) -> None:
    """Its own codes."""
    assert world.job.v2(NAME, v2(NAME, **changes))["code"] == code
    assert world.launch.commands == []
