"""Who is asking, for which business: everything that is refused before a request is looked at."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapter.job.model import Scope

from . import bodies
from .client import ESB_V2, ESB_V3, GATEWAY, envelope
from .conftest import World

SCRIPT = bodies.v3("fast_execute_script")
PATH = f"{ESB_V3}/fast_execute_script/"


def _post(world: World, body: dict[str, Any], path: str = PATH, **headers: str) -> dict[str, Any]:
    return envelope(
        world.http.post(path, json=body, headers={n.replace("_", "-"): v for n, v in headers.items()})
    )


def _header(world: World, **changes: str | None) -> str:
    found = {**world.job.credentials, **changes}
    return json.dumps({name: value for name, value in found.items() if value is not None})


def test_credentials_in_the_body(world: World) -> None:
    """Form B of the clients."""
    assert _post(world, {**SCRIPT, **world.job.credentials})["code"] == 0
    assert world.launch.commands[0].caller.user == "admin"


def test_credentials_in_the_header(world: World) -> None:
    """Form H of the clients; the short names work, too."""
    names = {"app_code": "bk_app_code", "app_secret": "bk_app_secret", "username": "bk_username"}
    short = json.dumps({name: world.job.credentials[long] for name, long in names.items()})
    assert _post(world, SCRIPT, X_Bkapi_Authorization=_header(world))["code"] == 0
    assert _post(world, SCRIPT, X_Bkapi_Authorization=short)["code"] == 0


def test_the_header_alone_counts_if_it_is_there(world: World) -> None:
    """Good credentials in the body do not help an incomplete header."""
    body = {**SCRIPT, **world.job.credentials}
    assert _post(world, body, X_Bkapi_Authorization="{}")["code"] == 1306000
    assert _post(world, body, X_Bkapi_Authorization=_header(world, bk_username=None))["code"] == 1306000
    assert world.launch.commands == []


@pytest.mark.parametrize("header", ["not json", "[]", "1", '{"bk_app_code": NaN}', "{" * 2000])
def test_a_header_that_is_no_json_object(world: World, header: str) -> None:
    """ESB's "parameters error", without quoting what may be a secret."""
    reply = _post(world, SCRIPT, X_Bkapi_Authorization=header)
    assert reply["code"] == 1306406
    assert "not json" not in reply["message"]


def test_an_access_token_names_the_user(world: World) -> None:
    """Form HT of the clients."""
    token = world.applications.create_token("esb_test", "tom")
    assert _post(world, SCRIPT, X_Bkapi_Authorization=json.dumps({"access_token": token}))["code"] == 0
    assert world.launch.commands[0].caller.user == "tom"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"bk_app_secret": "wrong"}, "Secret"),
        ({"bk_app_secret": None}, "Secret"),
        ({"bk_app_code": "unknown"}, "unknown"),
        ({"bk_app_code": None, "bk_app_secret": None}, "bk_app_code"),
        ({"bk_username": None}, "user"),
        ({"bk_token": "unknown"}, "token"),
        ({"access_token": "unknown"}, "token"),
    ],
)
def test_strangers(world: World, changes: dict[str, str | None], word: str) -> None:
    """Nothing is done for them, and no secret comes back."""
    reply = _post(world, SCRIPT, X_Bkapi_Authorization=_header(world, **changes))
    assert reply["code"] == 1306000
    assert word.lower() in reply["message"].lower()
    assert world.job.credentials["bk_app_secret"] not in json.dumps(reply)
    assert world.launch.commands == []


def test_a_lone_jwt_is_refused_clearly(world: World) -> None:
    """It is no anonymous request; without the gateway's key nobody can tell whether it is true."""
    reply = _post(world, SCRIPT, X_Bkapi_JWT="abc")
    assert reply["code"] == 1306000
    assert "ADAPTER_JWT_PUBLIC_KEYS" in reply["message"]
    assert _post(world, {**SCRIPT, **world.job.credentials}, X_Bkapi_JWT="abc")["code"] == 0


def test_system_paths_take_the_user_from_its_header(world: World) -> None:
    """Elsewhere that header means nothing."""
    system = f"{GATEWAY}/system/fast_execute_script"
    header = _header(world, bk_username=None)
    reply = _post(world, SCRIPT, system, X_Bkapi_Authorization=header, X_Bk_Username="ann")
    assert reply["code"] == 0
    assert world.launch.commands[0].caller.user == "ann"
    assert _post(world, SCRIPT, system, X_Bkapi_Authorization=header)["code"] == 1306000
    assert _post(world, SCRIPT, X_Bkapi_Authorization=header, X_Bk_Username="ann")["code"] == 1306000


def test_credentials_of_a_wrong_type(world: World) -> None:
    """Numbers may be a secret; objects are not."""
    assert _post(world, {**SCRIPT, "bk_app_code": {"a": 1}})["code"] == 1240003
    assert _post(world, {**SCRIPT, "bk_app_code": 12, "bk_app_secret": 34})["code"] == 1306000


def test_a_scope_that_the_application_may_not_use(world: World) -> None:
    """JOB's permission object says what is missing; a platform job needs both businesses."""
    limited = world.applications.create(
        "limited", scopes=frozenset({Scope("biz", "2")}), act_as_any_user=True
    )
    who = {"bk_app_code": "limited", "bk_app_secret": limited, "bk_username": "admin"}
    reply = _post(world, {**SCRIPT, **who})
    assert reply["code"] == 9900403
    assert reply["permission"]["system_id"] == "bk_job"
    resource = reply["permission"]["actions"][0]["related_resource_types"][0]
    assert resource["instances"][0][0]["id"] == "1"
    for source, target in ((1, 2), (2, 1)):
        body = bodies.v2("execute_platform_job", source_bk_biz_id=source, target_bk_biz_id=target)
        assert _post(world, {**body, **who}, f"{ESB_V2}/execute_platform_job/")["code"] == 9900403
    assert world.launch.commands == []
    assert _post(world, {**SCRIPT, **who, "bk_scope_id": "2"})["code"] == 0


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"bk_biz_id": 1}, Scope("biz", "1")),
        ({"bk_biz_id": "1"}, Scope("biz", "1")),
        ({"bk_biz_id": 9991001}, Scope("biz_set", "9991001")),
        ({"bk_biz_id": 10_000_000}, Scope("biz", "10000000")),
        ({"bk_scope_type": "biz", "bk_scope_id": 1}, Scope("biz", "1")),
        ({"bk_scope_type": "biz_set", "bk_scope_id": "9", "bk_biz_id": 1}, Scope("biz_set", "9")),
        ({"bk_scope_type": "", "bk_scope_id": "", "bk_biz_id": 1}, Scope("biz", "1")),
    ],
)
def test_scopes(world: World, scope: dict[str, Any], expected: Scope) -> None:
    """A scope wins over a business; old ids of business sets are recognised."""
    body = {name: value for name, value in SCRIPT.items() if not name.startswith("bk_")}
    assert world.job.v3("fast_execute_script", {**body, **scope})["code"] == 0
    command = world.launch.commands[0]
    assert command.scope == expected  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("scope", "word"),
    [
        ({}, "bk_biz_id"),
        ({"bk_biz_id": 0}, "bk_biz_id"),
        ({"bk_biz_id": -1}, "bk_biz_id"),
        ({"bk_biz_id": "two"}, "bk_biz_id"),
        ({"bk_scope_type": "module", "bk_scope_id": "1"}, "bk_scope_type"),
        ({"bk_scope_id": "1"}, "bk_scope_type"),
        ({"bk_scope_type": "biz", "bk_scope_id": " ", "bk_biz_id": 1}, "bk_scope_id"),
        ({"bk_scope_type": "biz", "bk_scope_id": ["1"]}, "bk_scope_id"),
    ],
)
def test_scopes_that_are_none(world: World, scope: dict[str, Any], word: str) -> None:
    """1240003 naming the field."""
    body = {name: value for name, value in SCRIPT.items() if not name.startswith("bk_")}
    reply = world.job.v3("fast_execute_script", {**body, **scope})
    assert reply["code"] == 1240003
    assert word in reply["message"]
