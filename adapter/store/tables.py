"""Every table of the service. DBOS keeps its own beside them; migrations/ brings a database to this state.

Times are milliseconds since the epoch. A `definition` is a JSON text written by store.codec.
Columns named `*_secret` hold what store.secrets encrypted, or a hash that cannot be turned back.
"""

from __future__ import annotations

import sqlalchemy as sa

from adapter.job.status import RunStatus

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: SQLite gives ids by itself only to a column whose type is exactly INTEGER.
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _scope() -> list[sa.Column[str]]:
    return [
        sa.Column("scope_type", sa.String(16), nullable=False),
        sa.Column("scope_id", sa.String(64), nullable=False),
    ]


def _authorship() -> list[sa.Column[object]]:
    return [
        sa.Column("creator", sa.String(128), nullable=False, server_default=""),
        sa.Column("create_time", sa.BigInteger),
        sa.Column("last_modify_user", sa.String(128), nullable=False, server_default=""),
        sa.Column("last_modify_time", sa.BigInteger),
    ]


#: What the index of changes begins with instead of `step_instance_id`: without statistics PostgreSQL could not
#: tell it from the primary key, and would look up each host that is saved among all changes of its step.
OF_STEP = "(step_instance_id + 0)"


def _change() -> sa.Column[int]:
    """The number of the row's last change among all changes of its job (store.changes)."""
    return sa.Column("change", sa.BigInteger, nullable=False, server_default="0")


# --- who may ask -----------------------------------------------------------------------------------------

app = sa.Table(
    "app",
    metadata,
    sa.Column("code", sa.String(128), primary_key=True),
    sa.Column("hashed_secret", sa.String(64), nullable=False),
    sa.Column("scopes", sa.Text, nullable=False),  # JSON: null for all, or ["biz:2", ...]
    sa.Column("act_as_any_user", sa.Boolean, nullable=False),
    sa.Column("create_time", sa.BigInteger),
    sa.Column(
        "actions", sa.Text, nullable=False, server_default="null"
    ),  # JSON: null for all, or ["view", ...]
    sa.Column("accounts", sa.Text, nullable=False, server_default="null"),  # JSON: null for all, or aliases
    sa.Column("old_hashed_secret", sa.String(64)),  # which it had before, good for a while longer
    sa.Column("old_secret_expire_time", sa.BigInteger),
)

token = sa.Table(
    "token",
    metadata,
    sa.Column("hashed_token", sa.String(64), primary_key=True),
    sa.Column("app_code", sa.ForeignKey("app.code", ondelete="CASCADE"), nullable=False),
    sa.Column("user", sa.String(128), nullable=False),
    sa.Column("create_time", sa.BigInteger),
    sa.Column("expire_time", sa.BigInteger),  # NULL: never
    sa.Column("withdraw_time", sa.BigInteger),
)

# --- catalog ---------------------------------------------------------------------------------------------

account = sa.Table(
    "account",
    metadata,
    sa.Column("id", Id, primary_key=True),
    *_scope(),
    sa.Column("alias", sa.String(255), nullable=False),
    sa.Column("account", sa.String(255), nullable=False),
    sa.Column("category", sa.Integer, nullable=False),
    sa.Column("type", sa.Integer, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("login_user", sa.String(255)),
    sa.Column("private_key_secret", sa.Text),
    sa.Column("password_secret", sa.Text),
    sa.Column("db_port", sa.Integer),
    sa.Column("db_system_account_id", sa.BigInteger),
    *_authorship(),
    sa.UniqueConstraint("scope_type", "scope_id", "alias"),
    sqlite_autoincrement=True,
)

script = sa.Table(
    "script",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    *_scope(),
    sa.Column("name", sa.String(60), nullable=False),
    sa.Column("language", sa.Integer, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("online_version_id", sa.BigInteger),  # of its versions, the one of status 1
    *_authorship(),
    sa.UniqueConstraint("scope_type", "scope_id", "name"),
)

#: Of lists: in their order, with what they filter by, so that of many scripts a page reads only its own rows.
sa.Index(
    "ix_script_online",
    script.c.scope_type,
    script.c.scope_id,
    script.c.last_modify_time,
    script.c.id,
    script.c.name,
    script.c.language,
    script.c.online_version_id,  # SQLite looks at it once more, though every row here has one
    sqlite_where=script.c.online_version_id.is_not(None),
    postgresql_where=script.c.online_version_id.is_not(None),
)

script_version = sa.Table(
    "script_version",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("script_id", sa.ForeignKey("script.id", ondelete="CASCADE"), nullable=False),
    sa.Column("version", sa.String(60), nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("version_desc", sa.Text, nullable=False, server_default=""),
    *_authorship(),
    sa.UniqueConstraint("script_id", "version"),
    sa.Index("ix_script_version_of_script", "script_id", "id"),
    sqlite_autoincrement=True,
)

job_template = sa.Table(
    "job_template",
    metadata,
    sa.Column("id", Id, primary_key=True),
    *_scope(),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("steps", sa.Text, nullable=False),  # JSON list of PlanStep, in order
    sa.Column("variables", sa.Text, nullable=False),  # JSON list of GlobalVariable
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),  # +1 with steps and variables
    *_authorship(),
    sa.UniqueConstraint("scope_type", "scope_id", "name"),
    sqlite_autoincrement=True,
)

#: Step ids are unique over all templates, as in JOB; this table hands them out.
template_step = sa.Table(
    "template_step",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("template_id", sa.ForeignKey("job_template.id", ondelete="CASCADE"), nullable=False),
    sqlite_autoincrement=True,
)

#: A plan has steps and variables of its own: its template's, as they were when it was last brought up to date.
job_plan = sa.Table(
    "job_plan",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("template_id", sa.ForeignKey("job_template.id", ondelete="CASCADE"), nullable=False),
    sa.Column("scope_type", sa.String(16), nullable=False, server_default=""),  # the template's
    sa.Column("scope_id", sa.String(64), nullable=False, server_default=""),
    sa.Column("name", sa.String(255), nullable=False),
    sa.Column("selection", sa.Text, nullable=False),  # JSON: null for all, or the ids of steps that run
    sa.Column("steps", sa.Text, nullable=False, server_default="[]"),  # as job_template.steps
    sa.Column("variables", sa.Text, nullable=False, server_default="[]"),  # with the plan's own values
    sa.Column("step_num", sa.Integer, nullable=False, server_default="0"),  # how many run
    sa.Column("template_version", sa.BigInteger, nullable=False, server_default="1"),  # that the steps are of
    *_authorship(),
    sa.UniqueConstraint("template_id", "name"),
    sqlite_autoincrement=True,
)


def _listed(table: sa.Table, name: str, *of: sa.Column[object]) -> None:
    """An index with all that lists order and filter by: a page costs no look at definitions, which are long."""
    newest_first = (table.c.last_modify_time, table.c.id)
    filtered = (table.c.name, table.c.creator, table.c.last_modify_user, table.c.create_time)
    sa.Index(name, *of, *newest_first, *filtered)


_listed(job_template, "ix_job_template_listed", job_template.c.scope_type, job_template.c.scope_id)
_listed(job_plan, "ix_job_plan_listed", job_plan.c.scope_type, job_plan.c.scope_id)
_listed(
    job_plan,
    "ix_job_plan_listed_of_template",
    job_plan.c.template_id,
    job_plan.c.scope_type,
    job_plan.c.scope_id,
)

# --- hosts -----------------------------------------------------------------------------------------------

#: The stable ids of hosts whose inventory gives no bk_host_id (design D1).
host_identity = sa.Table(
    "host_identity",
    metadata,
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("bk_host_id", sa.BigInteger, nullable=False, unique=True),
)

# --- execution -------------------------------------------------------------------------------------------

job_instance = sa.Table(
    "job_instance",
    metadata,
    sa.Column("id", Id, primary_key=True),
    *_scope(),
    sa.Column("other_scope_type", sa.String(16)),
    sa.Column("other_scope_id", sa.String(64)),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("type", sa.Integer, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("plan_id", sa.BigInteger, nullable=False),
    sa.Column("template_id", sa.BigInteger, nullable=False),
    sa.Column("launch_mode", sa.Integer, nullable=False),
    sa.Column("operator", sa.String(128), nullable=False),
    sa.Column("app_code", sa.String(128), nullable=False),
    sa.Column("callback_url", sa.Text),
    sa.Column("callback_secret", sa.Text),  # signs the callbacks
    sa.Column("completions", sa.Integer, nullable=False, server_default="0"),  # how often it has ended
    sa.Column("started", sa.Boolean, nullable=False),
    sa.Column("create_time", sa.BigInteger, nullable=False),
    sa.Column("start_time", sa.BigInteger),
    sa.Column("end_time", sa.BigInteger),
    sa.Column(
        "logs_removed_time", sa.BigInteger
    ),  # of what scripts printed (store.retention); NULL: it is there
    # The engine has something left to do for it: to run it, to end it, to see to its callback.
    sa.Column("open", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("worker_id", sa.String(32)),  # who does it now
    sa.Column("claim", sa.Integer, nullable=False, server_default="0"),  # a fencing token: +1 for each owner
    sa.Column("changes", sa.BigInteger, nullable=False, server_default="0"),  # the last number given out
    sa.Column("cron_id", sa.BigInteger),  # which launched it, and may be gone
    _change(),
    # All that get_job_instance_list filters by but the name: pages are counted without looking at a row.
    sa.Index(
        "ix_job_instance_list",
        "scope_type",
        "scope_id",
        "create_time",
        "id",
        "operator",
        "status",
        "type",
        "launch_mode",
    ),
    sa.Index("ix_job_instance_end_time", "end_time"),
    sa.Index("ix_job_instance_other_scope_create_time", "other_scope_type", "other_scope_id", "create_time"),
    sqlite_autoincrement=True,
)

#: No parameter: with one no database knows that an index of these rows alone will do.
_UNFINISHED: list[sa.ColumnElement[int]] = [
    sa.literal_column(str(int(status)), sa.Integer) for status in RunStatus if not status.is_finished
]
_WAITING: sa.ColumnElement[int] = sa.literal_column(str(int(RunStatus.WAITING)), sa.Integer)


def waits(job: sa.FromClause) -> sa.ColumnElement[bool]:
    """A job that a worker may begin when there is a place for it."""
    return sa.and_(_is_anybodys(job), job.c.status == _WAITING)


def is_left(job: sa.FromClause) -> sa.ColumnElement[bool]:
    """A job that somebody must go on with at once: begun and let go of, to be stopped, or to be told of."""
    return sa.and_(_is_anybodys(job), job.c.status != _WAITING)


def is_unfinished(job: sa.FromClause) -> sa.ColumnElement[bool]:
    """A job that was started and has not ended: what quotas count."""
    return sa.and_(job.c.started, job.c.status.in_(_UNFINISHED))


def is_claimed(job: sa.FromClause) -> sa.ColumnElement[bool]:
    """A job that some worker has."""
    return sa.and_(job.c.open, job.c.worker_id.is_not(None))


def _is_anybodys(job: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(job.c.open, job.c.started, job.c.worker_id.is_(None))


def _index_of(name: str, rows: sa.ColumnElement[bool], *columns: sa.Column[object]) -> None:
    """All that workers look through to find their next job: small however many jobs are stored."""
    sa.Index(name, *columns, sqlite_where=rows, postgresql_where=rows)


_job = job_instance.c
_index_of("ix_job_instance_waiting", waits(job_instance), _job.scope_type, _job.scope_id, _job.id)
_index_of("ix_job_instance_left", is_left(job_instance), _job.status, _job.id)
_index_of(
    "ix_job_instance_unfinished",
    is_unfinished(job_instance),
    _job.id,
    _job.scope_type,
    _job.scope_id,
    _job.app_code,
)
_index_of("ix_job_instance_cron", _job.cron_id.is_not(None), _job.cron_id, _job.create_time)
_index_of("ix_job_instance_with_logs", _job.logs_removed_time.is_(None), _job.end_time)
_index_of("ix_job_instance_claimed", is_claimed(job_instance), _job.worker_id, _job.scope_type, _job.scope_id)

#: The processes that run jobs. Others judge by `beat`, a counter, whether one is alive; its times are for people.
worker = sa.Table(
    "worker",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("executor", sa.String(64), nullable=False),  # of its workflows, as DBOS knows it
    sa.Column("host_name", sa.String(255), nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("max_running_jobs", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),  # store.workers.WorkerState
    sa.Column("beat", sa.BigInteger, nullable=False),
    sa.Column("taken_by", sa.String(32)),  # the worker that found this one dead
    sa.Column("start_time", sa.BigInteger, nullable=False),
    sa.Column("beat_time", sa.BigInteger, nullable=False),  # by the database's clock
)

#: One row: which key the secrets in this database are encrypted with.
installation = sa.Table(
    "installation",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key_digest", sa.String(64), nullable=False),
    # The highest id of a job that was removed for its age (store.retention).
    sa.Column("removed_to", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("password_key_secret", sa.Text),  # the RSA key that clients encrypt hosts' passwords for
)

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
    _change(),
    sqlite_autoincrement=True,
)

#: The plan's variables as the job was launched with them.
job_variable = sa.Table(
    "job_variable",
    metadata,
    sa.Column("job_instance_id", sa.ForeignKey("job_instance.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("order", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("type", sa.Integer, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("value_secret", sa.Text),  # of a cipher variable, instead of the value
    sa.Column("changeable", sa.Boolean, nullable=False, server_default=sa.false()),
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
    _change(),
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

#: Completions of jobs that a callback_url is told of, written with the job's end.
callback = sa.Table(
    "callback",
    metadata,
    sa.Column("job_instance_id", sa.ForeignKey("job_instance.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("completion", sa.Integer, primary_key=True),
    sa.Column("body", sa.Text, nullable=False),  # what is told, to the byte
    sa.Column("state", sa.String(16), nullable=False),  # job.callbacks.CallbackState
    sa.Column("create_time", sa.BigInteger, nullable=False),
)

#: What became of each POST of them; the newest of each job.
callback_delivery = sa.Table(
    "callback_delivery",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column(
        "job_instance_id", sa.ForeignKey("job_instance.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("completion", sa.Integer, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("content_type", sa.String(64), nullable=False),
    sa.Column("url", sa.Text, nullable=False),  # without what may be secret in it
    sa.Column("status", sa.Integer),
    sa.Column("error", sa.Text),
    sa.Column("start_time", sa.BigInteger, nullable=False),
    sa.Column("duration", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

#: What scripts are looked through for before they run.
dangerous_rule = sa.Table(
    "dangerous_rule",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("expression", sa.String(250), nullable=False),
    sa.Column("languages", sa.Integer, nullable=False),  # the bit of its number for each
    sa.Column("action", sa.Integer, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("enabled", sa.Boolean, nullable=False),
    *_authorship(),
    sa.UniqueConstraint("expression", "languages"),
    sqlite_autoincrement=True,
)

#: Lines of scripts that ran though a rule had matched them. The rule may be gone.
dangerous_record = sa.Table(
    "dangerous_record",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column(
        "job_instance_id", sa.ForeignKey("job_instance.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    sa.Column("step_instance_id", sa.BigInteger, nullable=False),
    sa.Column("rule_id", sa.BigInteger, nullable=False),
    sa.Column("expression", sa.String(250), nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("line_content", sa.Text, nullable=False),
    sa.Column("match_content", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

#: Launches that were sent with an X-Idempotency-Key. As long as the job is there the key stands for it.
launched_once = sa.Table(
    "launched_once",
    metadata,
    sa.Column("app_code", sa.String(128), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),  # of the API's name and the request
    sa.Column(
        "job_instance_id", sa.ForeignKey("job_instance.id", ondelete="CASCADE"), nullable=False, index=True
    ),
)
