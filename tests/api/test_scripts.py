"""Scripts of a business and public ones over the API: v3, v2, and where launches show them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.config import Settings
from adapter.job.model import PUBLIC, Scope
from adapter.service.applications import Applications
from adapter.store.opening import open_store

from . import bodies
from .client import JobClient
from .conftest import StoppedClock, World
from .real import Real, build

SCOPE = {"bk_scope_type": "biz", "bk_scope_id": "1"}
NO_SCOPE = {"bk_scope_type": None, "bk_scope_id": None, "bk_biz_id": None}
MISSING = "missing"


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Real]:
    """An application over real use cases."""
    stores = open_store(Settings(data_dir=tmp_path))
    yield build(stores, StoppedClock(), Settings(data_dir=tmp_path))
    stores.close()


@pytest.fixture(params=["script", "public_script"])
def ask(world: World, request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    """Asks an API of a business's scripts, or the public one of it, which has no scope."""
    scope = SCOPE if request.param == "script" else {}

    def asked(name: str, /, **body: Any) -> dict[str, Any]:
        return world.job.v3(name.replace("script", request.param, 1), {**scope, **body})

    asked.is_public = request.param == "public_script"  # type: ignore[attr-defined]
    return asked


def made(ask: Callable[..., dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """A script with one draft; its name is new."""
    body = {"name": uuid.uuid4().hex, "script_language": 1, "content": "ZWNobw==", "version": "1"}
    reply = ask("create_script", **{**body, **changes})
    assert reply["code"] == 0, reply
    return dict(reply["data"])


def test_the_life_of_a_script(ask: Any) -> None:
    """Made, renamed, changed, published, disabled, deleted; each reply as JOB's."""
    first = made(ask)
    if ask.is_public:
        assert {name: first[name] for name in NO_SCOPE} == NO_SCOPE
    of = {"script_id": first["script_id"]}
    name = uuid.uuid4().hex
    renamed = ask("update_script_basic", **of, name=name, description="d")["data"]
    assert (renamed["id"], renamed["name"], renamed["description"]) == (of["script_id"], name, "d")
    one = {**of, "script_version_id": first["id"]}
    changed = ask("update_script_version", **one, content="ZWNobyAx", version_desc="v")["data"]
    assert (changed["content"], changed["version_desc"], changed["status"]) == ("echo 1", "v", 0)
    assert ask("publish_script_version", **one)["data"] == {**of, "id": first["id"], "status": 1}
    second = ask("create_script_version", **of, content="YQ==", version="2")["data"]
    assert ask("get_script_list", name=name)["data"]["data"][0]["online_script_version_id"] == first["id"]
    assert ask("get_script_version_detail", id=first["id"])["data"]["content"] == "echo 1"
    listed = ask("get_script_version_list", **of)["data"]
    assert [(item["id"], item["content"]) for item in listed["data"]] == [
        (second["id"], None),
        (first["id"], None),
    ]
    assert ask("disable_script_version", **one)["data"] == {**of, "id": first["id"], "status": 3}
    reply = ask("delete_script_version", **one)
    assert (reply["code"], reply["data"]) == (0, None)
    assert ask("delete_script", **of)["code"] == 0
    assert ask("get_script_version_list", **of)["code"] == 1243001


@pytest.mark.parametrize(
    ("name", "body", "code", "words"),
    [
        ("create_script", {"name": MISSING}, 1243002, ""),
        ("create_script", {"name": "a|b"}, 1240003, "name"),
        ("create_script", {"script_language": 7}, 1241005, "script_language"),
        ("create_script", {"content": {}}, 1240003, "content"),
        ("create_script", {"content": "é"}, 1240003, "content"),
        ("create_script", {"version": "1 0"}, 1240003, "version"),
        ("create_script_version", {"content": "YQ==", "version": "1"}, 1243036, "1"),
        ("create_script_version", {"content": "YQ==", "version": "é"}, 1240003, "version"),
        ("update_script_basic", {"name": "x" * 61}, 1240003, "name"),
        ("update_script_basic", {}, 1240003, "name"),
        (
            "update_script_version",
            {"script_version_id": "x", "content": "YQ=="},
            1240003,
            "script_version_id",
        ),
        ("update_script_version", {"script_version_id": 999_999, "content": "YQ=="}, 1243047, "999999"),
        ("update_script_version", {}, 1240003, "script_version_id"),
        ("disable_script_version", {}, 1241003, "draft"),
        ("disable_script_version", {"script_version_id": 999_999}, 1243047, "999999"),
        ("delete_script_version", {"script_version_id": 2**63 - 1}, 1243047, ""),
        ("delete_script", {"script_id": "nothing"}, 1243001, "nothing"),
        ("publish_script_version", {"script_id": "a\0"}, 1240003, ""),
    ],
)
def test_what_is_refused(ask: Any, name: str, body: dict[str, Any], code: int, words: str) -> None:
    """With the code and the value; the script stays as it is."""
    first = made(ask)
    given: dict[str, Any] = {"script_id": first["script_id"]}
    if name == "create_script":
        given = {"name": uuid.uuid4().hex, "script_language": 1, "content": "YQ==", "version": "1"}
    if name == "disable_script_version":
        given["script_version_id"] = first["id"]
    taken = {key: first["name"] if value == MISSING else value for key, value in body.items()}
    reply = ask(name, **{**given, **taken})
    assert (reply["code"], words in reply["message"]) == (code, True), reply
    assert ask("get_script_version_detail", id=first["id"])["data"] == first


def test_a_script_too_large(world: World, real: Real) -> None:
    """16 MiB, as a MEDIUMTEXT of JOB's; nothing is stored."""
    content = "YWFh" * (16_777_216 // 3) + "YWFh"
    body = {**SCOPE, "name": "large", "script_language": 1, "content": content, "version": "1"}
    reply = real.job.v3("create_script", body)
    assert (reply["code"], "content" in reply["message"]) == (1240003, True)
    assert real.job.v3("create_script", {**body, "content": "YQ=="})["code"] == 0


def test_who_may_change_public_scripts(world: World) -> None:
    """Applications with all scopes; any application reads and runs them."""
    body = {"name": uuid.uuid4().hex, "script_language": 1, "content": "YQ==", "version": "1"}
    public = world.job.v3("create_public_script", body)["data"]
    name = f"some-{uuid.uuid4().hex[:6]}"
    secret = Applications(world.stores.apps, StoppedClock()).create(
        name, act_as_any_user=True, scopes=frozenset({Scope("biz", "1")})
    )
    some = JobClient(world.http, {"bk_app_code": name, "bk_app_secret": secret, "bk_username": "ann"})
    one = {"script_id": public["script_id"], "script_version_id": public["id"]}
    for api, fields in (
        ("create_public_script", {**body, "name": "other"}),
        ("create_public_script_version", {**one, "content": "YQ==", "version": "2"}),
        ("update_public_script_basic", {**one, "name": "mine"}),
        ("update_public_script_version", {**one, "content": "Yg=="}),
        ("publish_public_script_version", one),
        ("disable_public_script_version", one),
        ("delete_public_script_version", one),
        ("delete_public_script", one),
    ):
        assert some.v3(api, fields)["code"] == 9900403
    assert some.v3("get_public_script_version_detail", {"id": public["id"]})["data"] == public
    assert some.v3("get_public_script_list", {})["code"] == 0
    assert some.v3("get_public_script_version_list", one)["data"]["total"] == 1


def test_launches_of_public_scripts(real: Real) -> None:
    """By script and by version, v3 and v2; the step's detail says script_type 3."""
    version = real.catalog.create_script(
        PUBLIC, user="admin", name="everywhere", language=1, content="echo all", version="1"
    )
    real.catalog.publish_script_version(
        PUBLIC, user="admin", script_id=version.script_id, script_version_id=version.id
    )
    types = {}
    for script_type, script in (
        (3, {"script_id": version.script_id}),
        (3, {"script_version_id": version.id}),
        (2, {"script_version_id": real.script_version_id}),
    ):
        body = bodies.v3("fast_execute_script", script_content=None, script_language=None, **script)
        launched = real.job.v3("fast_execute_script", body)["data"]
        ids = {name: launched[name] for name in ("job_instance_id", "step_instance_id")}
        info = real.job.v3("get_step_instance_detail", {**SCOPE, **ids})["data"]["script_info"]
        types[script_type] = (info["script_type"], info["script_content"], info["script_id"])
    assert types[3] == (3, "echo all", version.script_id)
    assert types[2] == (2, "echo hello $1", real.script_id)
    body = bodies.v2("fast_execute_script", script_content=None, script_type=None, script_id=version.id)
    assert real.job.v2("fast_execute_script", body)["code"] == 0
