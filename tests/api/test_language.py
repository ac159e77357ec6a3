"""Messages in the language that the caller asks for (contract b1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from adapter.config import Settings
from adapter.store.opening import Stores, open_store

from . import bodies
from .client import ESB_V3, GATEWAY_V4, TestClient, envelope, envelope_v4
from .conftest import StoppedClock, World, make_world
from .real import Real, build

PATH = f"{ESB_V3}/fast_execute_script/"
SCRIPT = bodies.v3("fast_execute_script")


def _told(http: TestClient, body: dict[str, Any], language: str | None, path: str = PATH) -> str:
    """The message of an error."""
    headers = {} if language is None else {"Blueking-Language": language}
    if language is None:
        http.headers.pop("Blueking-Language", None)
    return str(envelope(http.post(path, json=body, headers=headers))["message"])


@pytest.mark.parametrize(
    ("changes", "chinese", "english"),
    [
        (
            {"timeout": 0},
            "请求参数[timeout]不合法：必须是1..259200 之间的值，而不是 0",
            "timeout must be within 1..259200, not 0",
        ),
        (
            {"target_server": {"ip_list": [{"bk_cloud_id": 0}]}},
            "请求参数[target_server.ip_list[0].ip]不合法：必填",
            "target_server.ip_list[0].ip is required",
        ),
        (
            {"target_server": None},
            "请求参数[target_server]缺失",
            "Missing request parameter [target_server]",
        ),
        (
            {"script_language": 9},
            "请求参数[script_language]不合法：必须是 1 shell、2 bat、3 perl",
            "Invalid request parameter [script_language]: must be 1 shell, 2 bat, 3 perl",
        ),
        (
            {"target_server": "{"},
            "必须是 JSON：该文本 不是合法的 JSON",
            "must be JSON: the text is not valid JSON",
        ),
        ({"bk_scope_id": None}, "bk_scope_id 不合法：不能为空", "Invalid bk_scope_id: must not be blank"),
        (
            {"rolling_config": {"type": 2, "file_source": {}}},
            "滚动策略不合法：type 2",
            "Rolling strategy is invalid: type 2",
        ),
        ({"bk_app_code": "x"}, "不合法的 APP Code [bk_app_code=x]", "Invalid APP Code [bk_app_code=x]"),
    ],
)
def test_errors(world: World, changes: dict[str, Any], chinese: str, english: str) -> None:
    """Chinese unless English is asked for; each says which value is wrong."""
    body = {**world.job.credentials, **SCRIPT, **changes}
    assert english in _told(world.http, body, "en")
    for language in ("zh-cn", "zh", "fr"):
        assert chinese in _told(world.http, body, language)
    assert chinese in _told(world.http, body, None)


def test_where_no_api_is(world: World) -> None:
    """Before anything of the request is looked at."""
    assert "找不到组件" in _told(world.http, {}, "zh-cn", f"{ESB_V3}/nothing/")
    reply = world.http.get("/nothing", headers={"Blueking-Language": "zh-cn"})
    assert "没有对应的接口" in envelope(reply, 404)["message"]
    reply = world.http.put(PATH, headers={"Blueking-Language": "zh-cn"})
    assert "不支持的 HTTP 方法" in envelope(reply)["message"]
    reply = world.http.post(PATH, content=b"{", headers={"Blueking-Language": "zh-cn"})
    assert "请求体 不是合法的 JSON" in envelope(reply)["message"]


def test_an_unexpected_error(world: World) -> None:
    """Also then."""
    world.launch.error = ZeroDivisionError()
    message = _told(world.http, {**world.job.credentials, **SCRIPT}, "zh-cn")
    assert "内部服务器异常；服务日志中的 request_id" in message


def test_v4(world: World) -> None:
    """Message and details."""
    body = {**world.job.credentials, **bodies.v4("fast_execute_script", timeout=0)}
    headers = {"Blueking-Language": "zh-cn"}
    error = envelope_v4(world.http.post(f"{GATEWAY_V4}/fast_execute_script", json=body, headers=headers), 400)
    assert error["error"]["message"] == "字段[timeout]绑定失败"
    assert "必须是1..259200 之间的值" in error["error"]["details"][0]["message"]


def test_a_service_whose_language_is_english(stores: Stores) -> None:
    """A setting says it of those who ask for none; a request's own word wins."""
    with make_world(stores, settings=Settings(language="en")) as made:
        assert "Invalid APP Code" in _told(made.world.http, SCRIPT, None)
        assert "不合法的 APP Code" in _told(made.world.http, SCRIPT, "zh-cn")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """The real use cases."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("language"))
    opened = open_store(settings)
    yield build(opened, StoppedClock(), settings)
    opened.close()


@pytest.mark.parametrize(("language", "name"), [("en", "Script Execution_"), ("zh-cn", "快速执行脚本_")])
def test_a_job_without_a_name(real: Real, language: str, name: str) -> None:
    """Is called what it is, in the caller's language."""
    body = {**real.job.credentials, **bodies.v3("fast_execute_script", task_name=None)}
    body["target_server"] = {"host_id_list": [101]}
    reply = envelope(real.job.http.post(PATH, json=body, headers={"Blueking-Language": language}))
    assert reply["data"]["job_instance_name"].startswith(name)
