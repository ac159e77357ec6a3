"""What is registered for applications and users, and what they may do then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from adapter import errors
from adapter.cli.permission import permission_group
from adapter.job.actions import Action
from adapter.job.commands import Caller
from adapter.job.model import Scope
from adapter.job.permissions import Permission
from adapter.service import access
from adapter.service.authentication import Credentials
from adapter.store import tables
from adapter.store.apps import AppStore
from adapter.store.database import migrate, open_database
from adapter.store.permissions import PermissionStore, UserPermission

from .conftest import BIZ, World
from .test_applications import run_app

OTHER = Scope("biz", "3")


def run(world: World, *arguments: str) -> Result:
    """`adapter permission …`."""
    return CliRunner().invoke(permission_group, [*arguments, "--data-dir", str(world.data_dir)])


def shown(result: Result) -> list[dict[str, Any]]:
    """What it printed, line by line."""
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def as_user(world: World, user: str) -> Caller:
    """A user whom `trusted` names."""
    return world.authentication.identify(
        Credentials(app_code="trusted", app_secret=world.trusted, username=user)
    )


def may(world: World, user: str, action: Action, scope: Scope | None) -> bool:
    """True if nothing is said against it."""
    try:
        access.require(as_user(world, user), action, [scope] if scope else [], "x")
    except errors.PermissionDenied:
        return False
    return True


def test_without_permissions_nobody_is_limited(world: World) -> None:
    """What was allowed before there were any stays allowed."""
    assert all(may(world, "ann", action, scope) for action in Action for scope in (BIZ, OTHER, None))


def test_a_permission_limits_its_user_alone(world: World) -> None:
    """To what it says, there; others may what the application may."""
    assert shown(
        run(world, "set", "--app", "trusted", "--user", "ann", "--scope", "biz:2", "--action", "view")
    ) == [{"bk_app_code": "trusted", "user": "ann", "scope": "biz:2", "actions": ["view"], "accounts": None}]
    assert may(world, "ann", Action.VIEW, BIZ)
    assert not may(world, "ann", Action.LAUNCH, BIZ)
    assert not may(world, "ann", Action.VIEW, OTHER)
    assert may(world, "bob", Action.LAUNCH, OTHER)


def test_every_user_without_one_of_their_own(world: World) -> None:
    """Is `*`; who has one is not limited by it."""
    run(world, "set", "--app", "trusted", "--user", "*", "--action", "view")
    run(world, "set", "--app", "trusted", "--user", "ann", "--action", "launch", "--action", "operate")
    assert not may(world, "bob", Action.LAUNCH, BIZ)
    assert may(world, "bob", Action.VIEW, BIZ)
    assert may(world, "ann", Action.LAUNCH, BIZ)
    assert not may(world, "ann", Action.MANAGE, BIZ)


def test_permissions_hold_however_the_user_is_known(world: World) -> None:
    """By a token as by a name."""
    run(world, "set", "--app", "plain", "--user", "ann", "--scope", "biz:2", "--action", "view")
    by_token = (
        Credentials(access_token=world.ann),
        Credentials(app_code="plain", app_secret=world.plain, bk_token=world.ann),
    )
    for credentials in by_token:
        caller = world.authentication.identify(credentials)
        access.require(caller, Action.VIEW, [BIZ], "x")
        with pytest.raises(errors.PermissionDenied):
            access.require(caller, Action.LAUNCH, [BIZ], "x")


def test_a_user_may_never_more_than_the_application(world: World) -> None:
    """`plain` has one business."""
    run(world, "set", "--app", "plain", "--user", "ann")
    caller = world.authentication.identify(Credentials(access_token=world.ann))
    assert caller.scopes == frozenset({BIZ})
    with pytest.raises(errors.PermissionDenied):
        access.require(caller, Action.VIEW, [OTHER], "x")


def test_setting_again_replaces_and_removing_gives_back(world: World) -> None:
    """Place by place."""
    ann = ("--app", "trusted", "--user", "ann")
    run(world, "set", *ann, "--scope", "biz:2", "--scope", "biz:3", "--action", "none")
    assert not may(world, "ann", Action.VIEW, BIZ)
    run(world, "set", *ann, "--scope", "biz:2", "--action", "manage", "--account", "root")
    assert may(world, "ann", Action.MANAGE, BIZ)
    assert [one["scope"] for one in shown(run(world, "list", "--app", "trusted"))] == ["biz:2", "biz:3"]
    assert shown(run(world, "list"))[0]["accounts"] == ["root"]
    assert shown(run(world, "remove", *ann, "--scope", "biz:2", "--scope", "biz:3")) == []
    assert may(world, "ann", Action.LAUNCH, OTHER)
    again = run(world, "remove", *ann)
    assert again.exit_code == 1
    assert "[ann] of APP [trusted] has no permission of their own for all businesses" in again.output


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["--app", "ghost", "--user", "ann"], "not registered"),
        (["--app", "plain", "--user", "a b"], "printable"),
        (["--app", "plain", "--user", "ann", "--scope", "2"], "no scope; write biz:ID"),
        (["--app", "plain", "--user", "ann", "--action", "fly"], "'fly' is not one of"),
        (["--app", "plain", "--user", "ann", "--account", " "], "must not be blank"),
    ],
)
def test_what_is_no_permission(world: World, changes: list[str], words: str) -> None:
    """Is refused whole: nothing is registered."""
    result = run(world, "set", *changes)
    assert result.exit_code != 0
    assert words in result.output
    assert PermissionStore(world.stores.engine).list() == ()


def test_an_application_may_be_limited_itself(world: World) -> None:
    """`adapter app update`; `all` takes it back."""
    result = run_app(
        world.data_dir, "update", "trusted", "--action", "view", "--account", "web", "--account", "ID=3"
    )
    assert json.loads(result.stdout)["accounts"] == ["ID=3", "web"]
    assert may(world, "ann", Action.VIEW, BIZ)
    assert not may(world, "ann", Action.OPERATE, BIZ)
    run_app(world.data_dir, "update", "trusted", "--action", "all", "--account", "all", "--scope", "all")
    assert as_user(world, "ann").limits.levels == ()


def test_what_is_denied_names_iams_action(world: World) -> None:
    """Of the API that was asked for, in the business that it was asked for."""
    run(world, "set", "--app", "trusted", "--user", "ann", "--action", "view")
    ann = as_user(world, "ann")
    for api, action, expected in (
        ("fast_execute_script", Action.LAUNCH, "quick_execute_script"),
        ("fast_transfer_file", Action.LAUNCH, "quick_transfer_file"),
        ("execute_job_plan", Action.LAUNCH, "launch_job_plan"),
        ("create_script", Action.MANAGE, "create_script"),
        ("update_account", Action.MANAGE, "manage_account"),
        ("operate_job_instance", Action.OPERATE, "launch_job_plan"),
    ):
        with pytest.raises(errors.PermissionDenied) as raised:
            access.require(ann, action, [BIZ], api)
        (lacking,) = raised.value.permission["actions"]
        assert lacking["id"] == expected
        (resource,) = lacking["related_resource_types"]
        assert resource["instances"] == [
            [{"type": "biz", "type_name": "Business", "id": "2", "name": "biz_2"}]
        ]
    with pytest.raises(errors.PermissionDenied) as raised:
        access.require(ann, Action.MANAGE, [], "create_public_script")
    assert raised.value.permission["actions"] == [
        {"id": "create_public_script", "name": "Create Public Script", "related_resource_types": []}
    ]


def test_what_is_stored_comes_back(each_database: str, tmp_path: Path) -> None:
    """On both databases, and is gone with its application."""
    engine = open_database(each_database)
    migrate(engine, tmp_path / "lock")
    AppStore(engine).create(code="a", secret="s", now_ms=1)
    store = PermissionStore(engine)
    wanted = UserPermission(
        app_code="a", user="ä", scope=None, actions=frozenset({Action.VIEW}), accounts=frozenset({"網"})
    )
    store.set(wanted)
    store.set(wanted)
    assert store.list("a") == (wanted,)
    assert store.get("a", "ä", None) == wanted
    assert store.get("a", "ä", BIZ) is None
    app = AppStore(engine).get("a", "ä")
    assert app is not None
    assert app.users == (Permission(actions=wanted.actions, accounts=wanted.accounts),)
    with engine.begin() as connection:
        connection.execute(sa.delete(tables.app))
    assert store.list() == ()
    engine.dispose()
