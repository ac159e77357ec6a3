"""Readers of jobs and logs on a real store: pages, ids, characters that come in halves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from adapter.job.model import Host, HostChange, HostResult, JobInstance, Scope, ScriptTask, StepInstance
from adapter.job.status import HostStatus, RunStatus
from adapter.service import follow as following
from adapter.service.follow import Batch, Follow, Follower, JobEnd, LogEnd, LogPart
from adapter.store.changes import JobChanges
from adapter.store.database import migrate, open_database
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore
from adapter.store.secrets import SecretBox

BIZ = Scope("biz", "2")
HOSTS = tuple(Host(bk_host_id=i, bk_cloud_id=0, ip="", name=f"h{i}") for i in range(1, 8))


class Store:
    """A job of one step on seven hosts, and what follows it."""

    def __init__(self, directory: Path) -> None:
        self.engine = open_database(f"sqlite:///{directory / 'test.db'}")
        migrate(self.engine, directory / "lock")
        self.jobs = JobStore(self.engine, SecretBox(Fernet.generate_key()))
        self.logs = LogStore(self.engine)
        self.follow = Follow(self.jobs, self.logs, JobChanges(self.engine))
        step = StepInstance(name="run", script=ScriptTask(language=1, content="x"), create_time=1)
        self.job = self.jobs.add(JobInstance(scope=BIZ, create_time=1, steps=(step,)), [HOSTS])
        self.step = self.job.steps[0]

    def save(self, status: HostStatus, *ids: int) -> None:
        """Hosts with a state."""
        found = [HostResult(host=host, status=status) for host in HOSTS if host.bk_host_id in ids]
        self.jobs.save_hosts(self.step.id, 0, found)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.engine.dispose()


def until_quiet(reader: Follower) -> list[Batch]:
    """Batches until there is nothing to be read at once."""
    batches = [reader.read()]
    while batches[-1].more:
        batches.append(reader.read())
    return batches


def told(batches: list[Batch]) -> list[tuple[str, int | None]]:
    """What, and with which id."""
    return [
        (f"host {event.what.result.host.bk_host_id}" if isinstance(event.what, HostChange) else
         type(event.what).__name__, event.id)
        for batch in batches for event in batch.events
    ]  # fmt: skip


def test_ids_come_only_when_all_of_a_number_has_been_told(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a page ends in the middle of one."""
    monkeypatch.setattr(following, "_CHANGES", 3)
    store.jobs.begin_job(store.job.id, 5)
    store.save(HostStatus.RUNNING, 1, 2, 3, 4)
    store.save(HostStatus.RUNNING, 5)
    reader = store.follow.job(BIZ, store.job.id, None)
    assert told(until_quiet(reader)) == [
        ("JobInstance", None), ("StepInstance", None), ("host 6", None), ("host 7", 0), ("host 1", None),
        ("host 2", None), ("host 3", None), ("host 4", 2), ("host 5", 3),
    ]  # fmt: skip
    assert reader.read() == Batch()
    store.save(HostStatus.SUCCESS, 1)
    assert told(until_quiet(reader)) == [("host 1", 4)]


def test_rows_that_change_between_two_pages_are_told_as_they_are_then(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is missed, and nobody goes back in time."""
    monkeypatch.setattr(following, "_CHANGES", 3)
    reader = store.follow.job(BIZ, store.job.id, None)
    batches = [reader.read()]
    store.save(HostStatus.RUNNING, 1, 7)
    batches += until_quiet(reader)
    batches += until_quiet(reader)
    states = {}
    for batch in batches:
        for event in batch.events:
            if isinstance(event.what, HostChange):
                states[event.what.result.host.bk_host_id] = event.what.result.status
    assert states == dict.fromkeys((2, 3, 4, 5, 6), HostStatus.WAITING) | dict.fromkeys(
        (1, 7), HostStatus.RUNNING
    )
    assert told(batches)[-1][1] == 1


def test_the_end_comes_after_everything_and_once(store: Store) -> None:
    """Also for a reader that was there when it was not finished."""
    reader = store.follow.job(BIZ, store.job.id, None)
    until_quiet(reader)
    store.save(HostStatus.SUCCESS, *range(1, 8))
    store.jobs.finish_step(store.step.id, RunStatus.SUCCESS, 8)
    store.jobs.finish_job(store.job.id, RunStatus.SUCCESS, 9)
    batches = until_quiet(reader)
    assert told(batches)[-3:] == [("StepInstance", 2), ("JobInstance", 3), ("JobEnd", 3)]
    assert batches[-1].ended
    end = batches[-1].events[-1].what
    assert isinstance(end, JobEnd)
    assert end.job.status is RunStatus.SUCCESS


def test_a_character_whose_bytes_come_one_by_one_is_told_whole(store: Store) -> None:
    """The id never points into it; what never gets whole is replaced at the end."""
    reader = store.follow.log(store.step, 1, 0)
    raw = "a€".encode() + b"\xe2\x82"
    found: list[LogPart] = []
    for offset in range(len(raw)):
        store.logs.append(store.step.id, 0, 1, offset, raw[offset : offset + 1])
        for event in reader.read().events:
            assert isinstance(event.what, LogPart)
            found.append(event.what)
    assert found == [LogPart(0, "a"), LogPart(1, "€")]
    store.save(HostStatus.SUCCESS, 1)
    part, end = reader.read().events
    assert (part.what, part.id) == (LogPart(4, "\ufffd"), 6)
    assert isinstance(end.what, LogEnd)
    assert end.what.offset == 6


def test_a_log_longer_than_a_batch_is_read_at_once_and_in_order(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch that is cut within a character is no place where one would be lost."""
    monkeypatch.setattr(following, "_LOG_BYTES", 7)
    text = "日本語テキスト" * 9
    store.logs.append(store.step.id, 0, 2, 0, text.encode())
    store.save(HostStatus.SUCCESS, 2)
    batches = until_quiet(store.follow.log(store.step, 2, 0))
    parts = [event.what for batch in batches for event in batch.events if isinstance(event.what, LogPart)]
    assert "".join(part.content for part in parts) == text
    assert batches[-1].ended
    assert len(batches) > 9
