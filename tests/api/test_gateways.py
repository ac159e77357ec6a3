"""Who is asking when a gateway says it: X-Bkapi-JWT, and the bare names of /esb/api (contract a)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
import uvicorn

from adapter.cli.http_server import server_config
from adapter.config import Settings
from adapter.service.gateway_jwt import GatewayJwt
from adapter.store.opening import Stores
from tests.support.gateway import gateway

from . import bodies
from .client import ESB_V3, GATEWAY, GATEWAY_V4, envelope, envelope_v4
from .conftest import StoppedClock, World, make_world

OWN = "/api/job/v3/job-execute/fast_execute_script"
OWN_V4 = "/api/job/v4/job-execute/fast_execute_script"
INTERNAL = "/esb/api/v3/fast_execute_script"
SCRIPT = bodies.v3("fast_execute_script")
NAMES = {"X-AppCode": "esb_test", "X-Username": "ann"}


@pytest.fixture
def signed(stores: Stores) -> Iterator[World]:
    """A world that knows the gateway's key."""
    with make_world(stores, gateway=GatewayJwt({"k": gateway().public_key}, StoppedClock())) as made:
        yield made.world


def _post(
    world: World,
    path: str,
    body: dict[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    return envelope(world.http.post(path, json=body or SCRIPT, headers=headers))


@pytest.mark.parametrize("path", [OWN, f"{ESB_V3}/fast_execute_script/", f"{GATEWAY}/fast_execute_script"])
def test_a_jwt(signed: World, path: str) -> None:
    """On every path: each of these gateways sends one."""
    assert _post(signed, path, headers={"X-Bkapi-JWT": gateway().jwt()})["code"] == 0
    caller = signed.launch.commands[0].caller
    assert (caller.app_code, caller.user) == ("esb_test", "ann")


def test_a_jwt_on_a_system_path(signed: World) -> None:
    """The application names the user; the header means nothing elsewhere."""
    headers = {"X-Bkapi-JWT": gateway().jwt(), "X-Bk-Username": "tom"}
    for path in (f"{GATEWAY}/system/fast_execute_script", f"{GATEWAY}/fast_execute_script"):
        assert _post(signed, path, headers=headers)["code"] == 0
    assert [command.caller.user for command in signed.launch.commands] == ["tom", "ann"]


@pytest.mark.parametrize("path", [OWN, OWN_V4, "/api/bk-job/prod" + OWN])
def test_jobs_own_gateway_without_anything(world: World, path: str) -> None:
    """HTTP 401 and an empty body, as JOB's own gateway answers."""
    response = world.http.post(path, json=SCRIPT)
    assert (response.status_code, response.content) == (401, b"")


@pytest.mark.parametrize(
    ("made", "code"), [({"user": None}, 1247002), ({"app": None}, 1247004), ({"exp": 1}, 1247001)]
)
def test_a_jwt_that_says_too_little(signed: World, made: dict[str, Any], code: int) -> None:
    """HTTP 401 and an envelope, on every path."""
    for path in (OWN, f"{GATEWAY}/fast_execute_script"):
        response = signed.http.post(path, json=SCRIPT, headers={"X-Bkapi-JWT": gateway().jwt(**made)})
        assert envelope(response, 401)["code"] == code
    v4 = signed.http.post(
        f"{GATEWAY_V4}/get_job_instance_list", headers={"X-Bkapi-JWT": gateway().jwt(**made)}
    )
    error = envelope_v4(v4, 401)["error"]
    assert (error["code"], error["details"][0]["code"]) == ("UNAUTHENTICATED", str(code))
    assert signed.launch.commands == []


def test_jobs_own_gateway_with_credentials(world: World) -> None:
    """A service without a gateway in front serves these paths too: to whoever proves who they are."""
    assert _post(world, OWN, {**SCRIPT, **world.job.credentials})["code"] == 0
    wrong = {**SCRIPT, **world.job.credentials, "bk_app_secret": "wrong"}
    assert _post(world, OWN, wrong)["code"] == 1306000
    assert _post(world, OWN, headers={"X-Bkapi-JWT": gateway().jwt()})["code"] == 1306000


# --- /esb/api --------------------------------------------------------------------------------------------


def _inside(stores: Stores, peer: str, *networks: str) -> make_world:
    return make_world(stores, settings=Settings(internal_networks=networks), peer=peer)


def test_names_alone_prove_nothing(world: World) -> None:
    """By default nobody is believed who only says a name."""
    reply = _post(world, INTERNAL, headers=NAMES)
    assert reply["code"] == 1306000
    assert _post(world, INTERNAL, {**SCRIPT, **world.job.credentials})["code"] == 0
    assert [command.caller.user for command in world.launch.commands] == ["admin"]


@pytest.mark.parametrize(
    ("peer", "networks"),
    [
        ("10.1.2.3", ["10.0.0.0/8"]),
        ("::ffff:10.1.2.3", ["10.0.0.0/8"]),
        ("10.1.2.3", ["fd00::/8", "10.1.2.3"]),
        ("fd00::7", ["fd00::/8"]),
    ],
)
def test_a_network_whose_word_is_believed(stores: Stores, peer: str, networks: list[str]) -> None:
    """A setting names it."""
    with _inside(stores, peer, *networks) as made:
        assert _post(made.world, INTERNAL, headers=NAMES)["code"] == 0
        caller = made.world.launch.commands[0].caller
        assert (caller.app_code, caller.user) == ("esb_test", "ann")


@pytest.mark.parametrize("peer", ["11.1.2.3", "::1", "fe80::1%eth0", "testclient", "", "10.1.2.3.4"])
def test_other_networks(stores: Stores, peer: str) -> None:
    """And whatever headers they send."""
    with _inside(stores, peer, "10.0.0.0/8") as made:
        spoofed = {
            **NAMES,
            "X-Forwarded-For": "10.1.2.3",
            "X-Real-IP": "10.1.2.3",
            "Forwarded": "for=10.1.2.3",
        }
        assert _post(made.world, INTERNAL, headers=spoofed)["code"] == 1306000
        assert made.world.launch.commands == []


def test_the_server_looks_at_the_connection(stores: Stores) -> None:
    """uvicorn by itself would believe X-Forwarded-For of whoever is on this machine."""
    with _inside(stores, "", "10.0.0.0/8") as made:
        server = uvicorn.Server(server_config(made.app))
        listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}{INTERNAL}"
            headers = {**NAMES, "X-Forwarded-For": "10.1.2.3"}
            reply = httpx.post(url, json=SCRIPT, headers=headers, trust_env=False)
        finally:
            server.should_exit = True
            thread.join()
            listener.close()
        assert envelope(reply)["code"] == 1306000


@pytest.mark.parametrize("path", [OWN, f"{ESB_V3}/fast_execute_script/", f"{GATEWAY}/fast_execute_script"])
def test_names_mean_nothing_on_other_paths(stores: Stores, path: str) -> None:
    """Not even from that network."""
    with _inside(stores, "10.1.2.3", "10.0.0.0/8") as made:
        response = made.world.http.post(path, json=SCRIPT, headers=NAMES)
        assert response.status_code == 401 or envelope(response)["code"] == 1306000
        assert made.world.launch.commands == []


@pytest.mark.parametrize("missing", sorted(NAMES))
def test_both_names_are_required(stores: Stores, missing: str) -> None:
    """As JOB's services do."""
    with _inside(stores, "10.1.2.3", "10.0.0.0/8") as made:
        names = {name: value for name, value in NAMES.items() if name != missing}
        reply = _post(made.world, INTERNAL, {**SCRIPT, **made.world.job.credentials}, headers=names)
        assert (reply["code"], missing in reply["message"]) == (1240003, True)


def test_the_application_keeps_its_limits(stores: Stores) -> None:
    """A network vouches for names, and not for rights."""
    settings = Settings(internal_networks=("10.0.0.0/8",))
    with make_world(stores, "esb_limited", settings=settings, peer="10.1.2.3") as made:
        world, names = made.world, {**NAMES, "X-AppCode": "esb_limited"}
        world.applications.update("esb_limited", act_as_any_user=False)
        assert _post(world, INTERNAL, headers=names)["code"] == 1306000
        assert _post(world, INTERNAL, headers={**names, "X-AppCode": "stranger"})["code"] == 1306000
        world.applications.update("esb_limited", act_as_any_user=True, scopes=frozenset())
        assert _post(world, INTERNAL, headers=names)["code"] == 9900403
