"""Accounts over the API: changed, deleted, listed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from .conftest import World

SCOPE = {"bk_scope_type": "biz", "bk_scope_id": "1"}


def made(world: World, **fields: Any) -> dict[str, Any]:
    """A new account."""
    body = {**SCOPE, "account": "root", "type": 1, "category": 1, "alias": uuid.uuid4().hex, **fields}
    reply = world.job.v3("create_account", body)
    assert reply["code"] == 0, reply
    return dict(reply["data"])


def test_the_life_of_an_account(world: World) -> None:
    """Changed in what is given, then deleted; no reply has the password."""
    account = made(world, password="hunter2")
    body = {**SCOPE, "id": str(account["id"]), "password": "hunter3", "description": "d"}
    reply = world.job.v3("update_account", body)
    assert reply["data"] == {**account, "description": "d"}
    assert "hunter" not in str(reply)
    alias = uuid.uuid4().hex
    world.job.v3("update_account", {**SCOPE, "id": account["id"], "alias": alias})
    page = world.job.v3("get_account_list", {**SCOPE, "alias": alias})["data"]
    assert page["data"] == [{**account, "description": "d", "alias": alias}]
    gone = world.job.v3("delete_account", {**SCOPE, "id": account["id"]})
    assert (gone["code"], gone["data"]) == (0, None)
    assert world.job.v3("get_account_list", {**SCOPE, "alias": alias})["data"]["total"] == 0


@pytest.mark.parametrize(
    ("name", "body", "code", "words"),
    [
        ("update_account", {"id": None}, 1240003, "id"),
        ("update_account", {"id": "x"}, 1240003, "id"),
        ("update_account", {"id": 999_999}, 1244003, "999999"),
        ("update_account", {"bk_scope_id": "2"}, 1244003, "ID="),
        ("update_account", {"alias": "x" * 256}, 1240003, "alias"),
        ("update_account", {"password": "x" * 118}, 1240003, "password"),
        ("update_account", {"password": "x" * 172}, 1240003, "password"),
        ("update_account", {"password": ["x"]}, 1240003, "password"),
        ("update_account", {"db_port": 1}, 1240003, "db_port"),
        ("delete_account", {"id": 0}, 1244003, "ID=0"),
        ("delete_account", {}, 1243014, "account"),
    ],
)
def test_what_is_refused(world: World, name: str, body: dict[str, Any], code: int, words: str) -> None:
    """With code and value, and never a password; the account is as it was."""
    account = made(world)
    made(world, category=2, type=9, db_system_account_id=account["id"])
    reply = world.job.v3(name, {**SCOPE, "id": account["id"], **body})
    assert (reply["code"], words in reply["message"], "xxxx" in reply["message"]) == (code, True, False)
    page = world.job.v3("get_account_list", {**SCOPE, "alias": account["alias"]})["data"]
    assert page["data"] == [account]
