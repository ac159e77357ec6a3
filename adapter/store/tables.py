"""Every table of the service. DBOS keeps its own beside them; migrations/ brings a database to this state.

Times are milliseconds since the epoch. A `definition` is a JSON text written by store.codec.
Columns named `*_secret` hold what store.secrets encrypted, or a hash that cannot be turned back.
"""

from __future__ import annotations

from adapter.store.columns import metadata
from adapter.store.tables_access import app, audit_log, permission, token
from adapter.store.tables_catalog import (
    account,
    job_plan,
    job_template,
    script,
    script_version,
    template_step,
)
from adapter.store.tables_credentials import credential
from adapter.store.tables_cron import cron, cron_run
from adapter.store.tables_dangerous import dangerous_record, dangerous_rule
from adapter.store.tables_file_sources import file_source
from adapter.store.tables_job import (
    callback,
    callback_delivery,
    is_claimed,
    is_left,
    is_unfinished,
    job_instance,
    job_variable,
    launched_once,
    waits,
)
from adapter.store.tables_service import host_identity, installation, worker
from adapter.store.tables_step import (
    OF_STEP,
    captured_value,
    collected_run,
    file_log,
    given_file,
    host_password,
    host_result,
    log_chunk,
    step_instance,
)
from adapter.store.tables_uploads import upload, upload_use

__all__ = [
    "OF_STEP",
    "account",
    "app",
    "audit_log",
    "callback",
    "callback_delivery",
    "captured_value",
    "collected_run",
    "credential",
    "cron",
    "cron_run",
    "dangerous_record",
    "dangerous_rule",
    "file_log",
    "file_source",
    "given_file",
    "host_identity",
    "host_password",
    "host_result",
    "installation",
    "is_claimed",
    "is_left",
    "is_unfinished",
    "job_instance",
    "job_plan",
    "job_template",
    "job_variable",
    "launched_once",
    "log_chunk",
    "metadata",
    "permission",
    "script",
    "script_version",
    "step_instance",
    "template_step",
    "token",
    "upload",
    "upload_use",
    "waits",
    "worker",
]
