"""Real servers of MySQL's kind and of PostgreSQL on a lab host, each with a user `app` that has a password."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.jobs import wait_until
from tests.lab import Lab

HOST = 103
#: Every character that an option file, a password file, a shell or a template could stumble over.
PASSWORD = f"p\"w\\ :#'é${{x}}{{{{ 7*7 }}}}%s{secrets.token_hex(6)}"
#: The environment variable that accounts() reads it from.
VARIABLE = "DB"
KINDS = ("mysql", "postgresql")
#: SQL that goes on until it is ended.
SLEEP = {"mysql": "SELECT SLEEP(600)", "postgresql": "SELECT pg_sleep(600)"}
_ACCOUNTS = {"mysql": (9, 3306), "postgresql": (101, 5432)}
_START = """
set -e
mkdir -m 755 /srv/sql
cd /srv/sql
mariadb-install-db --no-defaults --user=root --datadir=/srv/sql/mysql --skip-test-db > install.log 2>&1
mariadbd --no-defaults --user=root --datadir=/srv/sql/mysql --socket=/srv/sql/mysqld.sock --port=3306 \\
    --bind-address=127.0.0.1 --innodb-use-native-aio=0 < /dev/null > mysql.log 2>&1 &
echo $! > pids
mkdir -m 700 pg
chown nobody pg
alone="setpriv --reuid=nobody --regid=nogroup --clear-groups"
$alone "$1/initdb" -D pg/data -U app -A scram-sha-256 --pwfile=/tmp/password -E UTF8 --locale=C --no-sync \\
    > pg.log 2>&1
$alone "$1/postgres" -D pg/data -k /srv/sql/pg -h 127.0.0.1 -p 5432 -c fsync=off < /dev/null >> pg.log 2>&1 &
echo $! >> pids
"""
_END = """
kill $(cat /srv/sql/pids)
while kill -0 $(cat /srv/sql/pids) 2> /dev/null; do sleep 0.1; done
rm -r /srv/sql
"""


@contextmanager
def running(lab: Lab) -> Iterator[None]:
    """Both servers on HOST, whose user `job` is no user of theirs."""
    if not lab.isolated:
        pytest.skip("hosts of this kind have no network of their own")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not (programs and shutil.which("psql") and shutil.which("mariadb") and shutil.which("mariadbd")):
        pytest.skip("no PostgreSQL or MariaDB; as root: apt-get install postgresql mariadb-server-core")
    host = lab.host(HOST)
    quoted = PASSWORD.replace("\\", "\\\\").replace("'", "''")
    user = f"CREATE USER app@'%' IDENTIFIED BY '{quoted}'; GRANT ALL ON *.* TO app@'%';"
    mysql = "mariadb --no-defaults --default-character-set=utf8mb4 -S /srv/sql/mysqld.sock mysql"
    lab.exec(host, "mkdir -p /srv; umask 022; cat > /tmp/password", input=PASSWORD)
    started = lab.exec(host, ["sh", "-c", _START, "sh", str(programs[-1])])
    assert started.returncode == 0, started.stderr + lab.exec(host, "cat /srv/sql/*.log").stdout
    ready = f"{mysql} < /dev/null && {programs[-1]}/pg_isready -q -h 127.0.0.1"
    wait_until(lambda: lab.exec(host, ready).returncode == 0, "both servers", 60)
    assert lab.exec(host, mysql, input=user).returncode == 0
    lab.exec(host, "rm /tmp/password")
    try:
        yield
    finally:
        ended = lab.exec(host, _END)
        assert ended.returncode == 0, ended.stderr


def clients(lab: Lab) -> bool:
    """True while both servers have one."""
    return lab.exec(lab.host(HOST), "pgrep -x mariadb && pgrep -x psql").returncode == 0


def account(kind: str, alias: str, variable: str = VARIABLE) -> dict[str, Any]:
    """An account of a kind of server, for `adapter apply`; its system account is `job`."""
    number, port = _ACCOUNTS[kind]
    database = {"system_account": "job", "port": port, "password_env": variable}
    return {"alias": alias, "account": "app", "category": 2, "type": number, "database": database}


def accounts(prefix: str) -> list[dict[str, Any]]:
    """One of each kind, for `adapter apply`."""
    return [account(kind, f"{prefix} {kind}") for kind in KINDS]
