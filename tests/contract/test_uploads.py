"""Uploads as rows, on both databases: whole once, never gone while something needs them, and cleaned up."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from adapter import errors
from adapter.engine.old_uploads import OldUploads
from adapter.job.model import (
    SERVICE_HOST,
    FileSource,
    FileTask,
    Host,
    JobInstance,
    Scope,
    Server,
    StepInstance,
)
from adapter.job.plan import PlanFile, PlanFileSource, PlanStep
from adapter.job.status import FileType, RunStatus, StepType
from adapter.job.upload import Upload, upload_path
from adapter.store import tables
from adapter.store.jobs import JobStore
from adapter.store.plans import PlanStore
from adapter.store.secrets import SecretBox
from adapter.store.upload_files import PartBusy, UploadFiles
from adapter.store.uploads import UploadStore

SCOPE = Scope("biz", "2")
HOST = Host(bk_host_id=1, bk_cloud_id=0, ip="10.0.0.1", name="one")
DAY = 86_400_000
NOW = 1_700_000_000_000
SHA256 = "a" * 64


@dataclass
class World:
    """A store, a directory and a clock that stands."""

    engine: sa.Engine
    jobs: JobStore
    directory: Path
    now: int = NOW
    store: UploadStore = field(init=False)
    files: UploadFiles = field(init=False)

    def __post_init__(self) -> None:
        self.store, self.files = UploadStore(self.engine), UploadFiles(self.directory)

    def now_ms(self) -> int:
        return self.now

    def upload(self, number: int, *, age: float = 0, is_whole: bool = True, scope: Scope = SCOPE) -> Upload:
        """One that was made, and completed, `age` days ago; its URL was good for a day."""
        id_, then = f"{number:032x}", NOW - int(age * DAY)
        made = Upload(
            id=id_,
            scope=scope,
            name="n",
            path=upload_path(scope, id_, "ann", "n"),
            app_code="app",
            creator="ann",
            create_time=then,
            token_hash="h",
            expire_time=then + DAY,
        )
        self.store.add([made])
        part = self.files.open(id_)
        part.add(b"x")
        if is_whole:
            assert self.store.complete(id_, 1, SHA256, then, part.place)
        part.close()
        return made

    def launch(self, upload: Upload, age: float = 0) -> JobInstance:
        """A job, started `age` days ago, that sends it."""
        source = FileSource(
            files=(upload.path,), account_id=1, hosts=(SERVICE_HOST,), file_type=FileType.LOCAL
        )
        file = FileTask(sources=(source, source), target_path="/tmp", account_id=1)
        then = NOW - int(age * DAY)
        step = StepInstance(name="s", type=StepType.FILE, file=file, create_time=then)
        job = JobInstance(scope=SCOPE, steps=(step,), create_time=then)
        return self.jobs.add(job, [(HOST,)])

    def end(self, job: JobInstance) -> None:
        """Nothing is left to do for it."""
        with self.engine.begin() as connection:
            ended = {"status": RunStatus.SUCCESS, "end_time": NOW, "open": False}
            connection.execute(
                sa.update(tables.job_instance).where(tables.job_instance.c.id == job.id).values(ended)
            )

    def plan(self, upload: Upload) -> int:
        """A template and a plan that send it; the plan's id."""
        source = PlanFileSource(files=(upload.path,), account_id=1, file_type=FileType.LOCAL)
        file = PlanFile(account_id=1, target_path="/tmp", sources=(source,))
        step = PlanStep(id=0, name="s", type=StepType.FILE, target=Server(host_ids=(1,)), file=file)
        plans = PlanStore(self.engine, SecretBox(Fernet.generate_key()))
        template = plans.create_template(SCOPE, name="t", steps=(step,), operator="ann", now_ms=1)
        return plans.create_plan(template, name="p", operator="ann", now_ms=1)

    def old(self, days: int | None = 7) -> OldUploads:
        """What removes them."""
        age = None if days is None else days * DAY
        return OldUploads(store=self.store, files=self.files, clock=self, age=age)

    def removed(self, days: int | None = 7) -> int:
        """How many it removes; it says so before."""
        wanted = self.old(days).count()
        count = self.old(days).remove(threading.Event())
        assert wanted == count
        return count

    def is_there(self, upload: Upload) -> bool:
        """Its row and its bytes, which go together."""
        has_bytes = self.files.whole(upload.id).exists() or self.files.kept(upload.id) > 0
        assert (self.store.get(upload.id) is not None) is has_bytes
        return has_bytes


@pytest.fixture
def world(engine: sa.Engine, jobs: JobStore, tmp_path: Path) -> World:
    return World(engine, jobs, tmp_path / "uploads")


def test_what_is_stored_comes_back(world: World) -> None:
    """By its id and by exactly its path."""
    made = world.upload(1)
    found = replace(made, size=1, sha256=SHA256, complete_time=NOW)
    assert world.store.get(made.id) == world.store.find(made.path) == found
    for path in (f"{made.path}/", f"x{made.path}", f"2/{made.id}/ann", "", made.id, f"2/{made.id}\0/ann/n"):
        assert world.store.find(path) is None
    assert world.store.require([Scope("biz", "3"), SCOPE], made.path) == found
    with pytest.raises(errors.LocalFileUnknown):
        world.store.require([Scope("biz_set", "2")], made.path)


def test_it_is_whole_once(world: World) -> None:
    """Of several that complete it at once one does; the others' bytes are not put into its place."""
    made = world.upload(1, is_whole=False)
    placed: list[str] = []
    done: list[bool] = []

    def complete(who: str) -> None:
        done.append(world.store.complete(made.id, 1, who * 64, NOW, lambda: placed.append(who)))

    threads = [threading.Thread(target=complete, args=[who]) for who in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = world.store.get(made.id)
    assert found is not None
    assert (sorted(done), [found.sha256]) == ([False] * 3 + [True], [who * 64 for who in placed])


def test_a_place_that_fails(world: World) -> None:
    """It is as it was."""
    made = world.upload(1, is_whole=False)

    def broken() -> None:
        raise OSError(5, "no")

    with pytest.raises(OSError, match="no"):
        world.store.complete(made.id, 1, SHA256, NOW, broken)
    assert world.store.get(made.id) == made


@pytest.mark.parametrize(
    ("age", "is_whole", "days", "stays"),
    [
        (8, True, 7, False),
        (6, True, 7, True),
        (800, True, None, True),
        (1.5, False, None, True),
        (2.5, False, None, False),
        (2.5, False, 7, False),
    ],
)
def test_by_age(world: World, age: float, is_whole: bool, days: int | None, stays: bool) -> None:
    """A whole one since it came; one that never came a day after its URL was good, whatever is kept."""
    made = world.upload(1, age=age, is_whole=is_whole)
    assert world.removed(days) == (0 if stays else 1)
    assert world.is_there(made) is stays


def test_what_something_needs_stays(world: World) -> None:
    """A job that has not ended, one that was launched lately, a plan; no longer, and it goes."""
    running, lately, ended, planned = (world.upload(number, age=30) for number in range(4))
    job = world.launch(running, age=20)
    world.end(world.launch(lately, age=6))
    world.end(world.launch(ended, age=20))
    plan_id = world.plan(planned)
    assert world.removed() == 1
    there = [world.is_there(one) for one in (running, lately, ended, planned)]
    assert there == [True, True, False, True]
    world.end(job)
    world.now += 2 * DAY
    assert world.removed() == 2
    with world.engine.begin() as connection:
        connection.execute(sa.delete(tables.job_plan).where(tables.job_plan.c.id == plan_id))
        connection.execute(sa.delete(tables.template_step))
        connection.execute(sa.delete(tables.job_template))
    assert world.removed() == 1
    with world.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.upload_use)) == 0


def test_more_than_a_few(world: World) -> None:
    """All of them go."""
    for number in range(45):
        world.upload(number, age=10)
    assert world.removed() == 45
    assert not list(world.directory.glob("??/*"))


def test_a_job_and_a_removal_at_once(world: World) -> None:
    """The job is stored with its upload, or is refused: never stored without it."""
    for number in range(20):
        made = world.upload(number, age=10)
        outcome: list[str] = []

        def launch(made: Upload = made, outcome: list[str] = outcome) -> None:
            try:
                world.launch(made)
            except errors.LocalFileUnknown:
                outcome.append("refused")
            else:
                outcome.append("stored")

        both: list[Callable[[], object]] = [launch, lambda: world.old().remove(threading.Event())]
        threads = [threading.Thread(target=one) for one in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcome == ["stored" if world.is_there(made) else "refused"]


def test_bytes_without_a_row(world: World) -> None:
    """What a killed removal, or another node, has left goes a day after it was written; new ones stay."""
    for number, age in ((1, 2), (2, 0)):
        part = world.files.open(f"{number:032x}")
        part.add(b"x")
        part.close()
        path = next(world.directory.glob(f"??/{number:032x}.part"))
        then = path.stat().st_mtime - age * 86_400
        os.utime(path, (then, then))
    assert world.removed() == 0
    assert [path.name for path in world.directory.glob("??/*")] == [f"{2:032x}.part"]


def test_a_part_is_one_request_s(world: World) -> None:
    """Until it lets go; what has come is there for the next."""
    id_ = f"{1:032x}"
    first = world.files.open(id_)
    first.add(b"abc")
    with pytest.raises(PartBusy):
        world.files.open(id_)
    first.close()
    second = world.files.open(id_)
    assert second.size == world.files.kept(id_) == 3
    second.go_on_at(2)
    second.add(b"C")
    assert second.sync() == hashlib.sha256(b"abC").hexdigest()
    second.place()
    second.close()
    assert world.files.whole(id_).read_bytes() == b"abC"
    assert world.files.kept(id_) == 0
