"""A copy of a store that is in use is whole; one that is put back hands out no id that a host may know."""

from __future__ import annotations

import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from adapter.cli import main
from adapter.config import Settings
from adapter.job.model import Scope
from adapter.service.applications import Applications
from adapter.store.backup import JUMP, back_up, jump_ahead, next_job, put_back
from adapter.store.opening import open_store
from adapter.store.tables import job_instance, step_instance
from tests.bench.million import fill

JOBS = 40


def run(*words: str) -> str:
    """What a command prints; AssertionError if it fails."""
    done = CliRunner().invoke(main, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def new_job(settings: Settings) -> tuple[int, int]:
    """The ids of a job and a step that are stored now."""
    stores = open_store(settings)
    row = {"scope_type": "biz", "scope_id": "2", "name": "n", "type": 0, "status": 1, "plan_id": -1}
    row |= {"template_id": -1, "launch_mode": 2, "operator": "o", "app_code": "a", "started": True}
    step = {"step_id": -1, "order": 0, "name": "s", "type": 1, "status": 1, "execute_count": 0}
    try:
        with stores.engine.begin() as connection:
            job = connection.execute(sa.insert(job_instance).values(create_time=1, **row))
            step |= {"definition": "{}", "ignore_error": False, "create_time": 1}
            assert job.inserted_primary_key is not None
            step |= {"job_instance_id": job.inserted_primary_key[0]}
            added = connection.execute(sa.insert(step_instance).values(step))
            assert added.inserted_primary_key is not None
            return int(job.inserted_primary_key[0]), int(added.inserted_primary_key[0])
    finally:
        stores.close()


def test_a_copy_beside_a_writer_is_whole_and_comes_back(tmp_path: Path) -> None:
    """Jobs are written all the while: the copy has some of them, each with its step; secrets can be read."""
    settings = Settings(data_dir=tmp_path / "data")
    stores = open_store(settings)
    fill(stores.engine, JOBS, 1, days=1, share=100)
    Applications(stores.apps, _Clock()).create("app", scopes=frozenset({Scope("biz", "2")}))
    sealed = stores.box.encrypt("hush")
    stores.close()
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            new_job(settings)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        run("backup", str(tmp_path / "backup"), "--data-dir", str(settings.data_dir))
    finally:
        stop.set()
        writer.join()
    last_job, last_step = new_job(settings)
    told = run("restore", str(tmp_path / "backup"), "--data-dir", str(tmp_path / "again"))
    again = Settings(data_dir=tmp_path / "again")
    restored = open_store(again)
    try:
        assert restored.box.decrypt(sealed) == "hush"
        assert restored.apps.get("app") is not None
        with restored.engine.connect() as connection:
            jobs = set(connection.scalars(sa.select(job_instance.c.id)))
            steps = set(connection.scalars(sa.select(step_instance.c.job_instance_id)))
    finally:
        restored.close()
    assert set(range(1, JOBS + 1)) <= jobs == steps
    assert last_job not in jobs, "the backup is older than the last job"
    job, step = new_job(again)
    assert job > last_job + JUMP / 2
    assert step > last_step + JUMP / 2
    assert str(job) in told


class _Clock:
    def now_ms(self) -> int:
        return 1


def test_on_postgresql_a_dump_comes_back_and_ids_jump(postgresql_url: str, tmp_path: Path) -> None:
    """pg_dump, a new database, pg_restore, `adapter restore`: as docs/backup.md says."""
    settings = Settings(data_dir=tmp_path / "data", database_url=postgresql_url)
    stores = open_store(settings)
    fill(stores.engine, JOBS, 1, days=1, share=100)
    stores.close()
    new_job_ids = new_job(settings)
    programs = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"))), None)
    dump = shutil.which("pg_dump") or str(programs and programs / "pg_dump")
    restore = shutil.which("pg_restore") or str(programs and programs / "pg_restore")
    subprocess.run([dump, "-Fc", "-f", f"{tmp_path}/dump", "-d", postgresql_url], check=True, timeout=60)
    (tmp_path / "backup").mkdir()
    shutil.copy(tmp_path / "data" / "secret.key", tmp_path / "backup")
    forgotten = new_job(settings)
    stores = open_store(settings)
    with stores.engine.begin() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    stores.close()
    subprocess.run([restore, "-d", postgresql_url, f"{tmp_path}/dump"], check=False, timeout=60)
    words = ("--data-dir", str(tmp_path / "again"), "--database-url", postgresql_url)
    run("restore", str(tmp_path / "backup"), *words)
    again = Settings(data_dir=tmp_path / "again", database_url=postgresql_url)
    job, step = new_job(again)
    assert job > forgotten[0] + JUMP / 2
    assert step > forgotten[1] + JUMP / 2
    stores = open_store(again)
    with stores.engine.connect() as connection:
        assert new_job_ids[0] in set(connection.scalars(sa.select(job_instance.c.id)))
    stores.close()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    """Neither an earlier backup nor a data directory that is in use; and what is no backup is none."""
    settings = Settings(data_dir=tmp_path / "data")
    open_store(settings).close()
    back_up(settings, tmp_path / "backup")
    with pytest.raises(FileExistsError, match="name a new directory"):
        back_up(settings, tmp_path / "backup")
    with pytest.raises(FileExistsError, match="restore into a new directory"):
        put_back(tmp_path / "backup", tmp_path / "data")
    with pytest.raises(FileNotFoundError, match="is no backup"):
        put_back(tmp_path / "nothing", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert (tmp_path / "backup" / "secret.key").stat().st_mode & 0o077 == 0
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0


def test_ids_jump_again_and_again(tmp_path: Path) -> None:
    """Who restores twice jumps twice, also where a table never handed out any."""
    stores = open_store(Settings(data_dir=tmp_path / "data"))
    jump_ahead(stores.engine)
    jump_ahead(stores.engine)
    assert next_job(stores.engine) == 2 * JUMP + 1
    stores.close()
