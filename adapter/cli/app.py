"""`adapter app`: the applications that may call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from adapter.cli.audit_log import recorded
from adapter.cli.durations import duration
from adapter.cli.rights import account_option, action_option, actions_of, names_of, scopes_of, shown
from adapter.cli.stores import opened, store_options
from adapter.clock import SystemClock
from adapter.service.applications import Applications
from adapter.store.apps import AppFields

_scope_option = click.option(
    "--scope",
    "scopes",
    multiple=True,
    help="A business the app may use, biz:ID or biz_set:ID; may be given again; all. [default: all]",
)
_acting_option = click.option(
    "--act-as-any-user/--no-act-as-any-user",
    default=None,
    help="Whether a user's name (bk_username) from this app is believed without a token. [default: no]",
)
_action_option = action_option("all")
_account_option = account_option("all")


@click.group("app")
def app_group() -> None:
    """Applications that may call the API."""


@app_group.command("create")
@click.argument("code")
@_scope_option
@_action_option
@_account_option
@_acting_option
@click.option("--rotate", is_flag=True, help="The app exists: give it a new secret, and what else is given.")
@click.option(
    "--keep-old",
    "keep_old_ms",
    callback=duration,
    help="With --rotate: how long the secret it had stays good as well, such as 24h. [default: not at all]",
)
@store_options
def create(
    *,
    code: str,
    scopes: tuple[str, ...],
    actions: tuple[str, ...],
    accounts: tuple[str, ...],
    act_as_any_user: bool | None,
    rotate: bool,
    keep_old_ms: int | None,
    data_dir: Path | None,
    database_url: str | None,
) -> None:
    """Register the application CODE and print its secret, which is not shown again."""
    if keep_old_ms and not rotate:
        raise click.UsageError("--keep-old is for --rotate")
    fields = _fields(scopes, actions, accounts, act_as_any_user)
    name = "app create --rotate" if rotate else "app create"
    with opened(data_dir, database_url) as stores, recorded(stores, name, _told(fields), app_code=code):
        applications = Applications(stores.apps, SystemClock())
        if rotate:
            secret = applications.rotate(code, keep_old_ms=keep_old_ms or 0, **fields)
        elif stores.apps.get(code) is not None:
            raise click.ClickException(f"APP Code [{code}] already exists; --rotate gives it a new secret")
        else:
            secret = applications.create(code, **fields)
    click.echo(json.dumps({"bk_app_code": code, "bk_app_secret": secret}))


@app_group.command("update")
@click.argument("code")
@_scope_option
@_action_option
@_account_option
@_acting_option
@store_options
def update(
    *,
    code: str,
    scopes: tuple[str, ...],
    actions: tuple[str, ...],
    accounts: tuple[str, ...],
    act_as_any_user: bool | None,
    data_dir: Path | None,
    database_url: str | None,
) -> None:
    """Change what the application CODE may do; its secret stays. What is given replaces what it had."""
    fields = _fields(scopes, actions, accounts, act_as_any_user)
    told = _told(fields)
    with opened(data_dir, database_url) as stores, recorded(stores, "app update", told, app_code=code):
        app = Applications(stores.apps, SystemClock()).update(code, **fields)
    may = {
        "scopes": shown(app.scopes),
        "actions": shown(app.may.actions),
        "accounts": shown(app.may.accounts),
    }
    click.echo(json.dumps({"bk_app_code": code, **may, "act_as_any_user": app.act_as_any_user}))


def _fields(
    scopes: tuple[str, ...], actions: tuple[str, ...], accounts: tuple[str, ...], act_as_any_user: bool | None
) -> AppFields:
    """What was given; the rest stays as it is, or is all there is of a new application."""
    fields: AppFields = {}
    if scopes:
        fields["scopes"] = scopes_of(scopes)
    if actions:
        fields["actions"] = actions_of(actions)
    if accounts:
        fields["accounts"] = names_of(accounts)
    if act_as_any_user is not None:
        fields["act_as_any_user"] = act_as_any_user
    return fields


def _told(fields: AppFields) -> dict[str, str]:
    """What the audit log has of it: all of it, there is nothing secret."""
    given: Mapping[str, Any] = fields
    return {name: str(value) if isinstance(value, bool) else _names(value) for name, value in given.items()}


def _names(value: frozenset[Any] | None) -> str:
    names = shown(value)
    return "all" if names is None else " ".join(names) or "none"
