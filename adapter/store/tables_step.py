"""The tables of steps: their hosts, what these printed and sent, and what is kept for them."""

from __future__ import annotations

import sqlalchemy as sa

from adapter.store.columns import Id, change, metadata

#: What the index of changes begins with instead of `step_instance_id`: without statistics PostgreSQL could not
#: tell it from the primary key, and would look up each host that is saved among all changes of its step.
OF_STEP = "(step_instance_id + 0)"

step_instance = sa.Table(
    "step_instance",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column(
        "job_instance_id", sa.ForeignKey("job_instance.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("step_id", sa.BigInteger, nullable=False),
    sa.Column("order", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("type", sa.Integer, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("execute_count", sa.Integer, nullable=False),
    sa.Column("definition", sa.Text, nullable=False),  # JSON of ScriptTask, FileTask or Approval
    sa.Column("param_secret", sa.Text),  # a sensitive script parameter
    sa.Column("ignore_error", sa.Boolean, nullable=False),
    sa.Column("create_time", sa.BigInteger, nullable=False),
    sa.Column("start_time", sa.BigInteger),
    sa.Column("end_time", sa.BigInteger),
    sa.Column("rolling", sa.Text),  # JSON of Rolling; NULL: all hosts at once
    sa.Column(
        "batch", sa.Integer, nullable=False, server_default="0"
    ),  # the last that has begun; 0: all at once
    change(),
    sqlite_autoincrement=True,
)

#: What scripts left of variables: one value for the job, or one of each host (adapter.job.variables).
captured_value = sa.Table(
    "captured_value",
    metadata,
    sa.Column("step_instance_id", sa.ForeignKey("step_instance.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("execute_count", sa.Integer, primary_key=True),
    sa.Column("bk_host_id", sa.BigInteger, primary_key=True),  # 0: for the job
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("host_order", sa.Integer, nullable=False),  # of the host that it is from
    sa.Column("value", sa.Text, nullable=False),
)

host_result = sa.Table(
    "host_result",
    metadata,
    sa.Column("step_instance_id", sa.ForeignKey("step_instance.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("execute_count", sa.Integer, primary_key=True),
    sa.Column("bk_host_id", sa.BigInteger, primary_key=True),
    # Of a rolling step, from 1 on. One that rolls by its file sources has a row of each host for each batch.
    sa.Column("batch", sa.Integer, primary_key=True, server_default="0"),
    sa.Column("order", sa.Integer, nullable=False),
    sa.Column("bk_cloud_id", sa.BigInteger, nullable=False),
    sa.Column("ip", sa.String(64), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("exit_code", sa.Integer),
    sa.Column("error_code", sa.Integer, nullable=False),
    sa.Column("tag", sa.String(256), nullable=False),
    sa.Column("start_time", sa.BigInteger),
    sa.Column("end_time", sa.BigInteger),
    sa.Column("log_bytes", sa.BigInteger, nullable=False),
    sa.Column("log_kept", sa.BigInteger, nullable=False),
    # The execution that the result, its log and its artifacts are of: an earlier one for a host not run again.
    sa.Column("executed_in", sa.Integer, nullable=False, server_default="0"),
    # job.model.Host.is_invalid
    sa.Column("is_invalid", sa.Boolean, nullable=False, server_default=sa.false()),
    change(),
    sa.Index("ix_host_result_change", sa.text(OF_STEP), "execute_count", "change", "bk_host_id"),
    sa.Index("ix_host_result_ip", "ip", "step_instance_id"),
    sqlite_with_rowid=False,
)

#: Passwords of a step's Windows account that are only good on one host.
host_password = sa.Table(
    "host_password",
    metadata,
    sa.Column("step_instance_id", sa.ForeignKey("step_instance.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("bk_host_id", sa.BigInteger, primary_key=True),
    sa.Column("password_secret", sa.Text, nullable=False),
)

log_chunk = sa.Table(
    "log_chunk",
    metadata,
    sa.Column("step_instance_id", sa.BigInteger, primary_key=True),
    sa.Column("execute_count", sa.Integer, primary_key=True),
    sa.Column("bk_host_id", sa.BigInteger, primary_key=True),
    sa.Column("offset", sa.BigInteger, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

file_log = sa.Table(
    "file_log",
    metadata,
    sa.Column("step_instance_id", sa.BigInteger, primary_key=True),
    sa.Column("execute_count", sa.Integer, primary_key=True),
    sa.Column("bk_host_id", sa.BigInteger, primary_key=True),
    sa.Column("entry", sa.String(64), primary_key=True),  # digest of mode, source and destination
    sa.Column("order", sa.Integer, nullable=False),
    sa.Column("definition", sa.Text, nullable=False),  # JSON of FileLog
)

#: Contents of files that came with a request (push_config_file), by number of the step's source; encrypted.
given_file = sa.Table(
    "given_file",
    metadata,
    sa.Column("step_instance_id", sa.ForeignKey("step_instance.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("source", sa.Integer, primary_key=True),
    sa.Column("content_secret", sa.LargeBinary, nullable=False),
)

#: Script runs whose results are stored and whose directories are still on their hosts.
collected_run = sa.Table(
    "collected_run",
    metadata,
    sa.Column("step_instance_id", sa.BigInteger, primary_key=True),
    sa.Column("execute_count", sa.Integer, primary_key=True),
    sa.Column("account_id", sa.BigInteger, nullable=False),
    sa.Column("collect_time", sa.BigInteger, nullable=False),
    sa.Column("clean_time", sa.BigInteger, nullable=False, index=True),  # when somebody should see to it
    sa.Column(
        "hosts", sa.Text
    ),  # JSON list of the bk_host_ids that are left; NULL for all that the step went to
)
