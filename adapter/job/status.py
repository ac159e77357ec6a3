"""JOB's state numbers and what follows from them (contract section e)."""

from __future__ import annotations

from enum import IntEnum


class RunStatus(IntEnum):
    """State of a job instance or a step instance."""

    WAITING = 1  #: not started
    RUNNING = 2
    SUCCESS = 3
    FAILED = 4
    SKIPPED = 5
    IGNORED = 6  #: failed, and its errors are ignored
    WAITING_USER = 7
    TERMINATED = 8  #: ended by hand
    ABNORMAL = 9  #: the service could not carry it out
    STOPPING = 10
    STOPPED = 11
    CONFIRM_TERMINATED = 13
    ABANDONED = 14
    ROLLING_WAITING = 15

    @property
    def is_finished(self) -> bool:
        """True once nothing more will happen without a new operation."""
        return self in _RUN_FINISHED

    @property
    def calls_back(self) -> bool:
        """True if a job that ends so tells its callback_url (contract c): not one that a confirmer ended."""
        return self.is_finished and self is not RunStatus.CONFIRM_TERMINATED


_RUN_FINISHED = frozenset(
    {
        RunStatus.SUCCESS,
        RunStatus.FAILED,
        RunStatus.SKIPPED,
        RunStatus.IGNORED,
        RunStatus.TERMINATED,
        RunStatus.ABNORMAL,
        RunStatus.STOPPED,
        RunStatus.CONFIRM_TERMINATED,
        RunStatus.ABANDONED,
    }
)


#: States after which a step may be run again (contract e, operations 2 and 8): what it needs must be kept.
MAY_BE_RETRIED = frozenset({RunStatus.FAILED, RunStatus.ABNORMAL, RunStatus.STOPPED})


class HostStatus(IntEnum):
    """State of one host (execute object) within a step instance."""

    UNKNOWN = 0
    AGENT_ABNORMAL_OLD = 1  #: what JOB before v3 said for 310
    INVALID_HOST = 2  #: no longer in the inventory
    LAST_SUCCESS = 3  #: succeeded in an earlier execution, not run again
    WAITING = 5
    RUNNING = 7
    SUCCESS = 9
    FAILED = 11
    SUBMIT_FAILED = 12
    TIMEOUT = 13  #: the service gave up waiting for the host
    LOG_ERROR = 15  #: what became of the task cannot be learned
    NO_AGENT = 18
    SCRIPT_FAILED = 101
    SCRIPT_TIMEOUT = 102
    SCRIPT_TERMINATED = 103
    NON_ZERO_EXIT = 104
    COPY_FAILED = 202
    SOURCE_MISSING = 203
    FILE_TIMEOUT = 303
    AGENT_ABNORMAL = 310  #: the host cannot be reached
    USER_MISSING = 311
    BAD_PASSWORD = 312
    FILE_FETCH_ERROR = 320  #: a source could not be read
    FILE_TOO_LARGE = 321
    TRANSFER_ERROR = 329
    TASK_ERROR = 399
    TERMINATED = 403
    TERMINATE_FAILED = 404
    SKIPPED_UNKNOWN = 500

    @property
    def is_finished(self) -> bool:
        """True for every state but waiting and running."""
        return self not in (HostStatus.WAITING, HostStatus.RUNNING)

    @property
    def is_success(self) -> bool:
        """True if the host did what was asked."""
        return self in (HostStatus.SUCCESS, HostStatus.LAST_SUCCESS)


class ErrorCode(IntEnum):
    """GSE's number beside a host status; clients read it as `error_code`."""

    OK = 0
    AGENT_DOWN = 117
    USER_MISSING = 122
    TERMINATED = 126
    BAD_PASSWORD = 1326


#: The GSE error code that goes with a host status; every other status has OK.
ERROR_CODE_OF = {
    HostStatus.AGENT_ABNORMAL: ErrorCode.AGENT_DOWN,
    HostStatus.USER_MISSING: ErrorCode.USER_MISSING,
    HostStatus.TERMINATED: ErrorCode.TERMINATED,
    HostStatus.BAD_PASSWORD: ErrorCode.BAD_PASSWORD,
}


class StepType(IntEnum):
    """What a step executes, as the status APIs report it."""

    SCRIPT = 1
    FILE = 2
    APPROVAL = 3
    SQL = 4


class TaskType(IntEnum):
    """Where a job instance came from (`type` in get_job_instance_list)."""

    PLAN = 0
    SCRIPT = 1
    FILE = 2


class LaunchMode(IntEnum):
    """Who started a job instance."""

    WEB = 1
    API = 2
    CRON = 3


class ScriptLanguage(IntEnum):
    """Script languages; the API refuses those that this service cannot run yet."""

    SHELL = 1
    BAT = 2
    PERL = 3
    PYTHON = 4
    POWERSHELL = 5
    SQL = 6


#: What can be executed as a script today, on POSIX hosts. SQL needs a database's account: fast_execute_sql.
EXECUTABLE_LANGUAGES = frozenset(ScriptLanguage) - {ScriptLanguage.SQL}


class AccountCategory(IntEnum):
    """What an account is a user of."""

    SYSTEM = 1
    DATABASE = 2


class AccountType(IntEnum):
    """Of which system an account is a user; JOB's numbers, but for the last (decision 21)."""

    LINUX = 1
    WINDOWS = 2
    MYSQL = 9
    ORACLE = 10
    DB2 = 11
    POSTGRESQL = 101


#: The types of category DATABASE.
DATABASES = frozenset({AccountType.MYSQL, AccountType.ORACLE, AccountType.DB2, AccountType.POSTGRESQL})


class VersionStatus(IntEnum):
    """State of a script version; only ONLINE and OFFLINE may be executed."""

    DRAFT = 0
    ONLINE = 1
    OFFLINE = 2
    DISABLED = 3


class TransferMode(IntEnum):
    """How a file step treats its target directory."""

    STRICT = 1  #: the directory must exist
    FORCE = 2  #: make it


class FileType(IntEnum):
    """Where the files of a source are."""

    SERVER = 1  #: on hosts
    LOCAL = 2  #: uploaded to the service
    FILE_SOURCE = 3  #: in a store of files that is somebody else's
    BASE64_FILE = 4  #: came with the request


class VariableType(IntEnum):
    """Types of a plan's global variables."""

    STRING = 1
    NAMESPACE = 2
    HOSTS = 3
    CIPHER = 4
    ASSOC_ARRAY = 5
    INDEX_ARRAY = 6
