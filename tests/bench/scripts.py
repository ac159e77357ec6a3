"""How long lists of scripts take with very many stored, as JSON text: `python -m tests.bench.scripts`.

100,000 scripts of a business with a version each, one script with 100,000 versions more. Must: 200 ms, 99 of 100.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from adapter.api import views_catalog, views_library_v2
from adapter.api.reports import VersionPage
from adapter.clock import SystemClock
from adapter.job.model import Scope
from adapter.service.catalog_scripts import ScriptCatalog
from adapter.store.database import migrate, open_database
from adapter.store.scripts import ScriptStore
from adapter.store.tables import script, script_version
from tests.support.postgres import Cluster

NUMBER = 100_000
MUST = 0.2  # seconds
_TIMES = 100
_BIZ = Scope("biz", "2")


def main() -> int:
    """Print the figures; 1 if one of them is too long."""
    random.seed(1)
    with tempfile.TemporaryDirectory() as directory, Cluster(durable=True) as cluster:
        worst = [
            measure("SQLite", f"sqlite:///{directory}/scripts.db", Path(directory)),
            measure("PostgreSQL", cluster.new_database(), Path(directory)),
        ]
    return 1 if max(worst) > MUST else 0


def measure(name: str, url: str, directory: Path) -> float:
    """The longest of the 99th percentiles."""
    engine = open_database(url)
    migrate(engine, directory / "lock")
    _fill(engine)
    worst = 0.0
    for what, ask in _asked(ScriptCatalog(ScriptStore(engine), SystemClock())).items():
        ask()
        times = [_seconds(ask) for _ in range(_TIMES)]
        p99 = statistics.quantiles(times, n=100)[98]
        worst = max(worst, p99)
        print(
            f"{name}: {what}: median {statistics.median(times) * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms",
            flush=True,
        )
    engine.dispose()
    return worst


def _asked(catalog: ScriptCatalog) -> Mapping[str, Callable[[], str]]:
    def scripts(**wanted: Any) -> str:
        return json.dumps(views_catalog.scripts(catalog.get_script_list(_BIZ, **wanted)))

    def versions(start: int, length: int) -> str:
        page = catalog.get_script_version_list(
            _BIZ, script_id="s0", start=start, length=length, with_content=False
        )
        return json.dumps(views_catalog.script_versions(VersionPage(page=page, with_content=False)))

    def of_v2(**wanted: Any) -> str:
        page = catalog.get_online_version_list(_BIZ, with_content=False, **wanted)
        return json.dumps(views_library_v2.scripts(VersionPage(page=page, with_content=False)))

    return {
        "any page of 20 scripts": lambda: scripts(start=random.randrange(NUMBER), length=20),
        "the last page of 1000 scripts": lambda: scripts(start=NUMBER - 1000, length=1000),
        "by a part of the name": lambda: scripts(name=f"{random.randrange(99)}", length=20),
        "by a name that none has": lambda: scripts(name="nothing", length=20),
        "by language, any page": lambda: scripts(language=3, start=random.randrange(NUMBER // 5)),
        "any page of 20 of v2": lambda: of_v2(start=random.randrange(NUMBER), length=20),
        "any page of 20 versions": lambda: versions(random.randrange(NUMBER), 20),
        "the last page of 1000 versions": lambda: versions(NUMBER - 1000, 1000),
    }


def _seconds(ask: Callable[[], str]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def _fill(engine: sa.Engine) -> None:
    for first in range(0, NUMBER, 10_000):
        numbers = range(first, first + 10_000)
        with engine.begin() as connection:
            connection.execute(sa.insert(script), list(map(_script, numbers)))
            connection.execute(sa.insert(script_version), list(_versions(numbers, 0, None)))
    for first in range(0, NUMBER, 10_000):
        with engine.begin() as connection:
            versions = _versions(range(first, first + 10_000), NUMBER, "s0")
            connection.execute(sa.insert(script_version), list(versions))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE")


def _script(number: int) -> dict[str, Any]:
    return {
        "id": f"s{number}",
        "scope_type": _BIZ.type,
        "scope_id": _BIZ.id,
        "name": f"restart the service of number {number}",
        "language": number % 5 + 1,
        "description": "what it is for",
        "online_version_id": number + 1,
        "last_modify_time": number,
    }


def _versions(numbers: range, offset: int, script_id: str | None) -> Iterator[dict[str, Any]]:
    for number in numbers:
        yield {
            "id": offset + number + 1,
            "script_id": script_id or f"s{number}",
            "version": f"1.{number + offset}",
            "content": "echo restarting\n" * 30,
            "status": 2 if script_id else 1,
            "create_time": number,
        }


if __name__ == "__main__":
    sys.exit(main())
