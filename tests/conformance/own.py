"""This service, started on hosts that are this machine, with all that rows may name."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.conformance.profile import Profile, of
from tests.conformance.values import filled, load
from tests.support.service import Credentials, Service

_HERE = Path(__file__).parent
_INVENTORY = _HERE / "own_hosts.yml"
_DEFINITIONS = _HERE / "own_definitions.yml"


@contextmanager
def own_service(directory: Path) -> Iterator[Profile]:
    """The profile of a service that runs until the end of the block, on a data directory."""
    service = Service(
        data_dir=directory / "data", inventory=_INVENTORY, environment={"ORDERS_PASSWORD": "of a row"}
    )
    user = getpass.getuser()
    credentials = service.new_credentials("conformance", "--act-as-any-user")
    withdrawn = _withdrawn(service, credentials)
    service.apply(yaml.safe_dump(filled(load(_DEFINITIONS), {"account": user})))
    service.start()
    app = {name: value for name, value in credentials.in_body().items() if name != "bk_token"}
    who = {f"as_{name}": {**app, "bk_username": name} for name in ("viewer", "nobody", "other_account")}
    try:
        values = {**_VALUES, **who, "as_withdrawn": {**app, "bk_token": withdrawn}}
        yield of(service.url, {**values, "account": user, "credentials": credentials.in_body()})
    finally:
        service.stop()


def _withdrawn(service: Service, credentials: Credentials) -> str:
    """A token that counts no more."""
    of_ann = ("--app", credentials.app_code, "--user", "ann")
    token = json.loads(service.command("token", "create", *of_ann).stdout)
    service.command("token", "withdraw", *of_ann)
    return str(token["access_token"])


_VALUES: dict[str, Any] = {
    "host": 1,
    "ip": "127.0.0.1",
    "hosts": [1, 2, 3],
    "host_2": 2,
    "ip_2": "127.0.0.2",
    "host_away": 8,
    "host_elsewhere": 9,
    "scope_elsewhere": "3",
    "biz_set": "9",
    "group": "all",
    "empty_group": "none",
    "node": 1,
    "node_type": "module",
    "plan": 1,
    "plan_step": 1,
    "plan_variable": "GREETING",
    "template": 1,
    "plan_asks": 2,
    "plan_asks_another": 3,
    "plan_parts": 4,
    "plan_variables": 5,
    "plan_files": 6,
    "account_in_use": 1,
    "db_account": 2,
    "script_in_use": "used",
    "may_make_rules": True,
    "directory": "/tmp/job-conformance",
}
