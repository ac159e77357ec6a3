"""Where the APIs are, and what is where no API is."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.api.apis import V2, V2_SERVICES, V3, V3_SERVICES, V4, V4_SERVICES

from . import bodies
from .client import ESB_V2, ESB_V3, GATEWAY, GATEWAY_V4, envelope, envelope_v4
from .conftest import World

BASES = ["", "/api/bk-job/prod", "/api/bk-job/stage"]
OWN = "/api/job"  #: JOB's own gateway
INTERNAL = "/esb/api"


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    "prefix", [ESB_V3, GATEWAY, f"{GATEWAY}/system", f"{OWN}/v3/job-manage", f"{INTERNAL}/v3"]
)
def test_v3(world: World, base: str, prefix: str, slash: str) -> None:
    """ESB and every gateway, GET and POST, the slash as one likes."""
    path = f"{base}{prefix}/get_job_plan_list{slash}"
    assert world.job.post(path, bodies.SCOPE)["code"] == 0
    assert world.job.get(path, bodies.SCOPE)["code"] == 0


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("prefix", [ESB_V2, f"{OWN}/v2/job-execute", f"{INTERNAL}/v2"])
def test_v2(world: World, base: str, prefix: str, slash: str) -> None:
    """The same for v2, which has no path at BlueKing's API gateway."""
    body = bodies.v2("execute_job")
    assert world.job.post(f"{base}{prefix}/execute_job{slash}", body)["code"] == 0
    assert world.job.post(f"{base}{GATEWAY}/execute_job{slash}", body)["code"] == 1240003


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    "prefix", [GATEWAY_V4, f"{GATEWAY_V4}/system", f"{OWN}/v4/job-execute", f"{INTERNAL}/v4"]
)
def test_v4(world: World, base: str, prefix: str, slash: str) -> None:
    """The same for v4, which ESB does not have."""
    path = f"{base}{prefix}/get_job_instance_list{slash}"
    body = {**world.job.credentials, **bodies.v4("get_job_instance_list")}
    assert "data" in envelope_v4(world.http.post(path, json=body))
    assert "data" in envelope_v4(world.http.get(path, params=body))
    assert world.job.post(f"{base}{ESB_V3}/../../v4/get_job_instance_list", body)["code"] == 1306404


@pytest.mark.parametrize("name", sorted(V3))
def test_every_api_of_v3_is_there(world: World, name: str) -> None:
    """No name of the table is unreachable."""
    assert world.job.v3(name, bodies.v3(name))["code"] not in (1306404, 1240002, 1240003)


@pytest.mark.parametrize("name", sorted(V2))
def test_every_api_of_v2_is_there(world: World, name: str) -> None:
    """No name of the table is unreachable."""
    assert world.job.v2(name, bodies.v2(name))["code"] not in (1306404, 1240002, 1240003)


@pytest.mark.parametrize(
    ("version", "service", "name", "elsewhere"),
    [
        ("v3", "job-execute", "get_job_instance_list", "job-manage"),
        ("v3", "job-manage", "get_script_list", "job-execute"),
        ("v2", "job-execute", "get_job_instance_status", "job-crontab"),
    ],
)
def test_a_service_has_its_own_apis(
    world: World, version: str, service: str, name: str, elsewhere: str
) -> None:
    """JOB's own gateway names the service, which knows no other's APIs."""
    body = bodies.v2(name) if version == "v2" else bodies.v3(name)
    assert world.job.post(f"{OWN}/{version}/{service}/{name}", body)["code"] != 1240003
    assert world.job.post(f"{OWN}/{version}/{elsewhere}/{name}", body)["code"] == 1240003
    assert world.job.post(f"{OWN}/{version}/job-nothing/{name}", body)["code"] == 1240003


def test_no_name_is_in_two_services() -> None:
    """Else the flat paths would have only one of them."""
    for services, names in ((V2_SERVICES, V2), (V3_SERVICES, V3), (V4_SERVICES, V4)):
        assert sum(map(len, services.values())) == len(names)


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


@pytest.mark.parametrize(
    "path",
    [
        *(f"{GATEWAY}/nothing", f"{GATEWAY}/system/nothing/", f"{GATEWAY}/a/b/c"),
        *(f"{OWN}/v3/job-execute/nothing", f"{OWN}/v9/x", f"{INTERNAL}/v3/nothing", f"{INTERNAL}/x"),
    ],
)
def test_unknown_apis_of_gateways(world: World, path: str) -> None:
    """JOB's bad request."""
    assert envelope(world.http.post(path))["code"] == 1240003


@pytest.mark.parametrize(
    "path",
    [
        *(f"{GATEWAY_V4}/nothing", f"{GATEWAY_V4}/system/nothing/", f"{GATEWAY_V4}/a/b/c"),
        *(f"{OWN}/v4/job-execute/nothing", f"{OWN}/v4/x/y/z", f"{INTERNAL}/v4/a/b"),
    ],
)
def test_unknown_apis_of_v4(world: World, path: str) -> None:
    """HTTP says so, too."""
    error = envelope_v4(world.http.post(path), 404)["error"]
    assert (error["code"], error["details"][0]["code"]) == ("NOT_FOUND", "1241024")


@pytest.mark.parametrize("path", ["/", "/api", "/api/v5/fast_execute_script", "/x/api/v3/get_job_plan_list"])
def test_unknown_paths(world: World, path: str) -> None:
    """HTTP says so, too."""
    assert envelope(world.http.get(path), 404)["code"] == 1240003


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_wrong_methods(world: World, method: str) -> None:
    """JOB's bad request; v4's in its own form."""
    reply = envelope(world.http.request(method, f"{ESB_V3}/fast_execute_script/"))
    assert (reply["code"], method in reply["message"]) == (1240003, True)
    error = envelope_v4(world.http.request(method, f"{GATEWAY_V4}/fast_execute_script"), 400)["error"]
    assert (error["code"], error["details"][0]["code"]) == ("INVALID_ARGUMENT", "1241017")


def test_head_starts_nothing(world: World) -> None:
    """Starlette takes HEAD for GET."""
    query = {**world.job.credentials, "bk_biz_id": 1, "bk_job_id": 1}
    assert world.http.head(f"{ESB_V2}/execute_job/", params=query).status_code == 200
    assert world.launch.commands == []


def test_v4_starts_nothing_by_get(world: World) -> None:
    """Other than ESB, which makes a POST of everything."""
    query: dict[str, Any] = {**world.job.credentials, **bodies.SCOPE}
    error = envelope_v4(world.http.get(f"{GATEWAY_V4}/fast_execute_script", params=query), 400)["error"]
    assert error["details"][0]["code"] == "1241017"
