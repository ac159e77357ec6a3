"""Runs are removed from their hosts, by real Ansible: what does not answer is tried again, and given up."""

from __future__ import annotations

import getpass
import secrets
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapter.config import Settings
from adapter.engine.cleaning import Cleaning
from adapter.engine.errands import Errands
from adapter.job.status import HostStatus
from adapter.store.collected import CollectedRun, CollectedRuns
from adapter.testing.hosts import MemoryHosts

from .conftest import ONE, SCOPE, TWO, Bench

MINUTE = 60_000
HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE
LOCAL = {"ansible_connection": "local"}
#: Nothing listens there.
AWAY = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}


@dataclass
class Hosts:
    """What the two hosts, which are this machine, have of one collected run; and who cleans them."""

    bench: Bench
    runs: CollectedRuns
    cleaning: Cleaning
    step: int
    key: str
    stop: threading.Event
    base: Path = Path(f"/tmp/bkjob.{getpass.getuser()}")

    def directory(self, host_id: int) -> Path:
        """Of the run on a host."""
        return self.base / f"{self.key}.{self.step}.0.{host_id}"

    @property
    def there(self) -> list[int]:
        """The hosts that have it."""
        return [host_id for host_id in (1, 2) if self.directory(host_id).is_dir()]

    def now_are(self, one: dict[str, Any] | None, two: dict[str, Any] | None) -> None:
        """What the inventory says of the hosts from now on; None if it lacks one."""
        said = {host.name: (host, variables) for host, variables in ((ONE, one), (TWO, two)) if variables}
        hosts = [host for host, _ in said.values()]
        self.bench.hosts = MemoryHosts(hosts, variables={name: value for name, (_, value) in said.items()})
        preparation = replace(self.bench.preparation(), installation=self.key)
        self.cleaning = replace(self.cleaning, preparation=preparation)

    def after(self, milliseconds: int) -> int:
        """Clean so much later; how many runs were due."""
        self.bench.now += milliseconds
        return self.cleaning.clean()


@pytest.fixture
def hosts(bench: Bench, runtime: Path) -> Iterator[Hosts]:
    """A run that both have, collected a moment ago."""
    bench.now = time.time_ns() // MINUTE * MINUTE // 1_000_000
    account = bench.accounts.create(
        SCOPE, alias="me", account=getpass.getuser(), operator="tester", now_ms=bench.now
    )
    step = bench.job("true", account_id=account.id).steps[0].id
    results = bench.jobs.hosts(step, 0)
    bench.jobs.save_hosts(step, 0, [item.evolve(status=HostStatus.SUCCESS) for item in results])
    runs, stop = CollectedRuns(bench.engine), threading.Event()
    run = CollectedRun(step_instance_id=step, execute_count=0, account_id=account.id, collect_time=bench.now)
    runs.add(run, bench.now)
    cleaning = Cleaning(
        runs=runs,
        jobs=bench.jobs,
        preparation=bench.preparation(),
        clock=bench,
        errands=Errands(
            directory=bench.directory / "cleaning",
            collections=Settings().playbooks / "collections",
            runtime=runtime,
        ),
        placing=bench.placing(),
        is_busy=lambda: False,
        must_stop=stop.is_set,
    )
    made = Hosts(bench, runs, cleaning, step, f"clean{secrets.token_hex(4)}", stop)
    made.now_are(LOCAL, LOCAL)
    for host_id in (1, 2):
        made.directory(host_id).mkdir(mode=0o700, parents=True)
    yield made
    for left in made.base.glob(f"{made.key}.*"):
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()


def test_what_is_clean_is_forgotten(hosts: Hosts) -> None:
    """A file in the directory's place keeps a late start from running it again."""
    assert (hosts.after(0), hosts.there) == (1, [])
    assert hosts.directory(1).is_file()
    assert hosts.after(9 * DAY) == 0


def test_a_host_that_does_not_answer_is_tried_again(hosts: Hosts) -> None:
    """Alone, and after pauses that grow; once it answers nothing is left to do."""
    hosts.now_are(LOCAL, AWAY)
    assert (hosts.after(0), hosts.there) == (1, [2])
    hosts.directory(1).unlink()
    hosts.directory(1).mkdir()
    assert hosts.after(10 * MINUTE - 1) == 0
    assert [hosts.after(1), hosts.after(10 * MINUTE - 1), hosts.after(1), hosts.after(20 * MINUTE - 1)] == [
        1, 0, 1, 0,
    ]  # fmt: skip
    hosts.now_are(LOCAL, LOCAL)
    assert (hosts.after(1), hosts.there) == (1, [1]), "the one that was clean is not asked again"
    assert hosts.after(9 * DAY) == 0


@pytest.mark.parametrize("status", [HostStatus.NO_AGENT, HostStatus.INVALID_HOST])
def test_a_host_where_nothing_can_be_is_not_asked(hosts: Hosts, status: HostStatus) -> None:
    """The job never reached it: its run is forgotten with the other host's."""
    results = hosts.bench.jobs.hosts(hosts.step, 0)
    hosts.bench.jobs.save_hosts(
        hosts.step, 0, [item.evolve(status=status) for item in results if item.host.bk_host_id == 2]
    )
    hosts.now_are(LOCAL, None)
    assert (hosts.after(0), hosts.there) == (1, [2])
    assert hosts.after(9 * DAY) == 0


def test_a_host_that_never_answers_is_given_up_by_name(hosts: Hosts) -> None:
    """After a week, in which it was tried some twenty times."""
    hosts.now_are(LOCAL, AWAY)
    hosts.after(0)
    tries = 0
    hosts.now_are(LOCAL, None)  # costs no connection; the inventory may have it again tomorrow
    with capture_logs() as logs:
        for _ in range(8 * 24 * 6):
            tries += hosts.after(10 * MINUTE)
    assert 15 < tries < 25
    given_up = [entry for entry in logs if entry["event"] == "cleaning_given_up"]
    assert [(entry["step_instance_id"], entry["first"]) for entry in given_up] == [(hosts.step, [2])]
    assert hosts.runs.take(hosts.bench.now + 99 * DAY, 0, 10) == []


def test_a_host_that_cannot_remove_it_is_not_clean(hosts: Hosts) -> None:
    """Somebody who is not the step's account answered there."""
    account = hosts.bench.accounts.create(
        SCOPE, alias="other", account="nosuchuser", login_user=getpass.getuser(), operator="tester", now_ms=1
    )
    (run,) = hosts.runs.take(hosts.bench.now, 0, 10)
    hosts.runs.add(replace(run, account_id=account.id), hosts.bench.now)
    with capture_logs() as logs:
        hosts.after(0)
    assert (hosts.there, logs) == ([1, 2], [])
    (run,) = hosts.runs.take(hosts.bench.now + 10 * MINUTE, 0, 10)
    assert run.hosts == (1, 2)


def test_a_deleted_account_is_given_up_at_once(hosts: Hosts) -> None:
    """Nobody can log in for it any more."""
    (run,) = hosts.runs.take(hosts.bench.now, 0, 10)
    hosts.runs.add(replace(run, account_id=987), hosts.bench.now)
    with capture_logs() as logs:
        hosts.after(0)
    assert [entry["event"] for entry in logs] == ["cleaning_given_up"]
    assert hosts.after(9 * DAY) == 0


def test_nothing_is_cleaned_before_the_inventory_is_read(hosts: Hosts) -> None:
    """Its hosts would all count as gone."""
    hosts.bench.hosts.ready = False
    assert hosts.after(0) == 0
    hosts.bench.hosts.ready = True
    assert (hosts.after(0), hosts.there) == (1, [])


def test_our_own_end_makes_no_pause_longer(hosts: Hosts) -> None:
    """What was not cleaned for that is due at the next start, or soon after."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hosts.now_are(LOCAL, {**AWAY, "ansible_port": silent.getsockname()[1]})
        hosts.stop.set()
        assert hosts.after(3 * DAY) == 1
    hosts.now_are(LOCAL, LOCAL)
    hosts.stop.clear()
    assert hosts.directory(2).is_dir()
    assert (hosts.after(10 * MINUTE), hosts.there) == (1, [])
