"""`adapter token`: tokens that stand for a user of an application."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from adapter.cli.audit_log import recorded
from adapter.cli.durations import duration
from adapter.cli.stores import opened, store_options
from adapter.clock import SystemClock
from adapter.service.applications import Applications
from adapter.service.tokens import Tokens
from adapter.store.apps import token_id as id_of
from adapter.store.secrets import hash_secret
from adapter.store.tokens import StoredToken, TokenStore


@click.group("token")
def token_group() -> None:
    """Access tokens of users."""


@token_group.command("create")
@click.option("--app", "app_code", required=True, help="The application's code.")
@click.option("--user", required=True, help="The user it acts for with this token.")
@click.option(
    "--expires",
    "lasts_ms",
    callback=duration,
    default="180d",
    show_default=True,
    help="How long it is good: 90s, 10m, 2h, 30d, or never.",
)
@store_options
def create(
    app_code: str, user: str, lasts_ms: int | None, data_dir: Path | None, database_url: str | None
) -> None:
    """Make an access token and print it; it is not shown again."""
    with (
        opened(data_dir, database_url) as stores,
        recorded(stores, "token create", {"user": user}, app_code=app_code) as recording,
    ):
        token = Applications(stores.apps, SystemClock()).create_token(app_code, user, lasts_ms=lasts_ms)
        recording.objects["token_id"] = id_of(hash_secret(token))
    click.echo(json.dumps({"access_token": token}))


@token_group.command("list")
@click.option("--app", "app_code", help="Of one application.")
@click.option("--user", help="Of one user.")
@store_options
def list_tokens(
    app_code: str | None, user: str | None, data_dir: Path | None, database_url: str | None
) -> None:
    """Print all tokens, one JSON object a line: whose they are and how long they are good, not the tokens."""
    clock = SystemClock()
    with opened(data_dir, database_url) as stores:
        for token in TokenStore(stores.engine).of(app_code, user):
            click.echo(json.dumps(_shown(token, clock.now_ms()), ensure_ascii=False))


@token_group.command("withdraw")
@click.argument("token_id", required=False)
@click.option("--app", "app_code", help="All tokens of an application …")
@click.option("--user", help="… or of its user.")
@store_options
def withdraw(
    token_id: str | None,
    app_code: str | None,
    user: str | None,
    data_dir: Path | None,
    database_url: str | None,
) -> None:
    """From now on the token of that id (`adapter token list`) is refused, or all of an application or its user."""
    if bool(token_id) == bool(app_code) or (user and not app_code):
        raise click.UsageError("give a token's id, or --app with or without --user")
    told = {name: value for name, value in (("token_id", token_id), ("user", user)) if value}
    with (
        opened(data_dir, database_url) as stores,
        recorded(stores, "token withdraw", told, app_code=app_code or "") as recording,
    ):
        tokens = Tokens(TokenStore(stores.engine), SystemClock())
        found = tokens.withdraw(token_id) if token_id else tokens.withdraw_all(app_code or "", user)
        recording.objects["withdrawn"] = len(found)
    click.echo(json.dumps({"withdrawn": found}))


def _shown(token: StoredToken, now_ms: int) -> dict[str, Any]:
    times = {
        "create_time": token.create_time,
        "expire_time": token.expire_time,
        "withdraw_time": token.withdraw_time,
    }
    return {
        "id": token.id,
        "bk_app_code": token.app_code,
        "user": token.user,
        "state": token.state(now_ms),
        **{name: None if value is None else _time(value) for name, value in times.items()},
    }


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
