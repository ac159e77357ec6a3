"""`adapter token`: tokens that stand for a user of an application."""

from __future__ import annotations

import json
from pathlib import Path

import click

from adapter.cli.stores import opened, store_options
from adapter.clock import SystemClock
from adapter.service.applications import Applications


@click.group("token")
def token_group() -> None:
    """Access tokens of users."""


@token_group.command("create")
@click.option("--app", "app_code", required=True, help="The application's code.")
@click.option("--user", required=True, help="The user it acts for with this token.")
@store_options
def create(app_code: str, user: str, data_dir: Path | None, database_url: str | None) -> None:
    """Make an access token and print it; it is not shown again."""
    with opened(data_dir, database_url) as stores:
        token = Applications(stores.apps, SystemClock()).create_token(app_code, user)
    click.echo(json.dumps({"access_token": token}))
