"""What the commands that change something leave in the audit log, and how it is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.cli.apply import apply_command
from adapter.cli.audit_log import audit_log
from adapter.cli.permission import permission_group
from adapter.job.audit_log import AuditEntry, AuditFilter, objects_of
from adapter.store.audit_log import AuditLogStore
from adapter.store.database import migrate, open_database

from .conftest import World
from .test_applications import run_app, run_token


def read(world: World, *arguments: str) -> Result:
    """`adapter audit-log`."""
    return CliRunner().invoke(audit_log, [*arguments, "--data-dir", str(world.data_dir)])


def entries(world: World, *arguments: str) -> list[dict[str, Any]]:
    """What it prints, line by line, the newest first."""
    result = read(world, "--json", *arguments)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(autouse=True)
def ann(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who types, and whom they became."""
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    monkeypatch.setenv("SUDO_USER", "ann")


def test_every_command_that_changes_something(world: World, tmp_path: Path) -> None:
    """By whom of the operating system, to what, with which end; and no secret."""
    data = ("--data-dir", str(world.data_dir))
    secret = json.loads(run_app(world.data_dir, "create", "new", "--action", "view").stdout)["bk_app_secret"]
    run_app(world.data_dir, "create", "new", "--rotate")
    run_app(world.data_dir, "update", "new", "--scope", "biz:3", "--account", "none")
    token = json.loads(run_token(world.data_dir, "create", "--app", "new", "--user", "tom").stdout)[
        "access_token"
    ]
    run_token(world.data_dir, "withdraw", "--app", "new")
    permission = ["--app", "new", "--user", "*", "--scope", "biz:2", *data]
    CliRunner().invoke(permission_group, ["set", *permission])
    CliRunner().invoke(permission_group, ["remove", *permission])
    file = tmp_path / "f.yml"
    file.write_text("scope: {type: biz, id: 2}\naccounts: [{account: root}]")
    CliRunner().invoke(apply_command, ["-f", str(file), *data])
    found = entries(world)
    assert [entry["api"].removeprefix("adapter ") for entry in reversed(found)] == [
        "app create",
        "app create --rotate",
        "app update",
        "token create",
        "token withdraw",
        "permission set",
        "permission remove",
        "apply",
    ]
    assert {(one["user"], one["verified_by"], one["code"]) for one in found} == {
        ("root (sudo: ann)", "cli", 0)
    }
    assert {one["app_code"] for one in found} == {"new", ""}
    assert "created account [root]" in found[0]["objects"]["changes"]
    assert found[5]["objects"] == {"accounts": "none", "scopes": "biz:3"}
    assert found[4]["objects"]["user"] == "tom"
    said = read(world).stdout + json.dumps(found)
    assert secret not in said
    assert token not in said


def test_a_command_that_fails(world: World) -> None:
    """Is there with its code: it was tried."""
    run_token(world.data_dir, "create", "--app", "ghost", "--user", "tom")
    (entry,) = entries(world)
    assert (entry["app_code"], entry["code"]) == ("ghost", 1241005)


def test_looking_leaves_nothing(world: World) -> None:
    """Lists change nothing."""
    run_token(world.data_dir, "list")
    assert entries(world) == []
    assert read(world).stdout == ""


def test_which_entries(world: World) -> None:
    """By application, API, code and time; the newest."""
    for code in ("one", "two"):
        run_app(world.data_dir, "create", code)
    run_token(world.data_dir, "create", "--app", "ghost", "--user", "x")
    assert [one["app_code"] for one in entries(world, "--api", "app create")] == ["two", "one"]
    assert [one["app_code"] for one in entries(world, "--app", "one")] == ["one"]
    assert [one["app_code"] for one in entries(world, "--code", "1241005")] == ["ghost"]
    assert len(entries(world, "--most", "1")) == 1
    assert len(entries(world, "--since", "1h")) == 3
    assert entries(world, "--since", "2999-01-01T00:00") == []
    assert entries(world, "--user", "nobody") == entries(world, "--scope", "biz:7") == []
    assert "no scope" in read(world, "--scope", "7").output
    (line, *_) = read(world, "--app", "two").stdout.splitlines()
    assert "two/root (sudo: ann) by cli" in line
    assert "code 0" in line


def test_only_names_of_things_are_kept() -> None:
    """Nothing that is nested, nothing long, nothing that a terminal would obey."""
    values = {
        "id": 7,
        "name": "a\x1b[31m\n" + "b" * 200,
        "account": {"password": "x"},
        "status": True,
        "script": "y",
    }
    found = objects_of(values)
    assert set(found) == {"id", "name"}
    assert str(found["name"]).startswith("a?[31m?b")
    assert len(str(found["name"])) == 128


def test_entries_are_the_same_on_both_databases(each_database: str, tmp_path: Path) -> None:
    """Begun, completed once, found, and forgotten from the oldest on."""
    engine = open_database(each_database)
    migrate(engine, tmp_path / "lock")
    store = AuditLogStore(engine)
    entry = AuditEntry(create_time=5, api="ä%_", action="manage", scope="biz:2", objects={"name": "網"})
    first = store.add(entry)
    store.end(first, 0, 7, {"id": 1})
    store.end(first, 9, 9, {"id": 2})
    second = store.add(AuditEntry(create_time=3, api="b", action="manage", code=1))
    (found,) = store.of(AuditFilter(scope="biz:2", api="%_"))
    assert (found.code, found.end_time, dict(found.objects)) == (0, 7, {"id": 1})
    assert [one.id for one in store.of(AuditFilter())] == [second, first]
    assert [one.id for one in store.of(AuditFilter(before=second))] == [first]
    assert store.of(AuditFilter(before=2**80))[0].id == second
    assert store.delete_before(6, 1) == 1
    assert [one.id for one in store.of(AuditFilter())] == [first]
    engine.dispose()
