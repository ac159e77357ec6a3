"""The v3 APIs about dangerous rules, all the way to the database, and what they do to a launch."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.config import Settings
from adapter.job.model import Scope
from adapter.service.applications import Applications
from adapter.store.opening import open_store

from .bodies import v3
from .client import JobClient
from .conftest import StoppedClock
from .real import Real, build

LIMITED: list[JobClient] = []  # the same for an application with one business
RULE = {"expression": r"rm\s+-rf", "script_language_list": [1, 4], "action": 2, "description": "no!"}


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Real]:
    settings = Settings(data_dir=tmp_path)
    stores = open_store(settings)
    found = build(stores, StoppedClock(), settings)
    secret = Applications(stores.apps, StoppedClock()).create(
        "limited", scopes=frozenset({Scope("biz", "1")}), act_as_any_user=True
    )
    limited = {"bk_app_code": "limited", "bk_app_secret": secret, "bk_username": "eve"}
    LIMITED.append(JobClient(found.job.http, limited))
    yield found
    LIMITED.clear()
    stores.close()


def ok(reply: dict[str, Any]) -> Any:
    assert reply["code"] == 0, reply
    return reply["data"]


def encoded(script: str) -> str:
    return base64.b64encode(script.encode()).decode()


def launch(real: Real, script: str) -> dict[str, Any]:
    body = v3("fast_execute_script", script_content=encoded(script), script_language=1, bk_scope_id="1")
    body = {**body, "account_id": real.account_id, "script_version_id": None, "script_id": None}
    return real.job.v3("fast_execute_script", {name: value for name, value in body.items() if value})


def test_the_life_of_a_rule(real: Real) -> None:
    """Made, enabled, enforced, changed, disabled, deleted."""
    made = ok(real.job.v3("create_dangerous_rule", RULE))
    rule_id = made["id"]
    assert made == {
        **RULE,
        "id": rule_id,
        "status": 0,
        "creator": "admin",
        "create_time": made["create_time"],
        "last_modify_user": "admin",
        "last_modify_time": made["create_time"],
    }
    assert launch(real, "rm -rf /")["code"] == 0
    assert ok(real.job.v3("enable_dangerous_rule", {"id": rule_id})) == {"id": rule_id, "status": 1}
    refused = launch(real, "true\nrm -rf /")
    assert refused["code"] == 1244019
    assert "[line:2][content:rm -rf /] - no!" in refused["message"]
    body = {"script_language": 1, "content": encoded("rm -rf /")}
    assert ok(real.job.v3("check_script", body)) == [
        {"line": 1, "line_content": "rm -rf /", "match_content": "rm -rf", "level": 3, "description": "no!"}
    ]
    assert ok(real.job.v3("check_script", {**body, "script_language": 3})) == []
    both = {"script_language": 1, "content": encoded("rm -rf /\nif true\nfi")}
    assert [(one["line"], one["level"]) for one in ok(real.job.v3("check_script", both))] == [(1, 3), (3, 2)]
    changed = ok(real.job.v3("update_dangerous_rule", {**RULE, "id": rule_id, "action": 1}))
    assert (changed["action"], changed["status"]) == (1, 1)
    assert launch(real, "rm -rf /")["code"] == 0
    assert ok(real.job.v3("get_dangerous_rule_list", {"script_language_list": [4]})) == [changed]
    assert ok(real.job.v3("get_dangerous_rule_list", {"action": 2})) == []
    assert ok(real.job.v3("disable_dangerous_rule", {"id": rule_id})) == {"id": rule_id, "status": 0}
    assert ok(real.job.v3("delete_dangerous_rule", {"id": rule_id})) is None
    assert ok(real.job.v3("get_dangerous_rule_list", {})) == []


@pytest.mark.parametrize(
    ("name", "changes", "code"),
    [
        ("create_dangerous_rule", {"expression": ""}, 1240003),
        ("create_dangerous_rule", {"expression": "("}, 1240003),
        ("create_dangerous_rule", {"expression": "x" * 251}, 1240003),
        ("create_dangerous_rule", {"script_language_list": []}, 1240003),
        ("create_dangerous_rule", {"script_language_list": ["x"]}, 1240003),
        ("create_dangerous_rule", {"script_language_list": [1] * 100_001}, 1240003),
        ("create_dangerous_rule", {"action": 3}, 1240003),
        ("create_dangerous_rule", {"action": None}, 1240003),
        ("update_dangerous_rule", {}, 1240003),
        ("update_dangerous_rule", {"id": 7}, 1241005),
        ("enable_dangerous_rule", {"id": 2**63 - 1}, 1241005),
        ("disable_dangerous_rule", {"id": 2**64}, 1240003),
        ("delete_dangerous_rule", {"id": 7}, 0),
        ("check_script", {"script_language": 7, "content": "YQ=="}, 1241005),
        ("check_script", {"script_language": 1}, 1240003),
    ],
)
def test_bad_requests(real: Real, name: str, changes: dict[str, Any], code: int) -> None:
    """Each has its code, and leaves no rule."""
    assert real.job.v3(name, {**RULE, **changes})["code"] == code
    assert ok(real.job.v3("get_dangerous_rule_list", {})) == []


def test_the_same_rule_twice(real: Real) -> None:
    """1243056, as in JOB."""
    ok(real.job.v3("create_dangerous_rule", RULE))
    assert real.job.v3("create_dangerous_rule", RULE)["code"] == 1243056


def test_who_has_not_every_business_has_no_rules(real: Real) -> None:
    """What holds for all is not for one to see or change; checking a script is for everybody."""
    limited = LIMITED[0]
    for name in ("create", "update", "enable", "disable", "delete"):
        reply = limited.v3(f"{name}_dangerous_rule", {**RULE, "id": 1})
        assert reply["code"] == 9900403
        assert reply["permission"]["actions"][0]["id"] == "high-risk_detect_rule"
    assert limited.v3("get_dangerous_rule_list", {})["code"] == 9900403
    assert ok(limited.v3("check_script", {"script_language": 1, "content": "YQ=="})) == []
