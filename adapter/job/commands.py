"""What callers ask for, free of any dialect: the API turns requests into these, service.launch carries them out."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapter.job.audit_log import Recording
from adapter.job.model import Host, Scope, Server, StepInstance
from adapter.job.permissions import UNLIMITED, Limits
from adapter.job.rolling import Rolling
from adapter.job.status import FileType
from adapter.messages import Language


@dataclass(frozen=True, kw_only=True)
class Once:
    """What makes a launch happen at most once: the caller's key, and a digest of what it was sent with."""

    key: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who is asking: an application, and the user it acts for."""

    app_code: str
    user: str
    scopes: frozenset[Scope] | None = None  #: None: every scope
    limits: Limits = UNLIMITED  #: what may be done in them, and as whom
    verified_by: str = field(default="", compare=False)  #: how it is known who asks: service.authentication
    token_id: str | None = field(default=None, compare=False)  #: of the token that was shown, for people
    recording: Recording | None = field(default=None, compare=False, repr=False)  #: of its launch
    language: Language = Language.EN  #: in which its jobs are named if it does not name them
    once: Once | None = None  #: from X-Idempotency-Key
    plan_only: bool = False  #: wants to know what would run; nothing is stored
    callback_secret: str | None = field(default=None, repr=False)  #: from X-Callback-Secret


@dataclass(frozen=True, kw_only=True)
class AccountRef:
    """An account by id (wins) or by alias."""

    id: int | None = None
    alias: str | None = None

    def __str__(self) -> str:
        """As error 1244003 names it."""
        return f"ID={self.id}" if self.id is not None else str(self.alias)


@dataclass(frozen=True, kw_only=True)
class ScriptRef:
    """A script by version id, else by script id (its online version), else the text itself."""

    version_id: int | None = None
    script_id: str | None = None
    content: str | None = None
    language: int | None = None


@dataclass(frozen=True, kw_only=True)
class HostPassword:
    """The account's password on one host, named by id (wins) or by cloud area and address; still encrypted."""

    encrypted: str = field(repr=False)
    bk_host_id: int | None = None
    bk_cloud_id: int | None = None
    ip: str | None = None


@dataclass(frozen=True, kw_only=True)
class ExecuteScript:
    """fast_execute_script. `param` is decoded; `timeout` in seconds."""

    caller: Caller
    scope: Scope
    script: ScriptRef
    account: AccountRef
    target: Server
    param: str = field(default="", repr=False)  #: it may be a secret
    param_sensitive: bool = False
    timeout: int = 7200
    task_name: str = ""
    callback_url: str | None = None
    start_task: bool = True
    rolling: Rolling | None = None  #: without its sizes
    windows_interpreter: str | None = None
    host_passwords: tuple[HostPassword, ...] = ()  #: looked at for Windows accounts only


@dataclass(frozen=True, kw_only=True)
class ExecuteSql:
    """fast_execute_sql. `timeout` in seconds."""

    caller: Caller
    scope: Scope
    script: ScriptRef
    db_account_id: int
    target: Server
    timeout: int = 7200
    task_name: str = ""
    callback_url: str | None = None
    start_task: bool = True


@dataclass(frozen=True, kw_only=True)
class SourceSpec:
    """Files of a transfer: on hosts, read as an account; or uploaded, or in a file source, with neither."""

    files: tuple[str, ...]
    account: AccountRef = field(default_factory=AccountRef)
    server: Server = field(default_factory=Server)
    file_type: FileType = FileType.SERVER
    file_source_id: int | None = None  #: of a FILE_SOURCE: this, or else the code
    file_source_code: str | None = None

    @property
    def is_on_hosts(self) -> bool:
        """False if the service itself has its files, or gets them."""
        return self.file_type is FileType.SERVER


@dataclass(frozen=True, kw_only=True)
class TransferFile:
    """fast_transfer_file, fast_push_file. Speed limits in MB/s, None is unlimited."""

    caller: Caller
    scope: Scope
    target_path: str
    account: AccountRef
    target: Server
    sources: tuple[SourceSpec, ...]
    transfer_mode: int = 2
    timeout: int = 7200
    upload_speed_limit: int | None = None
    download_speed_limit: int | None = None
    file_target_name: str | None = None
    task_name: str = ""
    callback_url: str | None = None
    start_task: bool = True
    rolling: Rolling | None = None  #: without its sizes


@dataclass(frozen=True, kw_only=True)
class ConfigFile:
    """A file as a request brings it: a bare name, and bytes."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class PushConfigFile:
    """push_config_file."""

    caller: Caller
    scope: Scope
    target_path: str
    account: AccountRef
    target: Server
    files: tuple[ConfigFile, ...]
    task_name: str = ""
    callback_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class VariableValue:
    """A value for a plan's variable, by id (wins) or by name; `server` for host variables."""

    id: int | None = None
    name: str | None = None
    value: str | None = field(default=None, repr=False)  #: it may be a secret
    server: Server | None = None


@dataclass(frozen=True, kw_only=True)
class ExecutePlan:
    """execute_job_plan (v3) and execute_job (v2)."""

    caller: Caller
    scope: Scope
    plan_id: int
    variables: tuple[VariableValue, ...] = ()
    callback_url: str | None = None
    start_task: bool = True


@dataclass(frozen=True, kw_only=True)
class StepOverride:
    """What a platform job changes of one step; None keeps the stored value."""

    step_id: int
    script: ScriptRef | None = None
    param: str | None = field(default=None, repr=False)  #: it may be a secret
    timeout: int | None = None
    account: AccountRef | None = None
    target: Server | None = None
    target_path: str | None = None
    sources: tuple[SourceSpec, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class ExecutePlatformJob:
    """execute_platform_job: targets belong to `target_scope`, file sources to `source_scope`."""

    caller: Caller
    source_scope: Scope
    target_scope: Scope
    plan_id: int
    steps: tuple[StepOverride, ...] | None = None  #: None: every step as stored
    callback_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class PlannedRun:
    """What a run would write into its private data directory: hosts.yml and step.yml as text, without secrets."""

    inventory: str
    playbook: str


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """A step that would run. `run` is None if Ansible has no part in it."""

    step: StepInstance
    hosts: tuple[Host, ...]
    run: PlannedRun | None


@dataclass(frozen=True, kw_only=True)
class Launched:
    """The reply to a launch. `step_instance_id` is the only step's of a fast script or transfer.

    With `planned` nothing was launched: these steps would have been, and the job's id is 0.
    """

    job_instance_id: int
    job_instance_name: str
    step_instance_id: int | None
    planned: tuple[PlannedStep, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class JobFilter:
    """get_job_instance_list: None means "any". Times in milliseconds; newest first."""

    scope: Scope
    create_time_start: int
    create_time_end: int
    job_instance_id: int | None = None
    operator: str | None = None  #: exact
    name: str | None = None  #: a part of it
    launch_mode: int | None = None
    type: int | None = None
    status: int | None = None
    ip: str | None = None
    cron_id: int | None = None
    start: int = 0
    length: int = 20
