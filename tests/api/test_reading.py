"""How requests are read: leniently where JOB is, and never further than the envelope where they are broken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from adapter.errors import JobUnknown

from . import bodies
from .client import ESB_V3, GATEWAY, envelope
from .conftest import MAX_BODY, World

SCRIPT = bodies.v3("fast_execute_script")
PATH = f"{ESB_V3}/fast_execute_script/"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "nonsense"])
def test_the_content_type_does_not_matter(world: World, content_type: str) -> None:
    """Two of the largest clients send none."""
    body = json.dumps({**world.job.credentials, **SCRIPT})
    reply = envelope(world.http.post(PATH, content=body, headers={"Content-Type": content_type}))
    assert reply["code"] == 0


def test_a_get_with_strings(world: World) -> None:
    """ESB sends everything of a query as text: numbers, booleans, objects."""
    query = {name: value if isinstance(value, str) else json.dumps(value) for name, value in SCRIPT.items()}
    assert world.job.get(PATH, {**query, "start_task": "False", "account_id": ""})["code"] == 0
    assert world.job.v3("fast_execute_script", {**SCRIPT, "start_task": False})["code"] == 0
    assert world.launch.commands[0] == world.launch.commands[1]


def test_a_get_with_a_body(world: World) -> None:
    """The body wins over the query."""
    body = {**world.job.credentials, **SCRIPT}
    reply = envelope(world.http.request("GET", f"{PATH}?timeout=5", json={**body, "timeout": 6}))
    assert reply["code"] == 0
    reply = envelope(world.http.request("GET", f"{PATH}?timeout=5", json={**body, "timeout": 7}))
    assert [command.timeout for command in world.launch.commands] == [6, 7]  # type: ignore[union-attr]


def test_numbers_and_strings_are_exchanged(world: World) -> None:
    """And unknown keys are ignored."""
    body = {**SCRIPT, "timeout": "60", "task_name": 12, "script_language": 1.0, "is_param_sensitive": "1"}
    assert (
        world.job.v3("fast_execute_script", {**body, "bk_supplier_account": "0", "os_type": {}})["code"] == 0
    )
    command: Any = world.launch.commands[0]
    assert (command.timeout, command.task_name, command.script.language) == (60, "12", 1)
    assert command.param_sensitive is True


@pytest.mark.parametrize("value", [True, "true", "True", 1, "1", None, ""])
def test_what_is_true(world: World, value: object) -> None:
    """start_task is true unless it says otherwise."""
    assert world.job.v3("fast_execute_script", {**SCRIPT, "start_task": value})["code"] == 0
    assert world.launch.commands[0].start_task is True  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b"[]",
        b"null",
        b'"text"',
        b"1",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": ' + b"1" * 5000 + b"}",
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}",
        b'{"a": "\\ud800"}',
        b'{"a": ["x\\u0000y"]}',
        b"\xff\xfe",
        b"\xef\xbb\xbf[]",
    ],
    ids=str,
)
def test_bodies_that_are_no_json_object(world: World, body: bytes) -> None:
    """1240003 and HTTP 200, whoever asks."""
    reply = envelope(world.http.post(PATH, content=body))
    assert reply["code"] == 1240003
    assert len(reply["message"]) < 300


def test_a_nul_in_the_query(world: World) -> None:
    """No database stores it."""
    reply = envelope(world.http.get(f"{PATH}?task_name=a%00b"))
    assert (reply["code"], "task_name" in reply["message"]) == (1240003, True)


def test_a_byte_order_mark_is_skipped(world: World) -> None:
    """Some clients on Windows send one."""
    body = json.dumps({**world.job.credentials, **SCRIPT}).encode("utf-8-sig")
    assert envelope(world.http.post(PATH, content=body))["code"] == 0


def test_a_body_over_the_limit(world: World) -> None:
    """HTTP 413 with an envelope, whether or not the length is declared."""
    assert envelope(world.http.post(PATH, content=b" " * (MAX_BODY + 1)), 413)["code"] == 1240003
    assert envelope(world.http.post(PATH, content=_chunks()), 413)["code"] == 1240003
    just_fits = json.dumps({**world.job.credentials, **SCRIPT}).encode().ljust(MAX_BODY)
    assert envelope(world.http.post(PATH, content=just_fits))["code"] == 0


def _chunks() -> Iterator[bytes]:
    for _ in range(MAX_BODY // 1000 + 1):
        yield b" " * 1000


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("timeout", 0, "timeout must be within 1..259200, not 0"),
        ("timeout", 259_201, "259201"),
        ("timeout", "soon", 'timeout must be a whole number of at most 64 bits, not "soon"'),
        ("timeout", 1.5, "1.5"),
        ("timeout", True, "true"),
        ("timeout", [], "a list of 0"),
        ("account_id", 2**63, "account_id"),
        ("account_id", 1e300, "account_id"),
        ("account_id", "9" * 100, "account_id"),
        ("script_version_id", {}, "script_version_id"),
        ("target_server", [], "target_server must be an object"),
        ("target_server", "{", "target_server must be JSON"),
        ("target_server", "[1]", "target_server must be an object"),
        ("target_server", {"ip_list": {}}, "target_server.ip_list must be a list"),
        ("target_server", {"ip_list": [None]}, "target_server.ip_list[0] must not be null"),
        ("target_server", {"host_id_list": [None]}, "target_server.host_id_list[0] must not be null"),
        ("target_server", {"host_id_list": [1, "x"]}, "target_server.host_id_list[1]"),
        ("target_server", {"dynamic_group_list": ["3"]}, "target_server.dynamic_group_list[0]"),
        ("target_server", {"dynamic_group_list": [{}]}, "target_server.dynamic_group_list[0].id is required"),
        ("target_server", {"topo_node_list": [{"id": 1}]}, "topo_node_list[0].node_type is required"),
        ("is_param_sensitive", 2, "is_param_sensitive"),
        ("task_name", "x" * 513, "task_name must have at most 512 characters"),
        ("task_name", ["x"], "task_name must be a string"),
        ("callback_url", "ftp://example.com", "callback_url must be a URL"),
        ("callback_url", "http://", "callback_url"),
        ("callback_url", "http://a b/", "callback_url"),
        ("callback_url", "http://host:99999/", "callback_url"),
        ("callback_url", "http://[::1/", "callback_url"),
        ("callback_url", "javascript:alert(1)", "callback_url"),
        ("script_param", 1, "script_param must be a string in base64"),
        ("script_content", "AA==", "script_content decodes to text with a NUL"),
    ],
)
def test_bean_validation(world: World, field: str, value: object, words: str) -> None:
    """1240003 says which field, what was expected and, unless it is a secret, what came."""
    reply = world.job.v3("fast_execute_script", {**SCRIPT, field: value})
    assert reply["code"] == 1240003
    assert words in reply["message"]
    assert len(reply["message"]) < 300
    assert world.launch.commands == []


@pytest.mark.parametrize(
    "ip",
    ["", " 10.0.0.1", "10.0.0.1 ", "10.0.0", "10.0.0.256", "01.0.0.1", "::1", "a.b.c.d", "10.0.0.1\n", None],
)
def test_addresses_of_v3(world: World, ip: str | None) -> None:
    """IPv4, checked before anything is trimmed."""
    target = {"ip_list": [{"bk_cloud_id": 0, "ip": "10.0.0.1"}, {"bk_cloud_id": 0, "ip": ip}]}
    reply = world.job.v3("fast_execute_script", {**SCRIPT, "target_server": target})
    assert reply["code"] == 1240003
    assert "target_server.ip_list[1].ip" in reply["message"]


@pytest.mark.parametrize("cloud", [-1, None, "x"])
def test_cloud_areas(world: World, cloud: object) -> None:
    """Zero and more."""
    target = {"ip_list": [{"bk_cloud_id": cloud, "ip": "10.0.0.1"}]}
    reply = world.job.v3("fast_execute_script", {**SCRIPT, "target_server": target})
    assert (reply["code"], "bk_cloud_id" in reply["message"]) == (1240003, True)


@pytest.mark.parametrize(
    ("given", "decoded"),
    [
        ("ZWNobyAkMQ==", "echo $1"),
        ("ZWNobyAkMQ", "echo $1"),
        ("ZWNo\r\nbyAk MQ==", "echo $1"),
        ("*Z!W)No", "ech"),
        ("w6k_", "é?"),
        ("w6k/", "é?"),
        ("YQ==YQ==", "a"),
        ("!!!", ""),
        ("A", ""),
    ],
)
def test_base64_is_lenient(world: World, given: str, decoded: str) -> None:
    """Illegal characters are skipped, URL-safe ones count, padding ends it: never an error."""
    reply = world.job.v3("fast_execute_script", {**SCRIPT, "script_content": given})
    assert reply["code"] == 0, reply
    assert world.launch.commands[0].script.content == decoded  # type: ignore[union-attr]


def test_parameters_are_one_line(world: World) -> None:
    """Newlines become blanks."""
    assert world.job.v3("fast_execute_script", {**SCRIPT, "script_param": "YQpiCg=="})["code"] == 0
    assert world.launch.commands[0].param == "a b "  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("size", "sensitive", "code"),
    [(65_535, 0, 0), (65_536, 0, 1240003), (48_128, 1, 0), (48_129, 1, 1240003)],
)
def test_the_size_of_parameters(world: World, size: int, sensitive: int, code: int) -> None:
    """A sensitive one must fit once it is encrypted."""
    import base64

    param = base64.b64encode(b"x" * size).decode()
    body = {**SCRIPT, "script_param": param, "is_param_sensitive": sensitive}
    assert world.job.v3("fast_execute_script", body)["code"] == code


def test_secrets_are_not_echoed(world: World) -> None:
    """Not even when they are wrong."""
    body = bodies.v3("create_account", password={"hunter2": 1})
    reply = world.job.v3("create_account", body)
    assert reply["code"] == 1240003
    assert "hunter2" not in json.dumps(reply)
    reply = world.job.v3("create_account", bodies.v3("create_account", password="hunter2" * 50))
    assert reply["code"] == 1240003
    assert "hunter2" not in json.dumps(reply)


def test_errors_of_the_use_case(world: World) -> None:
    """Their code and message, HTTP 200, no data."""
    world.launch.error = JobUnknown(7)
    reply = world.job.v3("fast_execute_script", SCRIPT)
    assert (reply["code"], reply["message"]) == (1244006, "Task instance [7] does not exist")
    assert reply["data"] is None


def test_an_unexpected_error(world: World) -> None:
    """1240002 in an envelope, with nothing of its inside."""
    world.launch.error = ZeroDivisionError("a secret of the inside")
    reply = world.job.v3("fast_execute_script", SCRIPT)
    assert reply["code"] == 1240002
    assert "inside" not in reply["message"]
    assert reply["request_id"] in reply["message"]


def test_the_gateway_gives_the_request_id(world: World) -> None:
    """If it is a decent one."""
    for given, kept in (("0123456789abcdef", True), ("x", False), ("a\tb" * 5, False)):
        headers = {"X-Bkapi-Request-Id": given}
        reply = envelope(world.http.get(f"{GATEWAY}/get_job_plan_list", headers=headers))
        assert (reply["request_id"] == given) is kept
