"""The Hosts port over an inventory that changes while it is used."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from adapter.errors import Internal
from adapter.hosts.inventory import InventoryHosts
from adapter.hosts.loader import InventoryError, Reading
from adapter.job.model import Host, IpRef, Scope, Server
from adapter.ports import Hosts
from adapter.store.database import open_database
from adapter.store.identities import FIRST_ID, HostIdentities
from adapter.store.tables import metadata

from .builders import CountingIds, listing

BIZ_2 = Scope("biz", "2")
GONE = Host(bk_host_id=5, bk_cloud_id=0, ip="", name="gone")


class Source:
    """Stands for ansible-inventory: gives one host per line of the file, or fails as told."""

    def __init__(self) -> None:
        self.readings = 0
        self.fails: str | None = None
        self.at_once = 0
        self.most_at_once = 0
        self.seconds = 0.0

    def __call__(self, path: Path, *, cancelled: Callable[[], bool]) -> Reading:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            time.sleep(self.seconds)
            if self.fails is not None:
                raise InventoryError(path, self.fails)
            names = path.read_text().split()
            return Reading(
                data=listing({name: {"ansible_user": "x"} for name in names}), messages=("careful",)
            )
        finally:
            self.readings += 1
            self.at_once -= 1


@pytest.fixture
def source() -> Source:
    """The stand-in for Ansible."""
    return Source()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An inventory with the host a."""
    path = tmp_path / "hosts"
    path.write_text("a\n")
    return path


@pytest.fixture
def hosts(path: Path, source: Source) -> Iterator[InventoryHosts]:
    """Not started yet; looks at the files very often."""
    hosts = InventoryHosts(path, ids_for=CountingIds(), interval=0.01, read=source)
    yield hosts
    hosts.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "inventory"]


def rewrite(path: Path, text: str) -> None:
    """Replace the file in one go."""
    new = path.with_name("new")
    new.write_text(text)
    new.replace(path)


def comes(condition: Callable[[], bool]) -> bool:
    """True as soon as the condition holds, False after ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_nothing_is_answered_before_the_first_reading(hosts: Hosts) -> None:
    """ "No such host" would be a lie, and a recovered job would believe it."""
    assert not hosts.is_ready()
    asks: list[Callable[[], object]] = [
        lambda: hosts.has_scope(BIZ_2),
        lambda: hosts.resolve(BIZ_2, Server(host_ids=(1,))),
        lambda: hosts.find([1]),
        lambda: hosts.present([GONE]),
        lambda: hosts.variables([GONE]),
    ]
    for ask in asks:
        with pytest.raises(Internal, match="has not been read yet"):
            ask()


def test_it_answers_after_the_first_reading(hosts: InventoryHosts) -> None:
    """Which starts at once."""
    hosts.start()
    assert hosts.wait_ready(10)
    assert hosts.is_ready()
    assert hosts.has_scope(BIZ_2)
    host = hosts.find([1_000_001, 5])[1_000_001]
    assert hosts.resolve(BIZ_2, Server(host_ids=(1_000_001,))) == (host,)
    assert hosts.variables([host, GONE]) == {"a": {"ansible_user": "x"}}
    assert hosts.present([replace(host, name="formerly"), GONE]) == {1_000_001: replace(host, name="a")}
    assert hosts.find([5]) == {}


def test_a_changed_file_is_read_again(hosts: InventoryHosts, path: Path) -> None:
    """And hosts that stayed keep their ids."""
    hosts.start()
    assert hosts.wait_ready(10)
    before = hosts.index.names["a"]
    rewrite(path, "b\na\n")
    assert comes(lambda: "b" in hosts.index.names)
    assert hosts.index.names["a"] == before


def test_a_file_that_is_still_being_written_is_left_alone(path: Path, source: Source) -> None:
    """Half an inventory would take its hosts out of their business."""
    hosts = InventoryHosts(path, ids_for=CountingIds(), interval=0.2, read=source)
    hosts.start()
    assert hosts.wait_ready(10)
    for number in range(50):
        rewrite(path, "b " * number)
        time.sleep(0.02)
    assert source.readings == 1
    assert comes(lambda: list(hosts.index.names) == ["b"])
    hosts.stop()


def test_an_unchanged_inventory_is_read_again_when_its_time_is_up(path: Path, source: Source) -> None:
    """A script's answer changes without its file."""
    hosts = InventoryHosts(path, ids_for=CountingIds(), interval=0.01, ttl=0.05, read=source)
    hosts.start()
    assert comes(lambda: source.readings >= 3)
    hosts.stop()


def test_an_unchanged_inventory_is_not_read_again_before(hosts: InventoryHosts, source: Source) -> None:
    """Ansible is slow."""
    hosts.start()
    assert hosts.wait_ready(10)
    time.sleep(0.3)
    assert source.readings == 1


def test_a_failed_reading_keeps_the_hosts_and_says_so(
    hosts: InventoryHosts, path: Path, source: Source
) -> None:
    """Until the next change that can be read."""
    with capture_logs() as logs:
        hosts.start()
        assert hosts.wait_ready(10)
        source.fails = "broken"
        rewrite(path, "b c\n")
        assert comes(lambda: hosts.last_error is not None)
        assert hosts.last_error == f"Inventory {path}: broken"
        assert hosts.is_ready()
        assert list(hosts.index.names) == ["a"]
        assert comes(lambda: any(entry["log_level"] == "error" for entry in logs))
        source.fails = None
        rewrite(path, "b c d\n")
        assert comes(lambda: hosts.last_error is None)
    assert list(hosts.index.names) == ["b", "c", "d"]
    errors = [entry for entry in logs if entry["log_level"] == "error"]
    assert [(entry["error"], entry["hosts_in_force"]) for entry in errors] == [
        (f"Inventory {path}: broken", 1)
    ]


def test_it_is_not_ready_until_a_reading_succeeds(hosts: InventoryHosts, path: Path, source: Source) -> None:
    """The service can start before its inventory is right."""
    source.fails = "broken"
    hosts.start()
    assert comes(lambda: hosts.last_error is not None)
    assert not hosts.is_ready()
    source.fails = None
    rewrite(path, "a b\n")
    assert hosts.wait_ready(10)


def test_a_failure_is_tried_again_before_the_time_to_live(
    path: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cloud's API that was away for a moment changes no file."""
    monkeypatch.setattr("adapter.hosts.inventory._RETRY_SECONDS", 0.05)
    source.fails = "away"
    hosts = InventoryHosts(path, ids_for=CountingIds(), interval=0.01, ttl=1000, read=source)
    with capture_logs() as logs:
        hosts.start()
        assert comes(lambda: source.readings >= 3)
        source.fails = None
        assert hosts.wait_ready(10)
        hosts.stop()
    assert [entry["log_level"] for entry in logs].count("error") == 1, "the same failure is told once"


def test_a_fault_of_the_store_does_not_end_the_thread(path: Path, source: Source) -> None:
    """A database may be away when a reading needs an id."""
    ids = CountingIds()
    away = True

    def ids_for(names: list[str], taken: object) -> dict[str, int]:
        if away:
            raise OSError("database is away")
        return ids(names, ())

    hosts = InventoryHosts(path, ids_for=ids_for, interval=0.01, read=source)
    hosts.start()
    assert comes(lambda: hosts.last_error == "database is away")
    away = False
    rewrite(path, "a b\n")
    assert hosts.wait_ready(10)
    hosts.stop()


def test_reload_reads_at_once_and_raises(hosts: InventoryHosts, path: Path, source: Source) -> None:
    """For a command line, which needs no thread."""
    hosts.reload()
    assert list(hosts.index.names) == ["a"]
    source.fails = "broken"
    with pytest.raises(InventoryError, match="broken"):
        hosts.reload()
    assert list(hosts.index.names) == ["a"]


def test_never_two_readings_at_once(hosts: InventoryHosts, source: Source) -> None:
    """However many ask."""
    source.seconds = 0.05
    hosts.start()
    threads = [threading.Thread(target=hosts.reload) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert source.readings >= 4
    assert source.most_at_once == 1


def test_warnings_are_told_once_and_not_by_the_thousand(path: Path, source: Source) -> None:
    """The same ones after every reading would bury the log."""
    rewrite(path, " ".join(f"{'x' * 260}{number}" for number in range(50)))
    hosts = InventoryHosts(path, ids_for=CountingIds(), read=source)
    with capture_logs() as logs:
        hosts.reload()
        hosts.reload()
    warnings = [entry for entry in logs if entry["log_level"] == "warning"]
    assert warnings[0]["warning"] == "careful"
    assert len(warnings) == 21
    assert warnings[-1]["more_warnings"] == 31
    assert len(hosts.index.warnings) == 50


def test_questions_during_readings_see_one_state_or_the_other(hosts: InventoryHosts, path: Path) -> None:
    """Never half of one."""
    hosts.reload()
    stop = threading.Event()
    wrong: list[object] = []

    def ask() -> None:
        while not stop.is_set():
            names = set(hosts.index.names)
            if names not in ({"a"}, {"a", "b", "c"}):
                wrong.append(names)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(20):
        rewrite(path, "a b c" if number % 2 else "a")
        hosts.reload()
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_stop_ends_a_reading_that_hangs(tmp_path: Path) -> None:
    """With the real Ansible: SIGTERM must not wait for a cloud's API."""
    script = tmp_path / "inventory.sh"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\nexec sleep 300\n")
    script.chmod(0o755)
    hosts = InventoryHosts(script, ids_for=CountingIds())
    with capture_logs() as logs:
        hosts.start()
        assert comes((tmp_path / "started").exists)
        began = time.monotonic()
        hosts.stop()
    assert time.monotonic() - began < 5
    assert logs == [], "stopping is no failure of the inventory"


def test_everything_together_with_ansible_and_a_database(tmp_path: Path) -> None:
    """A host without an id keeps it over readings, and over a restart on the same database."""
    inventory = tmp_path / "inventory"
    inventory.mkdir()
    (inventory / "hosts").write_text("web1 ansible_host=10.0.0.1\n[biz_3]\ndb1 bk_host_id=7\n")
    ids = []
    for more in ("web0\n", "web0\nweb00\n"):
        engine = open_database(f"sqlite:///{tmp_path / 'adapter.db'}")
        metadata.create_all(engine)
        hosts = InventoryHosts(inventory, ids_for=HostIdentities(engine).ids_for, interval=0.05)
        hosts.start()
        assert hosts.wait_ready(60)
        found = hosts.resolve(BIZ_2, Server(ips=(IpRef(bk_cloud_id=0, ip="10.0.0.1"),)))
        ids.append(found[0].bk_host_id)
        (inventory / "a_new_file").write_text(more)
        assert comes(lambda: len(hosts.index.hosts) == 2 + len(more.split()))  # noqa: B023 called in this turn
        ids.append(hosts.index.names["web1"].bk_host_id)
        hosts.stop()
        engine.dispose()
    assert ids == [FIRST_ID] * 4


def test_the_store_is_not_asked_when_every_host_has_an_id(tmp_path: Path) -> None:
    """An engine without tables would fail."""
    (tmp_path / "hosts").write_text("a bk_host_id=1\n")
    hosts = InventoryHosts(tmp_path / "hosts", ids_for=HostIdentities(sa.create_engine("sqlite://")).ids_for)
    hosts.reload()
    assert list(hosts.index.hosts) == [1]
