"""What `adapter audit` would say of a data directory, asked within this process: no second of imports."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

from adapter.bootstrap import audit_of
from adapter.config import Settings
from adapter.engine.audit import Report
from adapter.store.audit import AuditStore
from adapter.store.opening import open_store

_NO_KEPT_CONNECTIONS = {"ANSIBLE_SSH_ARGS": "-o ControlMaster=no -o ConnectTimeout=10"}


def audited(
    data_dir: Path,
    inventory: Path,
    database_url: str = "",
    *,
    with_hosts: bool = True,
    job: int | None = None,
) -> Report:
    """An audit of one job, or of every job in the store."""
    settings = Settings(data_dir=data_dir, inventory=inventory, database_url=database_url)
    stores = open_store(settings)
    try:
        ids = AuditStore(stores.engine).job_ids() if job is None else [job]
        with mock.patch.dict(os.environ, _NO_KEPT_CONNECTIONS):
            return audit_of(settings, stores, with_hosts=with_hosts).run(ids)
    finally:
        stores.close()


def agrees(
    data_dir: Path,
    inventory: Path,
    database_url: str = "",
    *,
    with_hosts: bool = True,
    job: int | None = None,
) -> Report:
    """The same; fails naming every disagreement.

    A service that tests share has jobs that others skipped while they ran: name the job that is yours there.
    """
    report = audited(data_dir, inventory, database_url, with_hosts=with_hosts, job=job)
    assert not report.findings, "\n".join(map(str, report.findings))
    return report
