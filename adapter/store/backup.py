"""Copies of a SQLite installation that are whole though the service runs, and what makes a restored one safe.

Hosts remember which executions of which steps they ran, by ids. A database that is set back would hand out ids
again that hosts know from jobs it has forgotten, and a new script would be taken for the old one. So ids jump
ahead.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import sqlalchemy as sa

from adapter.config import Settings
from adapter.store.database import open_database, sqlite_module
from adapter.store.tables import metadata

#: The database first: a workflow that it does not know of ends at once, and so does no harm.
_DATABASES = ("adapter.db", "workflows.db")
KEY = "secret.key"
#: How far ids jump: more than an installation hands out between two backups.
JUMP = 100_000_000
#: Pages that are copied at once, so that whoever writes meanwhile is not kept waiting.
_PAGES = 1024


def back_up(settings: Settings, to: Path) -> list[Path]:
    """Copy both databases and the key into `to`, a new directory of the owner's alone; what was written.

    Raises FileExistsError if `to` is there already. A backup that was broken off has another name: `<to>.part`.
    """
    if to.exists():
        raise FileExistsError(f"{to} is there already; name a new directory")
    draft = to.with_name(f"{to.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    names = [name for name in _DATABASES if (settings.data_dir / name).exists()]
    for name in names:
        _copy(settings.data_dir / name, draft / name)
    shutil.copy(settings.data_dir / KEY, draft / KEY)
    draft.rename(to)
    return [to / name for name in (*names, KEY)]


def put_back(backup: Path, data_dir: Path) -> None:
    """Copy a backup into a data directory that has no databases and no key, its ids moved ahead already.

    Raises FileNotFoundError if `backup` is none, FileExistsError if the data directory is in use.
    """
    for name in (_DATABASES[0], KEY):
        if not (backup / name).is_file():
            raise FileNotFoundError(f"{backup} is no backup: it has no {name}")
    for name in (*_DATABASES, KEY):
        if (data_dir / name).exists():
            raise FileExistsError(f"{data_dir} has a {name} already; restore into a new directory")
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in (*_DATABASES, KEY):  # the key last: without it nothing takes the directory for a whole one
        if (backup / name).exists():
            draft = data_dir / f"{name}.part"
            shutil.copy(backup / name, draft)
            draft.chmod(0o600)
            if name == _DATABASES[0]:  # before it has its name: nobody must start with a half of this
                engine = open_database(f"sqlite:///{draft}")
                jump_ahead(engine)
                engine.dispose()
            draft.rename(data_dir / name)


def next_job(engine: sa.Engine) -> int:
    """The id that the next job will have, or a higher one."""
    with engine.begin() as connection:
        return _last(connection, "job_instance") + 1


def jump_ahead(engine: sa.Engine) -> None:
    """Let every table that hands out ids go on JUMP above its last one.

    All ids: templates, accounts and scripts that were made after the backup have been told to clients as well.
    """
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            if table.dialect_options["sqlite"]["autoincrement"]:
                _jump(connection, table)


def _jump(connection: sa.Connection, table: sa.Table) -> None:
    last = _last(connection, table.name) + JUMP
    if connection.dialect.name == "sqlite":
        values = {"name": table.name, "last": last}
        if not connection.execute(
            sa.text("UPDATE sqlite_sequence SET seq = :last WHERE name = :name"), values
        ).rowcount:
            connection.execute(
                sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), values
            )
    else:
        sequence = sa.func.pg_get_serial_sequence(table.name, "id")
        connection.execute(sa.select(sa.func.setval(sequence, last)))


def _last(connection: sa.Connection, table: str) -> int:
    """The last id that the table handed out."""
    if connection.dialect.name == "sqlite":
        text = "SELECT seq FROM sqlite_sequence WHERE name = :name"
    else:
        text = "SELECT last_value FROM pg_sequences WHERE sequencename = :name || '_id_seq'"
    return connection.scalar(sa.text(text), {"name": table}) or 0


def _copy(source: Path, target: Path) -> None:
    """SQLite's own online backup: one state of the database, whoever writes meanwhile."""
    module = sqlite_module()
    reading, writing = module.connect(str(source)), module.connect(str(target))
    try:
        reading.execute("PRAGMA busy_timeout=30000")
        reading.execute("BEGIN")  # one snapshot: a writer does not make the copy begin again
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
        reading.backup(writing, pages=_PAGES)
        problem = writing.execute("PRAGMA quick_check").fetchone()[0]
        if problem != "ok":
            raise ValueError(f"the copy of {source} is damaged: {problem}")
        target.chmod(0o600)
    finally:
        writing.close()
        reading.close()
