"""Contents that came with a request: encrypted in the store, in clear only while their step runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapter.engine.given_files import GivenFilesGone, Placing
from adapter.job.model import SERVICE_HOST, FileSource, FileTask, JobInstance, StepInstance
from adapter.job.status import FileType, RunStatus, StepType
from adapter.store import tables
from adapter.store.given_files import GivenFiles
from adapter.store.secrets import SecretBox

from .conftest import ONE, SCOPE, Bench

CONTENTS = {"a": b"first \x00\xff", "b": b"second"}
WEEK = 7 * 24 * 3600 * 1000


def pushed(bench: Bench) -> JobInstance:
    """A stored job that sends CONTENTS."""
    sources = tuple(
        FileSource(
            files=(name,),
            account_id=1,
            hosts=(SERVICE_HOST,),
            file_type=FileType.BASE64_FILE,
            content=content,
        )
        for name, content in CONTENTS.items()
    )
    file = FileTask(sources=sources, target_path="/tmp", account_id=1)
    step = StepInstance(name="push", type=StepType.FILE, file=file, create_time=1)
    return bench.jobs.add(JobInstance(scope=SCOPE, steps=(step,), create_time=1), [(ONE,)])


def stored(bench: Bench) -> StepInstance:
    """Its step, as everybody reads it."""
    step = bench.jobs.step(pushed(bench).steps[0].id)
    assert step is not None
    return step


def files_below(directory: Path) -> list[Path]:
    """All of them."""
    return [path for path in directory.rglob("*") if path.is_file()]


def test_they_are_stored_encrypted(bench: Bench) -> None:
    """With the job, in one transaction; whoever reads the step gets none of them."""
    step = stored(bench)
    assert step.file is not None
    assert [(source.file_type, source.content) for source in step.file.sources] == [(4, None)] * 2
    assert GivenFiles(bench.engine, bench.box).of(step.id) == dict(enumerate(CONTENTS.values()))
    bench.engine.dispose()  # everything is on the disk
    for path in bench.settings.data_dir.glob("*"):
        assert b"second" not in path.read_bytes()


def test_a_row_older_than_file_types_says_the_same(bench: Bench) -> None:
    """It has `is_given` and no kind; of other sources it says that they are not."""
    step = stored(bench)
    old = [{"files": ["a"], "account_id": 1, "hosts": [], "is_given": each} for each in (True, False)]
    definition = json.dumps({"sources": old, "target_path": "/tmp", "account_id": 1})
    with bench.engine.begin() as connection:
        connection.execute(sa.update(tables.step_instance).values(definition=definition))
    read = bench.jobs.step(step.id)
    assert read is not None
    assert read.file is not None
    kinds = [source.file_type for source in read.file.sources]
    assert kinds == [FileType.BASE64_FILE, FileType.SERVER]


def test_another_key_reads_nothing(bench: Bench) -> None:
    """It says that the key is another."""
    other = SecretBox(b"A" * 43 + b"=")
    with pytest.raises(ValueError, match=r"secret\.key"):
        GivenFiles(bench.engine, other).of(stored(bench).id)


def test_they_are_in_clear_while_the_step_runs(bench: Bench, tmp_path: Path) -> None:
    """By SHA-256 with a manifest, readable by the service alone; afterwards neither is there."""
    step, placing, spool = stored(bench), bench.placing(), tmp_path / "spool"
    with placing.placed(step, spool, bench.logs) as cache:
        assert cache is not None
        for number, (name, content) in enumerate(CONTENTS.items()):
            (file,) = json.loads((spool / f"source-{number}.0.json").read_text())["files"]
            (entry,) = file["entries"]
            assert (entry["name"], entry["size"]) == (name, len(content))
            path = cache / entry["sha256"][:2] / entry["sha256"]
            assert path.read_bytes() == content
            assert path.stat().st_mode & 0o777 == 0o600
        assert cache.stat().st_mode & 0o777 == 0o700
    assert files_below(placing.directory) == files_below(spool) == []
    uploads = bench.logs.file_logs(step.id, 0, {0})
    assert [(entry.src_path, entry.status, entry.mode) for entry in uploads] == [("a", 4, 0), ("b", 4, 0)]


def test_again_after_a_crash(bench: Bench, tmp_path: Path) -> None:
    """What a killed process left is removed, what this one has in place is not; the next run has all of it."""
    step, spool = stored(bench), tmp_path / "spool"
    killed = bench.placing()
    context = killed.placed(step, spool, bench.logs)
    context.__enter__()
    assert len(files_below(killed.directory)) == 2
    placing = bench.placing()
    with placing.placed(step, spool, bench.logs) as cache:
        placing.remove_earlier()
        assert cache is not None
        assert len(files_below(placing.directory)) == len(files_below(cache)) == 2
    assert files_below(placing.directory) == []


def test_a_step_without_them(bench: Bench, tmp_path: Path) -> None:
    """Nothing is placed for a script."""
    step = bench.job("true").steps[0]
    with bench.placing().placed(step, tmp_path / "spool", bench.logs) as cache:
        assert cache is None
    assert not (tmp_path / "spool").exists()


def test_a_disk_that_takes_nothing(bench: Bench, tmp_path: Path) -> None:
    """The error is the disk's, whoever runs the step tries again; half of the contents do not stay."""
    step, spool = stored(bench), tmp_path / "spool"
    (tmp_path / "given").write_text("no directory")
    with pytest.raises(OSError, match="given"), bench.placing().placed(step, spool, bench.logs):
        pass
    assert files_below(spool) == []
    assert bench.logs.file_logs(step.id, 0, None) == ()


def test_contents_that_are_gone(bench: Bench, tmp_path: Path) -> None:
    """The run says so instead of sending half of them."""
    step, placing = stored(bench), bench.placing()
    placing.contents.forget(step.id)
    with pytest.raises(GivenFilesGone), placing.placed(step, tmp_path / "spool", bench.logs):
        pass
    assert files_below(tmp_path / "spool") == []


@pytest.mark.parametrize(
    ("status", "age", "stays"),
    [
        (RunStatus.WAITING, 2 * WEEK, True),
        (RunStatus.RUNNING, 2 * WEEK, True),
        (RunStatus.SUCCESS, 0, False),
        (RunStatus.IGNORED, 0, False),
        (RunStatus.SKIPPED, 0, False),
        (RunStatus.FAILED, WEEK - 1, True),
        (RunStatus.FAILED, WEEK + 1, False),
        (RunStatus.STOPPED, WEEK - 1, True),
        (RunStatus.ABNORMAL, WEEK + 1, False),
    ],
)
def test_when_they_are_of_no_use(bench: Bench, status: RunStatus, age: int, stays: bool) -> None:
    """A step that may be run again keeps them for a week; one that waits, however long; a good one, not at all."""
    step = stored(bench)
    if status is RunStatus.RUNNING:
        bench.jobs.begin_step(step.id, bench.now - age)
    elif status is not RunStatus.WAITING:
        bench.jobs.finish_step(step.id, status, bench.now - age)
    kept: Placing = replace(bench.placing())
    forgotten = kept.contents.forget_useless(bench.now - WEEK)
    assert (forgotten, len(kept.contents.of(step.id))) == ((0, 2) if stays else (2, 0))
