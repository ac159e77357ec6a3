"""One lab and one service for each test process, and services of their own for tests that kill them."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from adapter.cli import main
from tests.e2e.jobs import Jobs
from tests.lab import Lab, start_lab
from tests.support.service import Credentials, Service

NewService = Callable[..., Service]

#: As in production connections are kept for the next exchange, but not for long after a test.
_SHORT_CONNECTIONS = {
    "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=2s -o ConnectTimeout=4",
}
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


@dataclass(frozen=True)
class Prepared:
    """A database with an application, a token and the accounts; each service begins with a copy of it."""

    data_dir: Path
    credentials: Credentials

    def started(self, service: Service) -> Service:
        """The service over its own copy. Its key is its own too: that is what tells services apart on hosts."""
        service.data_dir.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.data_dir / "adapter.db", service.data_dir)
        with contextlib.closing(sqlite3.connect(service.data_dir / "adapter.db")) as database, database:
            database.execute("DELETE FROM installation")  # which key this is; the accounts have no secrets
        service.credentials = self.credentials
        return service.start()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Made by the adapter's commands, within this process: that is what takes a second each otherwise."""
    data_dir = tmp_path_factory.mktemp("prepared")

    def adapter(*words: str) -> str:
        done = CliRunner().invoke(main, [*words, "--data-dir", str(data_dir)], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    secret = json.loads(adapter("app", "create", "esb_test", "--act-as-any-user"))["bk_app_secret"]
    token = json.loads(adapter("token", "create", "--app", "esb_test", "--user", "admin"))["access_token"]
    for biz in (1, 2):
        (data_dir / "accounts.yml").write_text(_ACCOUNTS.format(biz=biz))
        adapter("apply", "-f", str(data_dir / "accounts.yml"))
    with contextlib.closing(sqlite3.connect(data_dir / "adapter.db")) as database, database:
        # Ids below are for files that give their own: tests share a service in any order.
        database.executemany(
            "INSERT INTO sqlite_sequence (name, seq) VALUES (?, 100000)", [("template_step",), ("job_plan",)]
        )
    return Prepared(data_dir, Credentials("esb_test", secret, token))


@pytest.fixture(scope="session")
def service(lab: Lab, prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service with credentials and the accounts `root` and `job` in both businesses. Never kill it."""
    running = Service(
        data_dir=tmp_path_factory.mktemp("service") / "data",
        inventory=lab.inventory,
        environment=_SHORT_CONNECTIONS,
    )
    try:
        yield prepared.started(running)
    finally:
        running.stop()
    no_step_failed(running)


@pytest.fixture
def fresh_service(lab: Lab, prepared: Prepared, tmp_path: Path) -> Iterator[NewService]:
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
        return prepared.started(fresh)

    yield new
    for fresh in made:
        fresh.stop()
    for fresh in made:
        no_step_failed(fresh)


def no_step_failed(ended: Service) -> None:
    """A step that fails and is tried again ends well, only later: without this nobody would notice."""
    failed = [line for line in ended.log().splitlines() if '"workflow_step_failed"' in line]
    assert failed == []


@pytest.fixture
def jobs(service: Service) -> Jobs:
    """Starts jobs of business 1 on the shared service."""
    return Jobs(service)
