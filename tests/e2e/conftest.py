"""One lab and one service for each test process, and services of their own for tests that kill them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.lab import Lab, start_lab
from tests.support.service import Service

NewService = Callable[..., Service]

_ACCOUNTS = """
scope: {{type: biz, id: "{biz}"}}
accounts:
  - {{alias: root, account: root}}
  - {{alias: job, account: job}}
"""


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """Six hosts: 101 to 103 in business 1, 104 to 106 in business 2; 199 is down; 106 has no Python."""
    with start_lab(6) as running:
        yield running


def _started(service: Service) -> Service:
    service.start()
    service.new_credentials("esb_test", "--act-as-any-user")
    for biz in (1, 2):
        service.apply(_ACCOUNTS.format(biz=biz))
    return service


@pytest.fixture(scope="session")
def service(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service with credentials and the accounts `root` and `job` in both businesses. Never kill it."""
    running = Service(data_dir=tmp_path_factory.mktemp("service") / "data", inventory=lab.inventory)
    try:
        yield _started(running)
    finally:
        running.stop()


@pytest.fixture
def fresh_service(lab: Lab, tmp_path: Path) -> Iterator[NewService]:
    """Makes services as `service` is, each over a data directory of its own; they are stopped afterwards.

    fresh_service("--max-log-bytes", "1000", environment={...}, inventory=path)
    """
    made: list[Service] = []
    numbers = itertools.count(1)

    def new(
        *options: str, environment: Mapping[str, str] | None = None, inventory: Path | None = None
    ) -> Service:
        fresh = Service(
            data_dir=tmp_path / f"data{next(numbers)}",
            inventory=inventory or lab.inventory,
            options=options,
            environment=environment or {},
        )
        made.append(fresh)
        return _started(fresh)

    yield new
    for fresh in made:
        fresh.stop()
