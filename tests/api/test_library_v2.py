"""v2's lists and details of scripts and accounts; what the service says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter import __version__
from adapter.config import Settings
from adapter.job.model import PUBLIC, Scope, ScriptVersion
from adapter.store.opening import open_store

from .conftest import StoppedClock
from .real import Real, build

BIZ = Scope("biz", "1")


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Real]:
    """An application over real use cases; there is a script [hello] in business 1."""
    stores = open_store(Settings(data_dir=tmp_path))
    yield build(stores, StoppedClock(), Settings(data_dir=tmp_path))
    stores.close()


def published(real: Real, scope: Scope, name: str, language: int = 1) -> ScriptVersion:
    """A script with an online version."""
    version = real.catalog.create_script(
        scope, user="ann", name=name, language=language, content=f"echo {name}", version="1"
    )
    return real.catalog.publish_script_version(
        scope, user="ann", script_id=version.script_id, script_version_id=version.id
    )


def listed(real: Real, name: str, **body: Any) -> Any:
    """What a list answers."""
    reply = real.job.v2(name, body)
    assert reply["code"] == 0, reply
    return reply["data"]


def test_lists_of_scripts(real: Real) -> None:
    """Online versions by part of the name and language; public ones are in lists of their own, for any business."""
    python = published(real, BIZ, "snake", language=4)
    public = published(real, PUBLIC, "all")
    page = listed(real, "get_script_list", bk_biz_id=1, script_name="SNA", script_type="4", length=10)
    (row,) = page.pop("data")
    assert page == {"start": 0, "page_size": 10, "total_record_size": 1}
    assert row.pop("create_time").startswith("20")
    assert row.pop("last_modify_time").startswith("20")
    assert row == {
        "id": python.id,
        "name": "snake",
        "version": "1",
        "tag": "",
        "type": 4,
        "public": False,
        "bk_scope_type": "biz",
        "bk_scope_id": "1",
        "bk_biz_id": 1,
        "content": None,
        "creator": "ann",
        "last_modify_user": "ann",
    }
    assert [item["name"] for item in listed(real, "get_script_list", bk_biz_id=1)["data"]] != []
    for name, body in (("get_public_script_list", {}), ("get_script_list", {"is_public": "true"})):
        (row,) = listed(real, name, return_script_content=True, **body)["data"]
        found = (row["id"], row["public"], row["bk_biz_id"], row["content"])
        assert found == (public.id, True, None, "echo all")
    assert listed(real, "get_script_list", bk_biz_id=2)["data"] == []


def test_everything_without_a_length(real: Real) -> None:
    """Or with 0; a start alone skips; with the text at most 1000 come at once."""
    for number in range(25):
        published(real, PUBLIC, f"s{number}")
    for body in ({}, {"length": 0}):
        page = listed(real, "get_public_script_list", **body)
        assert (len(page["data"]), page["page_size"], page["total_record_size"]) == (25, 25, 25)
    names = {item["name"] for item in listed(real, "get_public_script_list")["data"]}
    pages = [listed(real, "get_public_script_list", start=start, length=10)["data"] for start in (0, 10, 20)]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert {item["name"] for page in pages for item in page} == names
    assert len(listed(real, "get_public_script_list", start=20)["data"]) == 5
    page = listed(real, "get_public_script_list", length=9999, return_script_content=1)
    assert page["page_size"] == 1000


def test_the_detail_of_a_script(real: Real) -> None:
    """By a version's id: of the business, or public without one; the script's text is in it."""
    public = published(real, PUBLIC, "all")
    assert real.job.v2("get_script_detail", {"id": public.id})["data"]["content"] == "echo all"
    own = {"id": real.script_version_id, "bk_biz_id": 1}
    assert real.job.v2("get_script_detail", own)["data"]["name"] == "hello"
    assert real.job.v2("get_script_detail", {**own, "id": public.id})["data"]["public"] is True


@pytest.mark.parametrize(
    ("name", "body", "code", "words"),
    [
        ("get_script_detail", {"bk_biz_id": 1}, 1241007, "id"),
        ("get_script_detail", {"bk_biz_id": 1, "id": 0}, 1241007, "id"),
        ("get_script_detail", {"bk_biz_id": 1, "id": 999}, 1243047, "999"),
        ("get_script_detail", {"bk_biz_id": 2, "id": 1}, 1243001, "biz_2"),
        ("get_script_detail", {"id": 1}, 1243001, "1"),
        ("get_script_list", {}, 1240003, "bk_biz_id"),
        ("get_script_list", {"bk_biz_id": 1, "script_type": 7}, 1241007, "7"),
        ("get_script_list", {"bk_biz_id": 1, "is_public": "perhaps"}, 1240003, "is_public"),
        ("get_public_script_list", {"script_type": -1}, 1241007, "script_type"),
        ("get_public_script_list", {"script_name": "\0"}, 1240003, "name"),
        ("get_os_account", {}, 1240003, "bk_biz_id"),
    ],
)
def test_what_is_refused(real: Real, name: str, body: dict[str, Any], code: int, words: str) -> None:
    """With code and value."""
    reply = real.job.v2(name, body)
    assert (reply["code"], words in reply["message"]) == (code, True), reply


def test_accounts(real: Real) -> None:
    """All of systems; of databases those that the caller may run SQL as."""
    (root,) = listed(real, "get_os_account", bk_biz_id=1)
    assert root.pop("create_time").startswith("20")
    scope = {"bk_scope_type": "biz", "bk_scope_id": "1", "bk_biz_id": 1}
    names = {"account": "root", "alias": "root", "os": "Linux", "creator": "admin"}
    assert root == {"id": real.account_id, **names, **scope}
    database = [{"db_account_id": real.db_account_id, "db_alias": "app"}]
    assert listed(real, "get_own_db_account_list", bk_biz_id=1) == database
    assert listed(real, "get_own_db_account_list", bk_biz_id=1, start=1) == []
    assert listed(real, "get_own_db_account_list", bk_biz_id=1, length=1) == database
    assert listed(real, "get_own_db_account_list", bk_biz_id=2) == []
    assert listed(real, "get_os_account", bk_biz_id=2)[0]["id"] != real.account_id


def test_what_the_service_says_of_itself(real: Real) -> None:
    """Its version; and that nobody is notified, whatever triggers a job."""
    version = real.job.v3("get_latest_service_version", {})
    assert version["data"] == {"version": __version__}
    reply = real.job.v3("get_notify_config", {"bk_scope_type": "biz", "bk_scope_id": "1"})
    policies = reply["data"]
    assert [item["trigger_type"] for item in policies] == ["PAGE_EXECUTE", "API_INVOKE", "TIMER_TASK"]
    for policy in policies:
        assert (policy["role_list"], policy["extra_observer_list"]) == ([], [])
        assert policy["resource_status_channel_map"] == {"READY": {}, "SUCCESS": {}, "FAIL": {}}
    assert real.job.v3("get_notify_config", {})["code"] == 1240003
