"""What keeps a data directory, and a SQLite database, to one worker; and which worker it was."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

import sqlalchemy as sa

from adapter.config import Settings
from adapter.store.database import is_shared


class AlreadyRunning(Exception):
    """Another process is the worker of this data directory, or of this SQLite database."""


class Locks:
    """The locks of one worker; the kernel gives them back when its process ends, however it ends."""

    def __init__(self, settings: Settings) -> None:
        self._identity = settings.data_dir / "worker.id"
        self._paths = [settings.data_dir / "worker.lock"]
        database = sa.make_url(settings.database).database
        if not is_shared(settings.database) and database:
            self._paths.append(
                Path(f"{database}.worker.lock").absolute()
            )  # other data directories may share it
        self._files: list[IO[str]] = []

    def take(self) -> None:
        """Take all, or none and raise AlreadyRunning."""
        for path in self._paths:
            try:
                self._files.append(_taken(path))
            except AlreadyRunning:
                self.give_back()
                raise

    def give_back(self) -> None:
        """Let another process have them."""
        while self._files:
            self._files.pop().close()

    def earlier_worker(self, now: str) -> str | None:
        """The id that the worker of this data directory had before; from now on it is `now`.

        Whoever holds the lock knows that the earlier one is dead, and need not wait to see it.
        """
        earlier = self._identity.read_text().strip() if self._identity.exists() else None
        draft = self._identity.with_suffix(".id.new")
        draft.write_text(now)
        draft.rename(self._identity)
        return earlier or None


def _taken(path: Path) -> IO[str]:
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise AlreadyRunning(
            f"another process works on {path.parent} (it holds {path.name}); stop it, or use --no-worker; "
            "several workers need PostgreSQL, and each a data directory of its own"
        ) from None
    return file
