"""Batches of file sources, cut as JOB cuts them (contract e, rolling_config of type 2)."""

from __future__ import annotations

import pytest

from adapter.job.file_batches import file_batches, of_batch
from adapter.job.model import FileSource, FileTask, Host
from adapter.job.rolling import Rolling, RollingType

#: A source in short: its hosts' ids, its files.
Short = tuple[str, str]


def source(hosts: str, files: str) -> FileSource:
    found = tuple(Host(bk_host_id=int(id_), bk_cloud_id=0, ip="10.0.0.1", name=id_) for id_ in hosts.split())
    return FileSource(files=tuple(files.split()), account_id=1, hosts=found)


def short(one: FileSource) -> Short:
    return " ".join(host.name for host in one.hosts), " ".join(one.files)


def rolling(most_hosts: int | None, most_files: int | None) -> Rolling:
    return Rolling(type=RollingType.FILE_SOURCES, max_source_hosts=most_hosts, max_files=most_files)


@pytest.mark.parametrize(
    ("most_hosts", "most_files", "sources", "batches"),
    [
        (1, 1, [("1", "/a"), ("2", "/b")], [[("1", "/a")], [("2", "/b")]]),
        (
            1,
            1,
            [("2 3", "/a /b")],
            [[("2", "/a")], [("2", "/b")], [("3", "/a")], [("3", "/b")]],
        ),
        (2, None, [("1 2 3", "/a")], [[("1 2", "/a")], [("3", "/a")]]),
        (None, 2, [("1", "/a /b /c")], [[("1", "/a /b")], [("1", "/c")]]),
        (3, 3, [("1", "/a"), ("2", "/b"), ("3", "/c")], [[("1", "/a"), ("2", "/b"), ("3", "/c")]]),
        (
            2,
            2,
            [("1 2 3 4", "/a"), ("5", "/b"), ("6", "/c"), ("7", "/d /e /f")],
            [
                [("1 2", "/a")],
                [("3 4", "/a")],
                [("5", "/b"), ("6", "/c")],
                [("7", "/d /e")],
                [("7", "/f")],
            ],
        ),
        (2, 2, [("1 2", "/a"), ("3", "/b /c")], [[("1 2", "/a")], [("3", "/b /c")]]),
        (None, None, [("1 2 3", "/a /b"), ("4", "/c")], [[("1 2 3", "/a /b"), ("4", "/c")]]),
    ],
)
def test_batches(
    most_hosts: int | None, most_files: int | None, sources: list[Short], batches: list[list[Short]]
) -> None:
    """What is too large for a batch is cut by hosts, then by files; of the rest neighbours that fit go together."""
    found = file_batches([source(*one) for one in sources], rolling(most_hosts, most_files))
    assert [[short(one) for one in batch] for batch in found] == batches


def test_nothing_is_lost_or_sent_twice() -> None:
    """Whatever the limits are, each file of each host is in exactly one batch."""
    sources = [source("1 2 3", "/a /b /c /d"), source("4", "/e"), source("5 6", "/f /g")]
    wanted = sorted((host.name, file) for one in sources for host in one.hosts for file in one.files)
    for most_hosts in (None, 1, 2, 3, 4, 9):
        for most_files in (None, 1, 2, 3, 5):
            batches = file_batches(sources, rolling(most_hosts, most_files))
            found = [
                (host.name, file)
                for batch in batches
                for one in batch
                for host in one.hosts
                for file in one.files
            ]
            assert sorted(found) == wanted, (most_hosts, most_files)


def test_one_batch_of_a_transfer() -> None:
    """It is the transfer with that batch's sources."""
    task = FileTask(sources=(source("1 2", "/a"),), target_path="/tmp/", account_id=7)
    part = of_batch(task, rolling(1, None), 2)
    assert [short(one) for one in part.sources] == [("2", "/a")]
    assert (part.target_path, part.account_id) == ("/tmp/", 7)


def test_every_target_is_in_each_batch() -> None:
    """Batch after batch, in the order of the targets."""
    roll = Rolling(type=RollingType.FILE_SOURCES, sizes=(2, 2))
    assert roll.turns(["a", "b"]) == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert Rolling(sizes=(1, 1)).turns(["a", "b"]) == [("a", 1), ("b", 2)]
