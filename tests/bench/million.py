"""A store with very many finished jobs, written by the database itself: a minute, not an hour."""

from __future__ import annotations

import sqlalchemy as sa

DAY_MS = 86_400_000
#: Hosts that jobs run on.
HOSTS = 5_000

_SCRIPT = '{"language": 1, "content": "echo", "account_id": 1}'

_NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :jobs)",
    "postgresql": "WITH numbers(n) AS (SELECT generate_series(1, CAST(:jobs AS bigint)))",
}

_JOBS = """
INSERT INTO job_instance (id, scope_type, scope_id, other_scope_type, other_scope_id, name, type, status, plan_id,
    template_id, launch_mode, operator, app_code, started, create_time, start_time, end_time, open)
{numbers}
SELECT n, 'biz', CASE WHEN n % 100 < :share THEN '2' ELSE CAST(3 + n % 20 AS VARCHAR(9)) END,
    CASE WHEN n % 500 = 99 THEN 'biz' END, CASE WHEN n % 500 = 99 THEN '2' END,
    CASE n / 7 % 4 WHEN 0 THEN 'API_FAST_EXECUTE_SCRIPT_' WHEN 1 THEN '发布 deploy web ' WHEN 2
        THEN 'Nightly backup ' ELSE 'bk-sops node ' END || (n * 7919 % 1000003),
    n % 3, CASE n / 10 % 10 WHEN 0 THEN 4 WHEN 1 THEN 11 ELSE 3 END,
    CASE WHEN n % 3 = 0 THEN n % 50 + 1 ELSE -1 END,
    CASE WHEN n % 3 = 0 THEN n % 50 + 1 ELSE -1 END, n / 3 % 2 + 1, 'user' || (n / 100 % 200), 'bench', {true},
    :first + n * :span / :jobs, :first + n * :span / :jobs + 100, :first + n * :span / :jobs + 5000, {false}
FROM numbers
"""
_STEPS = """
INSERT INTO step_instance (id, job_instance_id, step_id, "order", name, type, status, execute_count, definition,
    ignore_error, create_time)
SELECT id, id, -1, 0, 'step', 1, status, 0, :definition, {false}, create_time FROM job_instance
"""
_RESULTS = """
INSERT INTO host_result (step_instance_id, execute_count, bk_host_id, "order", bk_cloud_id, ip, name, status,
    error_code, tag, log_bytes, log_kept)
SELECT id, 0, n + 1, {nth}, 0, '10.0.' || (n / 250) || '.' || (n % 250), 'host', 9, 0, '', 0, 0
FROM (SELECT id, (id * 7 + {nth}) % :hosts AS n FROM job_instance WHERE id % {every} = 0) AS job
"""


def fill(engine: sa.Engine, jobs: int, first: int, *, days: int, share: int) -> None:
    """That many finished jobs over some days from `first` (ms) on, of a step on a host, every hundredth on ten.

    `share` percent of them are of business 2, and some platform jobs are too. Then the database's own statistics.
    """
    name = engine.dialect.name
    words = {
        "numbers": _NUMBERS[name],
        "true": "true" if name == "postgresql" else "1",
        "false": "false" if name == "postgresql" else "0",
    }
    values = {"jobs": jobs, "first": first, "span": days * DAY_MS, "share": share}
    with engine.begin() as connection:
        connection.execute(sa.text(_JOBS.format(**words)), values)
        connection.execute(sa.text(_STEPS.format(**words)), {"definition": _SCRIPT})
        for nth in range(10):
            text = _RESULTS.format(nth=nth, every=100 if nth else 1)
            connection.execute(sa.text(text), {"hosts": min(HOSTS, jobs)})
        if name == "postgresql":  # ids that are given move no sequence on
            for table in ("job_instance", "step_instance"):
                connection.execute(sa.select(sa.func.setval(f"{table}_id_seq", jobs)))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE" if name == "postgresql" else "ANALYZE")
