"""`adapter permission`: what users of an application may do, where that is less than the application may."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from adapter.cli.audit_log import recorded
from adapter.cli.rights import account_option, action_option, actions_of, names_of, scopes_of, shown
from adapter.cli.stores import opened, store_options
from adapter.job.model import Scope
from adapter.service.permissions import Permissions
from adapter.store.permissions import PermissionStore, UserPermission

_app_option = click.option("--app", "app_code", required=True, help="The application's code.")
_user_option = click.option(
    "--user", required=True, help="The user; * for every user who has no permission of their own."
)
_scope_option = click.option(
    "--scope",
    "scopes",
    multiple=True,
    help="Where: biz:ID or biz_set:ID; may be given again; all. [default: all]",
)


@click.group("permission")
def permission_group() -> None:
    """What users may do. A user without a permission may what the application may."""


@permission_group.command("set")
@_app_option
@_user_option
@_scope_option
@action_option("all")
@account_option("all")
@store_options
def set_permission(
    *,
    app_code: str,
    user: str,
    scopes: tuple[str, ...],
    actions: tuple[str, ...],
    accounts: tuple[str, ...],
    data_dir: Path | None,
    database_url: str | None,
) -> None:
    """Allow the user this in these businesses, in place of what was registered for them there.

    From then on the user may nothing anywhere else. `--action none` allows nothing.
    """
    wanted = [
        UserPermission(
            app_code=app_code,
            user=user,
            scope=scope,
            actions=actions_of(actions or ("all",)),
            accounts=names_of(accounts or ("all",)),
        )
        for scope in _places(scopes)
    ]
    told = {"of_user": user, "scopes": _told(scopes), "actions": _told(actions), "accounts": _told(accounts)}
    with (
        opened(data_dir, database_url) as stores,
        recorded(stores, "permission set", told, app_code=app_code),
        stores.engine.begin() as connection,
    ):
        Permissions(stores.apps, PermissionStore(connection)).set(wanted)
    for one in wanted:
        click.echo(json.dumps(_shown(one), ensure_ascii=False))


@permission_group.command("remove")
@_app_option
@_user_option
@_scope_option
@store_options
def remove(
    *,
    app_code: str,
    user: str,
    scopes: tuple[str, ...],
    data_dir: Path | None,
    database_url: str | None,
) -> None:
    """Forget what is registered for the user there. With the last of them the user may what the application may."""
    told = {"of_user": user, "scopes": _told(scopes)}
    with (
        opened(data_dir, database_url) as stores,
        recorded(stores, "permission remove", told, app_code=app_code),
        stores.engine.begin() as connection,
    ):
        Permissions(stores.apps, PermissionStore(connection)).remove(app_code, user, _places(scopes))


@permission_group.command("list")
@click.option("--app", "app_code", help="Of one application.")
@store_options
def list_permissions(app_code: str | None, data_dir: Path | None, database_url: str | None) -> None:
    """Print all permissions of users, one JSON object a line; null is everything."""
    with opened(data_dir, database_url) as stores:
        for one in PermissionStore(stores.engine).list(app_code):
            click.echo(json.dumps(_shown(one), ensure_ascii=False))


def _told(texts: tuple[str, ...]) -> str:
    return " ".join(texts) or "all"


def _places(texts: tuple[str, ...]) -> list[Scope | None]:
    scopes = scopes_of(texts or ("all",))
    return [None] if scopes is None else [*sorted(scopes)]


def _shown(one: UserPermission) -> dict[str, Any]:
    return {
        "bk_app_code": one.app_code,
        "user": one.user,
        "scope": None if one.scope is None else one.scope.text,
        "actions": shown(one.actions),
        "accounts": shown(one.accounts),
    }
