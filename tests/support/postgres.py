"""A real PostgreSQL for tests: a cluster of its own in a temporary directory, reached through a Unix socket.

`python -m tests.support.postgres up|down --directory DIR` does the same for a person (`make lab-postgres`).
"""

from __future__ import annotations

import argparse
import ctypes
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg
from psycopg import sql

#: For tests nothing need survive a power cut; whoever measures starts a cluster that is durable.
_NOT_DURABLE = ("-c", "fsync=off", "-c", "full_page_writes=off")  # a killed server loses nothing committed
_SETTINGS = ("-c", "listen_addresses=", "-c", "max_connections=300")
_START_SECONDS = 30
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)  # loaded before any fork


class NoPostgresql(Exception):
    """This machine has no PostgreSQL server."""


class Cluster:
    """A running server. `url()` names a database in it; leaving the context removes everything."""

    def __init__(self, *, durable: bool = False, owned: bool = True) -> None:
        """Make and start one. An owned one also ends when this process is killed. Raises NoPostgresql."""
        self._programs = _programs()
        self._owned = owned
        self._options = _SETTINGS if durable else (*_SETTINGS, *_NOT_DURABLE)
        self._user = _server_user()
        self._names = (f"test{number}" for number in itertools.count(1))
        self.directory = Path(tempfile.mkdtemp(prefix="pg-"))
        self.data = self.directory / "data"
        if self._user is not None:
            shutil.chown(self.directory, self._user)
        try:
            self._initialise()
            self.start()
        except BaseException:
            self.remove()
            raise

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def url(self, database: str = "postgres") -> str:
        """Of a database, as --database-url takes it."""
        return f"postgresql://postgres@/{database}?host={self.directory}"

    def new_database(self) -> str:
        """The URL of an empty database of its own."""
        name = next(self._names)
        self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Remove what new_database() made, whoever is still connected."""
        name = url.partition("@/")[2].partition("?")[0]
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def start(self) -> None:
        """Start the server, return when it answers."""
        command = [str(self._programs / "postgres"), "-D", str(self.data), "-k", str(self.directory)]
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,
                preexec_fn=_end_with_parent if self._owned else None,  # noqa: PLW1509 one system call
                **self._as_user(),
            )
        until = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"no PostgreSQL: {(self.directory / 'server.log').read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End the server: SIGINT breaks connections and ends in good order, SIGQUIT is a crash."""
        if self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(30)

    def remove(self) -> None:
        """End the server and remove its files."""
        if hasattr(self, "_process"):
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self.directory, ignore_errors=True)

    def forget(self) -> int:
        """Let the server outlive this process; its pid."""
        self._process.returncode = 0
        return self._process.pid

    def _initialise(self) -> None:
        command = [
            str(self._programs / "initdb"),
            "-D",
            str(self.data),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
        ]
        subprocess.run(
            [*command, "--locale=C", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=self.directory,
            **self._as_user(),
        )

    def _as_user(self) -> dict[str, Any]:
        """A server refuses to run as root."""
        if self._user is None:
            return {}
        return {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []}

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement)


def _programs() -> Path:
    """Where the server's programs are; Debian keeps them off PATH, one directory for each version."""
    versions = [path for path in Path("/usr/lib/postgresql").glob("*/bin/postgres") if path.exists()]
    if versions:
        return max(versions, key=lambda path: int(path.parts[-3])).parent
    found = shutil.which("postgres")
    if found is None:
        raise NoPostgresql("no PostgreSQL server on this machine; as root: apt-get install postgresql")
    return Path(found).resolve().parent


def _server_user() -> str | None:
    """Whom root runs the server as; None: we are not root."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"


def _end_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def main() -> int:
    """The command line; exit code 0 when the server is afterwards as asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.postgres", description=__doc__)
    parser.add_argument("action", choices=["up", "down"])
    parser.add_argument("--directory", type=Path, default=Path(".lab-postgres"))
    arguments = parser.parse_args()
    note: Path = arguments.directory / "server"
    return _up(note) if arguments.action == "up" else _down(note)


def _up(note: Path) -> int:
    if note.exists():
        print(f"already up: {note.read_text().splitlines()[-1]}")
        return 0
    try:
        cluster = Cluster(durable=True, owned=False)
    except NoPostgresql as error:
        print(f"lab-postgres: {error}", file=sys.stderr)
        return 1
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(f"{cluster.forget()}\n{cluster.directory}\n{cluster.url()}\n")
    print(f"ready: --database-url '{cluster.url()}'")
    return 0


def _down(note: Path) -> int:
    if not note.exists():
        print("no PostgreSQL here")
        return 0
    pid, directory, _ = note.read_text().splitlines()
    if (Path(directory) / "data" / "postmaster.pid").exists():
        os.kill(int(pid), signal.SIGINT)
        until = time.monotonic() + _START_SECONDS
        while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
            time.sleep(0.05)
    shutil.rmtree(directory, ignore_errors=True)
    note.unlink()
    print("down")
    return 0


if __name__ == "__main__":
    sys.exit(main())
