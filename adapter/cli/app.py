"""`adapter app`: the applications that may call."""

from __future__ import annotations

import json
from pathlib import Path

import click

from adapter.cli.stores import opened, store_options
from adapter.clock import SystemClock
from adapter.job.model import Scope
from adapter.service.applications import Applications


def _scopes(
    _context: click.Context, _option: click.Parameter, texts: tuple[str, ...]
) -> frozenset[Scope] | None:
    scopes = set()
    for text in texts:
        kind, _, scope_id = text.partition(":")
        if kind not in ("biz", "biz_set") or not scope_id.strip():
            raise click.BadParameter(f"{text!r} is no scope; write biz:ID or biz_set:ID")
        scopes.add(Scope(kind, scope_id))
    return frozenset(scopes) or None


_scope_option = click.option(
    "--scope",
    "scopes",
    multiple=True,
    callback=_scopes,
    help="A business the app may use, biz:ID or biz_set:ID; may be given again. [default: all]",
)
_acting_option = click.option(
    "--act-as-any-user/--no-act-as-any-user",
    default=None,
    help="Whether a user's name (bk_username) from this app is believed without a token. [default: no]",
)


@click.group("app")
def app_group() -> None:
    """Applications that may call the API."""


@app_group.command("create")
@click.argument("code")
@_scope_option
@_acting_option
@click.option("--rotate", is_flag=True, help="The app exists: give it a new secret, and what else is given.")
@store_options
def create(
    *,
    code: str,
    scopes: frozenset[Scope] | None,
    act_as_any_user: bool | None,
    rotate: bool,
    data_dir: Path | None,
    database_url: str | None,
) -> None:
    """Register the application CODE and print its secret, which is not shown again."""
    with opened(data_dir, database_url) as stores:
        applications = Applications(stores.apps, SystemClock())
        if rotate:
            secret = applications.rotate(code, scopes=scopes, act_as_any_user=act_as_any_user)
        elif stores.apps.get(code) is not None:
            raise click.ClickException(f"APP Code [{code}] already exists; --rotate gives it a new secret")
        else:
            secret = applications.create(code, scopes=scopes, act_as_any_user=bool(act_as_any_user))
    click.echo(json.dumps({"bk_app_code": code, "bk_app_secret": secret}))


@app_group.command("update")
@click.argument("code")
@_scope_option
@_acting_option
@store_options
def update(
    *,
    code: str,
    scopes: frozenset[Scope] | None,
    act_as_any_user: bool | None,
    data_dir: Path | None,
    database_url: str | None,
) -> None:
    """Change what the application CODE may do; its secret stays. Scopes given replace those it had."""
    with opened(data_dir, database_url) as stores:
        app = Applications(stores.apps, SystemClock()).update(
            code, scopes=scopes, act_as_any_user=act_as_any_user
        )
    names = None if app.scopes is None else sorted(f"{scope.type}:{scope.id}" for scope in app.scopes)
    click.echo(json.dumps({"bk_app_code": code, "scopes": names, "act_as_any_user": app.act_as_any_user}))
