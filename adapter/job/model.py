"""JOB's nouns as frozen values: scope, host, account, script, and what one execution is made of.

Times are integer milliseconds since the epoch, as v3 of the API has them; None means "not yet".
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from adapter.job.rolling import Rolling
from adapter.job.status import FileType, HostStatus, LaunchMode, RunStatus, StepType, TaskType


@dataclass(frozen=True, order=True)
class Scope:
    """A business or a business set: everything belongs to one."""

    type: str  #: "biz" or "biz_set"
    id: str

    def __str__(self) -> str:
        """The name of the scope's inventory group, e.g. `biz_2`."""
        return f"{self.type}_{self.id}"

    @property
    def text(self) -> str:
        """As people write it and as it is stored: `biz:2`."""
        return f"{self.type}:{self.id}"

    @classmethod
    def of(cls, text: str) -> Scope:
        """The reverse of `text`. Raises ValueError for anything else."""
        kind, _, scope_id = text.partition(":")
        if kind not in ("biz", "biz_set") or not scope_id.strip():
            raise ValueError(f"{text!r} is no scope; write biz:ID or biz_set:ID")
        return cls(kind, scope_id)

    @property
    def biz_id(self) -> int | None:
        """The legacy bk_biz_id; None if the id is not a number."""
        return int(self.id) if self.id.isdecimal() else None


#: Where public scripts are: in no business, and known to all of them. No request can name it.
PUBLIC = Scope("public", "0")


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """A host as JOB names it and as Ansible names it."""

    bk_host_id: int
    bk_cloud_id: int
    ip: str  #: "" if the inventory gives no address, only a DNS name
    name: str  #: inventory_hostname
    is_invalid: bool = (
        False  #: not to be used: unknown, or in no place where the job may go, when it was launched
    )

    @property
    def told_id(self) -> int | None:
        """The id as replies have it; None for an invalid host that was named by an address only."""
        return self.bk_host_id if self.bk_host_id >= 0 else None

    @property
    def label(self) -> str:
        """`cloud:ip`, as JOB's messages write a host; the name if there is no ip."""
        return f"{self.bk_cloud_id}:{self.ip}" if self.ip else self.name


@dataclass(frozen=True)
class Seen:
    """What was found of a host from here. There are no agents: its SSH server stands for one."""

    answers: bool
    version: str | None = None  #: of what answered, e.g. OpenSSH_9.2p1


#: Where files come from that are on no host: a local file's host is 0_0.0.0.0 to JOB.
SERVICE_HOST = Host(bk_host_id=0, bk_cloud_id=0, ip="0.0.0.0", name="")  # noqa: S104 no address to bind


@dataclass(frozen=True, kw_only=True)
class Account:
    """Whom a step runs as. With a `login` Ansible logs in as that user, else it becomes `account`.

    Of a database: `account` and the password are its own, and its client runs as the system account.
    """

    id: int
    scope: Scope
    alias: str
    account: str
    category: int = 1  #: 1 system, 2 database
    type: int = 1  #: an AccountType number
    login_user: str | None = None
    has_private_key: bool = False
    has_password: bool = False
    db_port: int | None = None  #: None: the client's own way to a server of the same host
    db_system_account_id: int | None = None
    description: str = ""
    creator: str = ""
    create_time: int | None = None
    last_modify_user: str = ""
    last_modify_time: int | None = None


@dataclass(frozen=True, kw_only=True)
class Script:
    """A library entry; what runs is one of its versions."""

    id: str
    scope: Scope
    name: str
    language: int
    description: str = ""
    online_version_id: int | None = None
    creator: str = ""
    create_time: int | None = None
    last_modify_user: str = ""
    last_modify_time: int | None = None


@dataclass(frozen=True, kw_only=True)
class ScriptVersion:
    """One text of a script; `status` is a VersionStatus number."""

    id: int
    script_id: str
    scope: Scope
    name: str  #: of the script
    version: str
    content: str
    language: int
    status: int
    description: str = ""  #: of the script
    version_desc: str = ""
    creator: str = ""
    create_time: int | None = None
    last_modify_user: str = ""
    last_modify_time: int | None = None


@dataclass(frozen=True, kw_only=True)
class IpRef:
    """A host by cloud area and address."""

    bk_cloud_id: int
    ip: str


@dataclass(frozen=True, kw_only=True)
class TopoNode:
    """A node of the topology: `node_type` "set", "module", "biz" or any custom level."""

    id: int
    node_type: str


@dataclass(frozen=True, kw_only=True)
class Server:
    """What a request or a plan lists as target or source (contract section c, "server")."""

    variable: str | None = None
    host_ids: tuple[int, ...] = ()
    ips: tuple[IpRef, ...] = ()
    dynamic_groups: tuple[str, ...] = ()
    topo_nodes: tuple[TopoNode, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True if nothing at all is listed."""
        return not (self.variable or self.host_ids or self.ips or self.dynamic_groups or self.topo_nodes)


@dataclass(frozen=True, kw_only=True)
class ScriptTask:
    """Everything a script step executes. `account_id` is the account it runs as."""

    language: int
    content: str
    #: The part of the command line after the script; encrypted at rest if sensitive.
    param: str = field(default="", repr=False)
    param_sensitive: bool = False
    timeout: int = 7200  #: seconds
    account_id: int = 0
    db_account_id: int | None = None  #: of SQL: whose client runs it, as the account of `account_id`
    script_id: str | None = None
    script_version_id: int | None = None
    is_public: bool = False  #: the script is one of the public library
    windows_interpreter: str | None = None  #: a program's path on Windows hosts; None is the language's own


@dataclass(frozen=True, kw_only=True)
class FileSource:
    """Files on some hosts, read as an account. `hosts` are resolved when the job is submitted.

    Files that are on no host come from the service itself: its only host is SERVICE_HOST, and the account is the
    step's own. A BASE64_FILE source is one file.
    """

    files: tuple[str, ...]
    account_id: int
    hosts: tuple[Host, ...]
    file_type: FileType = FileType.SERVER
    file_source_id: int | None = None  #: of a FILE_SOURCE
    file_source_code: str | None = None  #: of the same, as it was when the job was submitted
    content: bytes | None = field(default=None, repr=False)  #: of a BASE64_FILE, until it is stored encrypted

    @property
    def is_on_hosts(self) -> bool:
        """False if the service itself has its files, or gets them."""
        return self.file_type is FileType.SERVER


@dataclass(frozen=True, kw_only=True)
class FileTask:
    """Everything a file step transfers. Speed limits are MB/s per host, None is unlimited."""

    sources: tuple[FileSource, ...]
    target_path: str
    account_id: int
    transfer_mode: int = 2
    timeout: int = 7200  #: seconds
    upload_speed_limit: int | None = None
    download_speed_limit: int | None = None
    file_target_name: str | None = None

    @property
    def has_given(self) -> bool:
        """True if contents that came with the request are kept for it."""
        return any(source.file_type is FileType.BASE64_FILE for source in self.sources)


@dataclass(frozen=True, kw_only=True, slots=True)
class HostResult:
    """One host within one execution of a step instance (JOB's execute object)."""

    host: Host
    status: HostStatus = HostStatus.WAITING
    exit_code: int | None = None
    error_code: int = 0
    tag: str = ""
    start_time: int | None = None
    end_time: int | None = None
    log_bytes: int = 0  #: bytes the script printed
    log_kept: int = 0  #: bytes of these that are stored
    batch: int = 0  #: of a rolling step, from 1 on
    executed_in: int = 0  #: the execution that all this is of; an earlier one if the host was not run again

    @property
    def total_time(self) -> int | None:
        """Milliseconds; JOB never reports less than 100 for a host that ran."""
        if self.start_time is None or self.end_time is None:
            return None
        return max(100, self.end_time - self.start_time)

    def evolve(self, **changes: Any) -> HostResult:
        """A copy with changes."""
        return replace(self, **changes)


@dataclass(frozen=True, kw_only=True)
class HostChange:
    """A host's result, and which execution of which step it belongs to."""

    step_instance_id: int
    execute_count: int
    result: HostResult


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A step that waits for somebody: any of `users`, who are named or hold one of the `roles`."""

    message: str = ""
    users: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()  #: as the plan has them; `users` are whom they were resolved to at the launch


@dataclass(frozen=True, kw_only=True)
class StepInstance:
    """One execution of a step. Exactly one of `script`, `file` and `approval` is set."""

    id: int = 0  #: 0 until stored
    job_instance_id: int = 0
    step_id: int = -1  #: of the plan's step, -1 for a fast task
    order: int = 0
    name: str = ""
    type: StepType = StepType.SCRIPT
    status: RunStatus = RunStatus.WAITING
    execute_count: int = 0
    script: ScriptTask | None = None
    file: FileTask | None = None
    approval: Approval | None = None
    ignore_error: bool = False
    rolling: Rolling | None = None
    batch: int = 0  #: the last one that has begun, or is to begin; 0: the hosts are in no batches
    create_time: int | None = None
    start_time: int | None = None
    end_time: int | None = None

    @property
    def total_time(self) -> int | None:
        """Milliseconds from start to end, None while it is not ended."""
        if self.start_time is None or self.end_time is None:
            return None
        return self.end_time - self.start_time

    @property
    def is_told(self) -> bool:
        """True if a launch of this step alone answers its id: JOB's do not for SQL and for configuration files."""
        is_given = self.file is not None and self.file.has_given
        return self.type in (StepType.SCRIPT, StepType.FILE) and not is_given

    @property
    def directory(self) -> str:
        """Of this execution's private data directory, below the node's artifacts.

        Each batch of file sources has one of its own: `batch` is the last that has begun.
        """
        directory = f"{self.job_instance_id}/{self.id}/{self.execute_count}"
        return f"{directory}/batch-{self.batch}" if self.rolls_by_sources else directory

    @property
    def rolls_by_sources(self) -> bool:
        """True if its files come in batches, each to every target; there is a host result for each of these."""
        return self.rolling is not None and self.rolling.is_of_sources

    @property
    def timeout(self) -> int:
        """Seconds the step may take on a host."""
        task = self.script or self.file
        return task.timeout if task else 7200


@dataclass(frozen=True, kw_only=True)
class JobInstance:
    """One execution of a job. `other_scope` is the second business of a platform job."""

    id: int = 0  #: 0 until stored
    scope: Scope
    other_scope: Scope | None = None
    name: str = ""
    type: TaskType = TaskType.SCRIPT
    status: RunStatus = RunStatus.WAITING
    plan_id: int = -1
    template_id: int = -1
    launch_mode: LaunchMode = LaunchMode.API
    operator: str = ""
    app_code: str = ""
    callback_url: str | None = None
    started: bool = True  #: False: waits for operate_job_instance 2 (start_task=false)
    cron_id: int | None = None  #: the cron that launched it, which may be gone
    create_time: int | None = None
    start_time: int | None = None
    end_time: int | None = None
    steps: tuple[StepInstance, ...] = field(default=())

    @property
    def total_time(self) -> int | None:
        """Milliseconds from start to end, None while it is not ended."""
        if self.start_time is None or self.end_time is None:
            return None
        return self.end_time - self.start_time


@dataclass(frozen=True, kw_only=True)
class JobVariable:
    """A global variable of a plan, as a job has it. `type` is a VariableType number.

    A host variable's value are its hosts as scripts are told of them, if one imports it.
    """

    name: str
    type: int
    value: str = field(repr=False)  #: it may be a secret
    changeable: bool = False  #: what a script leaves of it goes on to the next steps


@dataclass(frozen=True, kw_only=True)
class FileLog:
    """Where one file stands on one host: mode 0 is a source's upload, 1 a target's download."""

    bk_host_id: int  #: whose entry this is
    mode: int
    src_host_id: int | None
    src_path: str
    dest_host_id: int | None = None
    dest_path: str = ""
    status: int = 1  #: 0 pulling, 1 waiting, 2 uploading, 3 downloading, 4 finished, 5 failed
    status_desc: str = ""
    size: int | None = None  #: bytes
    speed: int | None = None  #: bytes per second
    progress: int = 0  #: percent
    content: str = ""  #: why it failed, in words
    time: int | None = None  #: when this was so; milliseconds
