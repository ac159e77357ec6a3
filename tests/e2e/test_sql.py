"""fast_execute_sql on real servers of MySQL's kind and of PostgreSQL, by their clients on the hosts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.e2e.databases import HOST, KINDS, PASSWORD, SLEEP, VARIABLE, account, clients, running
from tests.e2e.jobs import SUCCESS, Job, wait_until
from tests.lab import Lab
from tests.support.service import Service, b64

#: What is in the password and nowhere else, to look for it.
MARK = "{{ 7*7 }}%s"


@pytest.fixture(scope="module")
def databases(lab: Lab) -> Iterator[None]:
    """Both servers on a host."""
    with running(lab):
        yield


@pytest.fixture(scope="module")
def sql(service: Service, databases: None) -> Service:
    """The shared service with accounts of these databases."""
    service.environment = {**service.environment, VARIABLE: PASSWORD, "BAD": "not the password"}
    accounts = [
        account(kind, f"{kind}{state}", variable)
        for kind in KINDS
        for state, variable in (("", VARIABLE), (" wrong", "BAD"))
    ]
    db2 = {"alias": "db2", "account": "app", "category": 2, "type": 11}
    db2["database"] = {"system_account": "job", "password_env": VARIABLE}
    service.apply(yaml.safe_dump({"scope": {"type": "biz", "id": "1"}, "accounts": [*accounts, db2]}))
    return service


def run(service: Service, account: str, text: str, *hosts: int) -> Job:
    """A job of the account on hosts."""
    accounts = service.data("get_account_list", bk_biz_id=1, category=2, length=100)["data"]
    (account_id,) = [item["id"] for item in accounts if item["alias"] == account]
    launched = service.data(
        "fast_execute_sql",
        bk_biz_id=1,
        script_content=b64(text),
        db_account_id=account_id,
        target_server={"host_id_list": list(hosts or (HOST,))},
        timeout=120,
    )
    assert launched["step_instance_id"] is None
    job_id = launched["job_instance_id"]
    (step,) = service.status(1, job_id)["step_instance_list"]
    assert step["type"] == 4
    return Job(service, 1, job_id, step["step_instance_id"])


def test_sql_is_run(sql: Service) -> None:
    """Statements, what they answer, text beyond ASCII; and a shell that SQL starts finds no password."""
    mysql = run(
        sql,
        "mysql",
        "CREATE DATABASE shop; USE shop;\nCREATE TABLE t (name VARCHAR(20)) CHARSET utf8mb4;\n"
        "INSERT INTO t VALUES ('数据库');\nSELECT CONCAT(name, '!') AS word FROM t;\n"
        "\\! id -un && cat /dev/fd/3 && tr '\\0' '\\n' < /proc/$PPID/environ\n"
        "SELECT CURRENT_USER()",
    )
    postgresql = run(
        sql,
        "postgresql",
        "CREATE DATABASE shop;\n\\connect shop\nCREATE TABLE t (name text);\nINSERT INTO t VALUES ('数据库');\n"
        "SELECT name || '!' AS word FROM t;\n"
        "\\! id -un; cat /dev/fd/3; tr '\\0' '\\n' < /proc/$PPID/environ\nSELECT current_user",
    )
    for job in (mysql, postgresql):
        assert job.states == {HOST: SUCCESS}, job.why()
        log = job.log(HOST)
        assert "数据库!" in log
        assert "app" in log
        assert "job\n" in log  # the system account
        assert MARK not in log
    detail = detail_of(sql, mysql)
    assert (detail["type"], detail["script_info"]["script_language"]) == (1, 6)
    assert "CREATE DATABASE shop" in detail["script_info"]["script_content"]


def detail_of(service: Service, job: Job) -> dict[str, Any]:
    """get_step_instance_detail."""
    found: dict[str, Any] = service.data(
        "get_step_instance_detail",
        bk_scope_type="biz",
        bk_scope_id="1",
        job_instance_id=job.id,
        step_instance_id=job.step_id,
    )
    return found


def test_errors_end_it(sql: Service) -> None:
    """The first statement that fails is the last; a wrong password and a missing client are failures as well."""
    started = {
        alias: run(sql, alias, "SELECT 1;\nSELECT nope;\nSELECT 'went on';\n")
        for alias in ("mysql", "postgresql", "mysql wrong", "postgresql wrong", "db2")
    }
    said = {
        "mysql": "ERROR 1054 (42S22) at line 2",
        "postgresql": 'psql:<stdin>:2: ERROR:  column "nope" does not exist',
        "mysql wrong": "ERROR 1045 (28000): Access denied for user 'app'",
        "postgresql wrong": 'password authentication failed for user "app"',
        "db2": "no client of the database on this host: looked for db2",
    }
    codes = {"mysql": 1, "postgresql": 3, "mysql wrong": 1, "postgresql wrong": 2, "db2": 127}
    for alias, job in started.items():
        assert job.states == {HOST: (104, codes[alias], 0)}, alias
        assert said[alias] in job.log(HOST), job.log(HOST)
        assert "went on" not in job.log(HOST)
        assert "not the password" not in job.log(HOST)


def test_the_password_is_nowhere(sql: Service, lab: Lab) -> None:
    """Not in a command line or environment of the host, in none of its files, and not with the service.

    While clients run, and after they were terminated, which ends their processes.
    """
    host = lab.host(HOST)
    jobs = [run(sql, kind, SLEEP[kind]) for kind in KINDS]
    wait_until(lambda: clients(lab), "both clients")
    look = (
        "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2> /dev/null | grep -c -a -F -f /run/mark;"
        " grep -r -l -a -F -f /run/mark /tmp /home /root /srv/sql /var/tmp 2> /dev/null"
    )
    lab.exec(host, "cat > /run/mark", input=MARK)
    assert lab.exec(host, look).stdout == "0\n"
    for job in jobs:
        sql.data("operate_job_instance", bk_biz_id=1, job_instance_id=job.id, operation_code=1)
    for job in jobs:
        assert (job.status, job.statuses) == (11, {HOST: 403})
    assert lab.exec(host, "pgrep -x mariadb || pgrep -x psql").stdout == ""
    assert lab.exec(host, look).stdout == "0\n"
    with_service = [
        path for path in sql.data_dir.rglob("*") if path.is_file() and MARK.encode() in path.read_bytes()
    ]
    assert with_service == []
