"""The stored definition: job template, its steps and variables, and the plan that selects among them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from adapter.job.model import Scope, Server
from adapter.job.status import FileType, StepType, VariableType

#: What replies show, and what is stored in a step's definition, instead of a secret.
MASK = "******"


def shown_value(variable_type: int, value: str) -> str:
    """A variable's value as replies show it: ****** for what a cipher has."""
    return MASK if variable_type == VariableType.CIPHER and value else value


@dataclass(frozen=True, kw_only=True)
class GlobalVariable:
    """A variable of a plan; HOSTS variables have a `server`, the others a `value`.

    What a script leaves of a `changeable` one goes on to the next steps; of a NAMESPACE variable it always does.
    """

    id: int
    name: str
    type: VariableType
    value: str = field(default="", repr=False)  #: it may be a secret
    server: Server | None = None
    description: str = ""
    required: bool = False
    changeable: bool = False


@dataclass(frozen=True, kw_only=True)
class PlanScript:
    """The script of a plan's step: by version, by script (its online version), or the text itself."""

    account_id: int
    language: int | None = None
    content: str | None = None
    script_id: str | None = None
    script_version_id: int | None = None
    is_public: bool = False  #: the script is one of the public library
    param: str = field(default="", repr=False)  #: it may be a secret
    param_sensitive: bool = False
    timeout: int = 7200


@dataclass(frozen=True, kw_only=True)
class PlanFileSource:
    """Files on hosts that are named, not yet resolved; of others the account is the step's, and no host named."""

    files: tuple[str, ...]
    account_id: int
    server: Server = field(default_factory=Server)
    file_type: FileType = FileType.SERVER
    file_source_id: int | None = None  #: of a FILE_SOURCE, with its code
    file_source_code: str | None = None

    @property
    def is_on_hosts(self) -> bool:
        """False if the service itself has its files, or gets them."""
        return self.file_type is FileType.SERVER


@dataclass(frozen=True, kw_only=True)
class PlanFile:
    """The file transfer of a plan's step."""

    account_id: int
    target_path: str
    sources: tuple[PlanFileSource, ...]
    transfer_mode: int = 2
    timeout: int = 7200
    upload_speed_limit: int | None = None
    download_speed_limit: int | None = None


class ConfirmerRole(StrEnum):
    """Roles of JOB's that are known without a CMDB."""

    OWNER = "JOB_RESOURCE_OWNER"  #: who made the plan
    TRIGGER = "JOB_RESOURCE_TRIGGER_USER"  #: who launched it


@dataclass(frozen=True, kw_only=True)
class PlanApproval:
    """Whom an approval step asks, and what. One of them is enough."""

    message: str = ""
    users: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()  #: ConfirmerRole values


@dataclass(frozen=True, kw_only=True)
class PlanStep:
    """A step of a template. Exactly one of `script`, `file` and `approval` is set; the last has no target."""

    id: int
    name: str
    type: StepType
    target: Server
    script: PlanScript | None = None
    file: PlanFile | None = None
    approval: PlanApproval | None = None
    ignore_error: bool = False


@dataclass(frozen=True, kw_only=True)
class JobTemplate:
    """What plans are made of: all steps in order, all variables. `version` grows when one of these changes."""

    id: int
    scope: Scope
    name: str
    steps: tuple[PlanStep, ...]
    variables: tuple[GlobalVariable, ...] = ()
    description: str = ""
    version: int = 1
    creator: str = ""
    create_time: int | None = None
    last_modify_user: str = ""
    last_modify_time: int | None = None


@dataclass(frozen=True, kw_only=True)
class JobPlan:
    """The executable selection of a template: `steps` in order, `enabled` holds the ids that run.

    Steps and variables are the plan's own: those of its template when the plan was last brought up to date.
    """

    id: int
    template_id: int
    template_name: str
    scope: Scope
    name: str
    steps: tuple[PlanStep, ...]
    enabled: frozenset[int]
    variables: tuple[GlobalVariable, ...] = ()
    need_update: bool = False  #: the template has changed since
    creator: str = ""
    create_time: int | None = None
    last_modify_user: str = ""
    last_modify_time: int | None = None

    @property
    def enabled_steps(self) -> tuple[PlanStep, ...]:
        """The steps that run, in order."""
        return tuple(step for step in self.steps if step.id in self.enabled)


@dataclass(frozen=True, kw_only=True)
class ListedTemplate:
    """What a list says of a template."""

    id: int
    scope: Scope
    name: str
    description: str
    creator: str
    create_time: int | None
    last_modify_user: str
    last_modify_time: int | None


@dataclass(frozen=True, kw_only=True)
class ListedPlan:
    """What a list says of a plan; `step_num` steps of it run."""

    id: int
    template_id: int
    scope: Scope
    name: str
    need_update: bool
    step_num: int
    creator: str
    create_time: int | None
    last_modify_user: str
    last_modify_time: int | None


@dataclass(frozen=True, kw_only=True)
class ListFilter:
    """What a list of templates or plans is narrowed by: `name` is a part of it, times are (from, to), inclusive."""

    name: str | None = None
    creator: str | None = None
    last_modify_user: str | None = None
    create_time: tuple[int | None, int | None] = (None, None)
    last_modify_time: tuple[int | None, int | None] = (None, None)
