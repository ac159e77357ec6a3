"""Files that are on no host: brought into the file cache by whoever has them, sent from there like others."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from adapter.engine.file_cache import FileCache
from adapter.engine.providing import Entry, Providing, ProvidingEnded, Unavailable, Wanted
from adapter.engine.step_run import StepRuns
from adapter.engine.surroundings import HandedOver
from adapter.job.model import (
    SERVICE_HOST,
    FileSource,
    FileTask,
    HostResult,
    JobInstance,
    JobVariable,
    StepInstance,
)
from adapter.job.status import FileType, HostStatus, RunStatus, StepType
from adapter.job.upload import upload_path
from adapter.job.variables import StepVariables
from adapter.store.collected import CollectedRuns

from .conftest import ONE, SCOPE, TWO, Bench


@dataclass
class Shelf:
    """A provider with contents by path; `seconds` is how long each takes."""

    contents: dict[str, bytes | Exception]
    seconds: float = 0.0
    asked: list[str] = field(default_factory=list)

    def provide(self, wanted: Wanted) -> Sequence[Entry]:
        """As the protocol says."""
        self.asked.append(wanted.path)
        content = self.contents[wanted.path]
        until = time.monotonic() + self.seconds
        while time.monotonic() < until:
            wanted.progress(1, 4)
            time.sleep(0.02)
        if isinstance(content, Exception):
            raise content
        sha256 = hashlib.sha256(content).hexdigest()
        wanted.cached(sha256).write_bytes(content)
        name = wanted.path.rpartition("/")[2]
        kind = {"type": "file", "name": name, "path": wanted.path, "mode": "644"}
        return [{**kind, "size": len(content), "sha256": sha256}]


def path(name: str) -> str:
    """What an upload of that name is called here."""
    return upload_path(SCOPE, hashlib.md5(name.encode(), usedforsecurity=False).hexdigest(), "a", name)


def local(*files: str) -> FileSource:
    """Files that the service has."""
    return FileSource(files=files, account_id=0, hosts=(SERVICE_HOST,), file_type=FileType.LOCAL)


@dataclass
class World:
    """A bench whose two hosts are this machine."""

    bench: Bench
    runtime: Path
    handover: threading.Event = field(default_factory=threading.Event)

    def job(self, *sources: FileSource, timeout: int = 7200) -> JobInstance:
        """A stored job that sends `sources` into `in/` of the bench's directory."""
        user = os.environ.get("USER") or "root"
        account = self.bench.accounts.create(SCOPE, operator="a", now_ms=1, alias="p", account=user).id
        task = FileTask(
            sources=tuple(replace(source, account_id=account) for source in sources),
            target_path=f"{self.bench.directory}/in/[FILESRCIP]/",
            account_id=account,
            timeout=timeout,
        )
        step = StepInstance(name="s", type=StepType.FILE, file=task, create_time=1)
        job = JobInstance(scope=SCOPE, steps=(step,), create_time=1)
        for source in sources:
            self.bench.upload(*(() if source.is_on_hosts else source.files))
        return self.bench.jobs.add(job, [(ONE,)])

    def run(self, job: JobInstance, shelf: Shelf) -> tuple[RunStatus, HostResult]:
        """Run it; the target's result."""
        runs = StepRuns(
            jobs=self.bench.jobs,
            logs=self.bench.logs,
            collected=CollectedRuns(self.bench.engine),
            preparation=self.bench.preparation(),
            clock=self.bench,
            artifacts=self.bench.directory / "artifacts",
            file_cache=FileCache(self.bench.directory / "cache", 2**30),
            placing=self.bench.placing(),
            providing=self.bench.providing({FileType.LOCAL: shelf}),
            runtime=self.runtime,
            handover=self.handover.is_set,
        )
        status = runs.run(job.steps[0].id)
        (result,) = self.bench.jobs.hosts(job.steps[0].id, 0)
        return status, result

    def uploads(self, job: JobInstance) -> dict[str, tuple[int, str]]:
        """Status and words of each upload entry of the service."""
        entries = self.bench.logs.file_logs(job.steps[0].id, 0, {0})
        return {entry.src_path: (entry.status, entry.content) for entry in entries}


@pytest.fixture
def world(bench: Bench, runtime: Path) -> World:
    return World(bench, runtime)


def test_one_step_mixes_them_with_files_of_hosts(world: World) -> None:
    """Each source goes its own way; what the service has is 0_0.0.0.0 in `[FILESRCIP]`."""
    there = world.bench.directory / "there.txt"
    there.write_text("of a host")
    job = world.job(
        local(path("a b"), path("c")), FileSource(files=(str(there),), account_id=0, hosts=(TWO,))
    )
    shelf = Shelf({path("a b"): b"one", path("c"): b"two"})
    status, result = world.run(job, shelf)
    assert (status, result.status) == (RunStatus.SUCCESS, HostStatus.SUCCESS)
    found = {
        path.relative_to(world.bench.directory / "in"): path
        for path in (world.bench.directory / "in").rglob("*.txt")
    }
    assert [str(path) for path in found] == ["0_127.0.0.2/there.txt"]
    own = world.bench.directory / "in" / "0_0.0.0.0"
    assert {path.name: path.read_bytes() for path in own.iterdir()} == {"a b": b"one", "c": b"two"}
    assert world.uploads(job) == {path("a b"): (4, ""), path("c"): (4, "")}


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (Unavailable("it was removed"), "it was removed"),
        (OSError(errno.ENOSPC, "no room"), f"the controller cannot store {path('gone')}: [Errno 28] no room"),
    ],
)
def test_one_that_cannot_be_had_is_the_targets_to_report(
    world: World, problem: Exception, words: str
) -> None:
    """The target fails with the words of that file, and has the others."""
    job = world.job(local(path("gone"), path("good")))
    status, result = world.run(job, Shelf({path("gone"): problem, path("good"): b"good"}))
    assert (status, result.status) == (RunStatus.FAILED, HostStatus.FILE_FETCH_ERROR)
    assert (world.bench.directory / "in/0_0.0.0.0/good").read_bytes() == b"good"
    assert world.uploads(job) == {path("gone"): (5, words), path("good"): (4, "")}
    downloads = world.bench.logs.file_logs(job.steps[0].id, 0, {ONE.bk_host_id})
    told = {entry.src_path: (entry.status, entry.content) for entry in downloads}
    assert told == {path("gone"): (5, words), path("good"): (4, "")}


def test_a_missing_one_is_203(world: World) -> None:
    """As a file is that a source host does not have."""
    job = world.job(local(path("gone")))
    _, result = world.run(job, Shelf({path("gone"): Unavailable("no such file", is_missing=True)}))
    assert result.status is HostStatus.SOURCE_MISSING


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [(7200, HostStatus.TERMINATED), (1, HostStatus.FILE_TIMEOUT)],
    ids=["stop", "time"],
)
def test_a_step_that_must_end_ends_while_files_are_brought(
    world: World, timeout: int, expected: HostStatus
) -> None:
    """By a terminated job, or by the step's own time: at once, and without having been to the targets."""
    job = world.job(local(path("slow")), timeout=timeout)
    world.bench.jobs.begin_job(job.id, 1)
    if expected is HostStatus.TERMINATED:
        threading.Timer(0.5, world.bench.jobs.request_stop, [job.id, 5]).start()
    began = time.monotonic()
    _, result = world.run(job, Shelf({path("slow"): b""}, seconds=60))
    assert result.status is expected
    assert time.monotonic() - began < 10
    assert not (world.bench.directory / "in").exists()


def test_a_step_that_is_handed_over_is_gone_on_with(world: World) -> None:
    """Whoever goes on brings the files anew."""
    job = world.job(local(path("slow")))
    threading.Timer(0.5, world.handover.set).start()
    shelf = Shelf({path("slow"): b"x"}, seconds=60)
    with pytest.raises(HandedOver):
        world.run(job, shelf)
    assert world.uploads(job) == {path("slow"): (0, "")}
    world.handover.clear()
    shelf.seconds = 0
    assert world.run(job, shelf)[0] is RunStatus.SUCCESS


def test_how_far_it_has_come_is_shown(world: World) -> None:
    """In the service's upload entry, at most once a second; the end of the step is looked for more often."""
    job = world.job(local(path("slow")))
    seen: list[int] = []
    looks: list[float] = []

    def look() -> None:
        looks.append(time.monotonic())
        entries = world.bench.logs.file_logs(job.steps[0].id, 0, {0})
        seen.extend(entry.progress for entry in entries)

    providing: Providing = world.bench.providing({FileType.LOCAL: Shelf({path("slow"): b"x"}, seconds=1.5)})
    spool = world.bench.directory / "spool"
    providing.provide(job.steps[0], spool, world.bench.logs, look)
    assert 25 in seen
    assert len(looks) >= 4
    (file,) = json.loads((spool / "source-0.0.json").read_text())["files"]
    assert (file["state"], [entry["sha256"] for entry in file["entries"]]) == (
        "ok",
        [hashlib.sha256(b"x").hexdigest()],
    )


def test_a_path_with_a_variables_mark_in_it_is_left_alone() -> None:
    """It is a name that was given out: no variable of a plan changes it, and it need not be absolute."""
    task = FileTask(sources=(local("2/u/a/${A}"),), target_path="/t/${A}", account_id=1)
    step = StepInstance(type=StepType.FILE, file=task)
    variables = StepVariables(variables=(JobVariable(name="A", type=1, value="x"),))
    resolved = variables.resolved(step).file
    assert resolved is not None
    assert (resolved.target_path, resolved.sources[0].files) == ("/t/x", ("2/u/a/${A}",))


def test_it_ends_before_the_first_file(world: World) -> None:
    """A step that is to stop asks no provider."""

    def look() -> None:
        raise ProvidingEnded

    shelf = Shelf({path("x"): b""})
    job = world.job(local(path("x")))
    with pytest.raises(ProvidingEnded):
        world.bench.providing({FileType.LOCAL: shelf}).provide(
            job.steps[0], world.bench.directory / "spool", world.bench.logs, look
        )
    assert shelf.asked == []
