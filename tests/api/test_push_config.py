"""push_config_file in v3 and v2: what becomes of a request, and what is wrong with one."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from adapter.job.commands import AccountRef, ConfigFile, PushConfigFile

from .bodies import v2, v3
from .client import ESB_V3
from .conftest import World

NAME = "push_config_file"
NO_HOSTS: dict[str, Any] = {"host_id_list": [], "ip_list": None, "dynamic_group_list": ""}


def named(name: Any, content: Any = "YQ==") -> dict[str, Any]:
    """A list of one file."""
    return {"file_list": [{"file_name": name, "content": content}]}


def pushed(world: World) -> PushConfigFile:
    """The only command."""
    (command,) = world.launch.commands
    assert isinstance(command, PushConfigFile)
    return command


def test_a_whole_request(world: World) -> None:
    """Every field arrives; the reply has no step."""
    reply = world.job.v3(NAME, v3(NAME))
    assert reply["data"] == {
        "job_instance_id": 10000,
        "job_instance_name": "Test",
        "step_instance_id": None,
    }
    command = pushed(world)
    assert command.files == (ConfigFile(name="app.conf", content=b"a=1\n"),)
    assert (command.account, command.target_path) == (AccountRef(alias="root"), "/etc/app/")
    assert (command.target.host_ids, command.callback_url) == ((101,), "https://example.com")


def test_v2(world: World) -> None:
    """The same; the step is left out."""
    assert world.job.v2(NAME, v2(NAME))["data"] == {
        "job_instance_id": 10000,
        "job_instance_name": "Test",
    }
    assert pushed(world).files == (ConfigFile(name="app.conf", content=b"a=1\n"),)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("/etc/app.conf", "app.conf"),
        ("../../x", "x"),
        ("C:\\dir\\x", "x"),
        (" a ", "a"),
        ("-rf", "-rf"),
        ("\U0001f600", "\U0001f600"),
        ("\u202ex", "\u202ex"),
        ("x" * 255, "x" * 255),
        (7, "7"),
    ],
)
def test_names_are_their_last_part(world: World, given: Any, name: str) -> None:
    """Whatever stands before the last separator; odd names are names."""
    assert world.job.v3(NAME, v3(NAME, **named(given)))["code"] == 0
    assert pushed(world).files[0].name == name


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (base64.b64encode(bytes(range(256))).decode(), bytes(range(256))),
        ("YQ", b"a"),
        ("Y Q\n=", b"a"),
        ("_-8=", b"\xff\xef"),
        ("====", b""),
        ("!", b""),
    ],
)
def test_contents_are_bytes(world: World, content: str, expected: bytes) -> None:
    """Decoded as JOB decodes, text or not; what decodes to nothing is an empty file."""
    assert world.job.v3(NAME, v3(NAME, **named("a", content)))["code"] == 0
    assert pushed(world).files[0].content == expected


WRONG_NAMES: list[Any] = [None, "", " ", ".", "..", "a/", "a/..", "a/.", "a\nb", "x" * 256, "é" * 128]


@pytest.mark.parametrize(
    "changes",
    [
        {"file_target_path": None},
        {"file_target_path": " "},
        {"file_target_path": "relative/"},
        {"file_target_path": "${x}/a"},
        {"file_target_path": "/a\nb"},
        {"account_alias": None},
        {"account_alias": None, "account_id": 0},
        {"target_server": None},
        {"target_server": NO_HOSTS},
        {"file_list": None},
        {"file_list": []},
        named("a", None),
        named("a", ""),
        named("a", " \n"),
        *map(named, WRONG_NAMES),
        {"file_list": [{"file_name": "good", "content": "YQ=="}, {"file_name": "", "content": "YQ=="}]},
    ],
)
def test_everything_that_is_wrong_is_one_thing(world: World, changes: dict[str, Any]) -> None:
    """Plain 1241002; nothing is launched."""
    reply = world.job.v3(NAME, v3(NAME, **changes))
    assert (reply["code"], reply["message"]) == (1241002, "Invalid request parameters")
    assert world.launch.commands == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"file_target_path": None, "account": None}, (1241007, "[file_target_path]")),
        ({"account": None, "ip_list": None, "custom_query_id": None}, (1241007, "[account]")),
        ({"ip_list": None, "custom_query_id": None, "file_list": None}, (1241007, "[ip_list]")),
        ({"file_list": None}, (1241007, "[file_list]")),
        (named("a", ""), (1241005, "[file_list.content]")),
        *((named(name), (1241005, "[file_list.file_name]")) for name in WRONG_NAMES),
    ],
)
def test_v2_names_what_is_wrong(world: World, changes: dict[str, Any], code: tuple[int, str]) -> None:
    """Its own codes, in JOB's order."""
    reply = world.job.v2(NAME, v2(NAME, **changes))
    assert reply["code"] == code[0]
    assert code[1] in reply["message"]
    assert world.launch.commands == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (named("a\x00b"), 1240003),
        (named("a", 7), 1240003),
        (named("a", ["YQ=="]), 1240003),
        ({"file_list": "x"}, 1240003),
        ({"file_list": [None]}, 1240003),
        ({"callback_url": "x"}, 1240003),
        ({"account_id": 2**63}, 1240003),
        ({"task_name": "x" * 513}, 1240003),
    ],
)
def test_what_is_no_such_request_at_all(world: World, changes: dict[str, Any], code: int) -> None:
    """NUL, wrong types, ids beyond 64 bits. A content's value is not shown."""
    assert world.job.v3(NAME, v3(NAME, **changes))["code"] == code
    assert world.launch.commands == []


def test_a_file_beyond_the_body_s_limit(world: World) -> None:
    """HTTP 413, and nothing is launched."""
    content = base64.b64encode(b"x" * 300_000).decode()
    body = {**world.job.credentials, **v3(NAME, **named("a", content))}
    reply = world.http.post(f"{ESB_V3}/{NAME}/", json=body)
    assert (reply.status_code, world.launch.commands) == (413, [])
