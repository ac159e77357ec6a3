"""Where the APIs are, and what is where no API is."""

from __future__ import annotations

import pytest

from adapter.api.routes import V2, V3

from . import bodies
from .client import ESB_V2, ESB_V3, GATEWAY, envelope
from .conftest import World

BASES = ["", "/api/bk-job/prod", "/api/bk-job/stage"]


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("prefix", [ESB_V3, GATEWAY, f"{GATEWAY}/system"])
def test_v3(world: World, base: str, prefix: str, slash: str) -> None:
    """ESB and gateway, GET and POST, the slash as one likes."""
    path = f"{base}{prefix}/get_job_plan_list{slash}"
    assert world.job.post(path, bodies.SCOPE)["code"] == 0
    assert world.job.get(path, bodies.SCOPE)["code"] == 0


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("slash", ["", "/"])
def test_v2(world: World, base: str, slash: str) -> None:
    """The same for v2, which has no path of its own at the gateway."""
    body = bodies.v2("execute_job")
    assert world.job.post(f"{base}{ESB_V2}/execute_job{slash}", body)["code"] == 0
    assert world.job.post(f"{base}{GATEWAY}/execute_job{slash}", body)["code"] == 1240003


@pytest.mark.parametrize("name", sorted(V3))
def test_every_api_of_v3_is_there(world: World, name: str) -> None:
    """No name of the table is unreachable."""
    assert world.job.v3(name, bodies.v3(name))["code"] not in (1306404, 1240002, 1240003)


@pytest.mark.parametrize("name", sorted(V2))
def test_every_api_of_v2_is_there(world: World, name: str) -> None:
    """No name of the table is unreachable."""
    assert world.job.v2(name, bodies.v2(name))["code"] not in (1306404, 1240002, 1240003)


@pytest.mark.parametrize(
    "path",
    [
        f"{ESB_V3}/execute_platform_job/",
        f"{ESB_V3}/nothing/",
        f"{ESB_V2}/fast_transfer_file/",
        f"{ESB_V2}/a/b/c",
        "/api/c/compapi/v2/cc/search_business/",
        "/api/c/compapi/job/execute_task/",
        "/api/bk-job/prod/api/c/compapi/v2/cc/search_business/",
        f"{ESB_V3}/{'x' * 3000}/",
        f"{ESB_V3}/%ED%A0%80/",
        f"{ESB_V3}/fast%2Fexecute/",
    ],
)
def test_unknown_components(world: World, path: str) -> None:
    """ESB's code, before anyone is asked who they are."""
    reply = envelope(world.http.post(path, content=b"{"))
    assert reply["code"] == 1306404
    assert len(reply["message"]) < 200


@pytest.mark.parametrize("path", [f"{GATEWAY}/nothing", f"{GATEWAY}/system/nothing/", f"{GATEWAY}/a/b/c"])
def test_unknown_apis_of_the_gateway(world: World, path: str) -> None:
    """JOB's bad request."""
    assert envelope(world.http.post(path))["code"] == 1240003


@pytest.mark.parametrize("path", ["/", "/api", "/api/v4/fast_execute_script", "/x/api/v3/get_job_plan_list"])
def test_unknown_paths(world: World, path: str) -> None:
    """HTTP says so, too."""
    assert envelope(world.http.get(path), 404)["code"] == 1240003


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_wrong_methods(world: World, method: str) -> None:
    """JOB's bad request."""
    reply = envelope(world.http.request(method, f"{ESB_V3}/fast_execute_script/"))
    assert (reply["code"], method in reply["message"]) == (1240003, True)


def test_head_starts_nothing(world: World) -> None:
    """Starlette takes HEAD for GET."""
    query = {**world.job.credentials, "bk_biz_id": 1, "bk_job_id": 1}
    assert world.http.head(f"{ESB_V2}/execute_job/", params=query).status_code == 200
    assert world.launch.commands == []
