"""This service, started on hosts that are this machine, with all that rows may name."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.conformance.profile import Profile, of
from tests.support.service import Service

_INVENTORY = Path(__file__).parent / "own_hosts.yml"


@contextmanager
def own_service(directory: Path) -> Iterator[Profile]:
    """The profile of a service that runs until the end of the block, on a data directory."""
    service = Service(data_dir=directory / "data", inventory=_INVENTORY)
    user = getpass.getuser()
    service.apply(yaml.safe_dump(_definitions(user)))
    credentials = service.new_credentials("conformance")
    service.start()
    try:
        yield of(service.url, {**_VALUES, "account": user, "credentials": credentials.in_body()})
    finally:
        service.stop()


_VALUES: dict[str, Any] = {
    "host": 1,
    "ip": "127.0.0.1",
    "hosts": [1, 2, 3],
    "host_2": 2,
    "host_elsewhere": 9,
    "group": "all",
    "empty_group": "none",
    "node": 1,
    "node_type": "module",
    "plan": 1,
    "plan_step": 1,
    "plan_asks": 2,
    "may_make_rules": True,
    "plan_variable": "GREETING",
    "directory": "/tmp/job-conformance",
}


def _definitions(user: str) -> dict[str, Any]:
    target = {"host_id_list": [1]}
    say = {"language": 1, "content": "echo $GREETING", "timeout": 60, "account": user}
    return {
        "scope": {"type": "biz", "id": "2"},
        "accounts": [{"alias": user, "account": user, "category": 1, "type": 1}],
        "templates": [
            {
                "name": "conformance",
                "variables": [{"name": "GREETING", "type": 1, "value": "hi"}],
                "steps": [{"id": 1, "name": "say", "type": 1, "script": say, "target": target}],
                "plans": [{"id": 1, "name": "conformance"}],
            },
            {
                "name": "asks",
                "steps": [{"name": "ask", "type": 3, "approval": {"message": "Go on?", "users": ["admin"]}}],
                "plans": [{"id": 2, "name": "asks"}],
            },
        ],
    }
