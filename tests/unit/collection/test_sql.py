"""sql.sh below supervisor.sh, with a stand-in for each database's client, which says what it was given."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.collection.programs import SHELLS, Program, Reply, path_with, text_of

PASSWORD = "not-for-anyone's-eyes"
#: What a client can know, and what anybody who lists processes and files could see of it.
CLIENT = """#!/bin/sh
echo "argv $*"
seen() {{ tr '\\0' ' ' | grep -c -F -f {secret}; }}
echo "user can see: $(seen < /proc/$$/environ) $(cat /proc/[0-9]*/cmdline 2> /dev/null | seen)"
echo "named files: $(grep -l -F -f {secret} {runs}/* 2> /dev/null)"
{read}
echo "sql $(cat)"
exit {code}
"""
READ = {
    "mariadb": 'echo "told $(cat /dev/fd/3)"; echo "left $(cat /dev/fd/3)"',
    "psql": 'echo "told $(cat "$PGSERVICEFILE")"; eval "${6#--command=?!}"; echo "left $(cat "$PGSERVICEFILE")"',
}


class Sql(Program):
    """A run of SQL with clients of its own on PATH."""

    def start(self, sql: str, *told: str) -> Reply:
        """Launch and wait until it has ended."""
        script = f"{text_of('sql.sh')}{sql}".encode()
        data = shlex.join(told).encode() + b"\n" + script
        args = (60, 6, len(script), 0, 1_000_000, 5, 100)
        reply = self("start", *args, data=data, sealed=True)
        while reply.state in ("running", "launching"):
            reply = self("follow", 0, 1_000_000, 5, 10)
        return reply


NewSql = Callable[..., Sql]


@pytest.fixture(params=SHELLS)
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewSql]:
    """A run for which there is one client, `name`; with none there is no client at all."""
    base = Path(f"/tmp/bkjob.{os.getuid()}")
    made: list[Sql] = []

    def new(name: str = "", code: int = 0, read: str | None = None) -> Sql:
        path = path_with(request.param, tmp_path / "bin")
        mine = Sql("supervisor.sh", path)
        made.append(mine)
        if name:
            program = tmp_path / "bin" / name
            secret, runs = tmp_path / "secret", base / mine.key
            secret.write_text(PASSWORD)
            text = READ.get(name, "") if read is None else read
            program.write_text(CLIENT.format(secret=secret, runs=runs, read=text, code=code))
            program.chmod(0o755)
        return mine

    yield new
    for each in made:
        each("clean", each.key)
        (base / each.key).unlink(missing_ok=True)


def lines(reply: Reply) -> list[str]:
    """What the stand-in said."""
    return reply.output.decode().splitlines()


def test_mysql(client: NewSql) -> None:
    """The password comes through a pipe that is empty afterwards; the client's exit code is the script's."""
    reply = client("mariadb", 3).start("SELECT 1;\n-- é", "mysql", "3306", "app", PASSWORD)
    assert lines(reply) == [
        "argv --defaults-file=/dev/fd/3 --host=127.0.0.1 --port=3306 --user=app "
        "--default-character-set=utf8mb4 -vvv",
        "user can see: 0 0",
        "named files: ",
        "told [client]",
        f'password="{PASSWORD}"',
        "left ",
        "sql SELECT 1;",
        "-- é",
    ]
    assert (reply.state, reply.words[0]) == ("finished", "3")


def test_postgresql_by_its_socket(client: NewSql) -> None:
    """Port 0: no address. The file of the password has no name, and psql is told to stop at an error."""
    reply = client("psql").start("SELECT 1;", "postgresql", "0", "o'brien x", PASSWORD)
    assert lines(reply) == [
        "argv --no-psqlrc --no-password --set=ON_ERROR_STOP=1 --username=o'brien x "
        '--dbname=service=job dbname=postgres --command=\\! echo "[job]" > /dev/fd/3 --file=-',
        "user can see: 0 0",
        "named files: ",
        "told [job]",
        f"password={PASSWORD}",
        "left [job]",
        "sql SELECT 1;",
    ]
    assert (reply.state, reply.words[0]) == ("finished", "0")


def test_oracle(client: NewSql) -> None:
    """sqlplus connects by its own input; what it could not send is an error although it says that all is well."""
    mine = client("sqlplus")
    reply = mine.start("SELECT 1 FROM dual;", "oracle", "1521", "app", PASSWORD)
    assert lines(reply) == [
        "argv -S -L /nolog",
        "user can see: 0 0",
        "named files: ",
        "sql WHENEVER SQLERROR EXIT FAILURE",
        "WHENEVER OSERROR EXIT FAILURE",
        "SET DEFINE OFF",
        f'CONNECT app/"{PASSWORD}"',
        "SET DEFINE ON",
        "SET LINESIZE 300",
        "SELECT 1 FROM dual;",
        "EXIT",
    ]
    assert (reply.state, reply.words[0]) == ("finished", "0")


@pytest.mark.parametrize(("said", "code", "expected"), [("SP2-0640: Not connected", 0, "1"), ("ok", 1, "1")])
def test_oracle_s_errors(client: NewSql, said: str, code: int, expected: str) -> None:
    """SP2 messages and the client's own exit code."""
    reply = client("sqlplus", code, f"echo {said}").start("SELECT", "oracle", "0", "app", "")
    assert reply.words[0] == expected


def test_db2(client: NewSql) -> None:
    """The SQL is a file, errors end it; afterwards nothing stays behind."""
    mine = client("db2", 4, '[ "$1" = terminate ] || cat "$2"')
    reply = mine.start("CONNECT TO sample;\n", "db2", "0", "app", PASSWORD)
    assert lines(reply)[-2:] == ["CONNECT TO sample;", "sql "]
    assert reply.words[0] == "4"
    assert "argv -stvf " in lines(reply)[0]


def test_a_host_without_the_client(client: NewSql) -> None:
    """127, and what was looked for."""
    reply = client().start("SELECT 1", "db2", "0", "app", PASSWORD)
    assert reply.output == b"no client of the database on this host: looked for db2\n"
    assert (reply.state, reply.words[0]) == ("finished", "127")


def test_a_profile_names_the_client_s_place(
    client: NewSql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account's ~/.profile is read if PATH has no client."""
    mine = client()
    place = tmp_path / "db2home" / "bin"
    place.mkdir(parents=True)
    (place / "db2").write_text("#!/bin/sh\necho mine\n")
    (place / "db2").chmod(stat.S_IRWXU)
    (tmp_path / "db2home" / ".profile").write_text(f"PATH=$PATH:{place}\n")
    monkeypatch.setenv("HOME", str(tmp_path / "db2home"))
    assert mine.start("SELECT 1", "db2", "0", "app", "").output == b"mine\n"


def test_a_password_is_in_no_file_afterwards(client: NewSql) -> None:
    """Nothing of the run's directory has it, whatever became of the run."""
    mine = client("psql", 1)
    mine.start("SELECT 1", "postgresql", "0", "app", PASSWORD)
    directory = Path(f"/tmp/bkjob.{os.getuid()}") / mine.key
    found = [path for path in directory.iterdir() if path.name != "out" and PASSWORD in path.read_text()]
    assert found == []
    assert not [path.name for path in directory.iterdir() if path.suffix in (".param", ".account")]
