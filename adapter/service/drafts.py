"""Steps as they are asked for, before anything is looked up (service.step_builder does), and where to look."""

from __future__ import annotations

from dataclasses import dataclass

from adapter.job.commands import AccountRef, Caller, ConfigFile, ScriptRef, SourceSpec
from adapter.job.model import Host, Scope, Server, StepInstance
from adapter.job.permissions import Limits
from adapter.job.rolling import Rolling


@dataclass(frozen=True, kw_only=True)
class ScriptDraft:
    """A script as it is asked for."""

    script: ScriptRef
    account: AccountRef
    param: str = ""
    param_sensitive: bool = False
    timeout: int = 7200
    windows_interpreter: str | None = None


@dataclass(frozen=True, kw_only=True)
class SqlDraft:
    """SQL as it is asked for: a script of language 6."""

    script: ScriptRef
    db_account_id: int
    timeout: int = 7200


@dataclass(frozen=True, kw_only=True)
class FileDraft:
    """A file transfer as it is asked for."""

    sources: tuple[SourceSpec, ...]
    target_path: str
    account: AccountRef
    transfer_mode: int = 2
    timeout: int = 7200
    upload_speed_limit: int | None = None
    download_speed_limit: int | None = None
    file_target_name: str | None = None


@dataclass(frozen=True, kw_only=True)
class ConfigDraft:
    """Files that came with the request, as they are asked for."""

    files: tuple[ConfigFile, ...]
    target_path: str
    account: AccountRef


@dataclass(frozen=True, kw_only=True)
class ApprovalDraft:
    """A question to some people, any of whom may answer it."""

    message: str
    users: tuple[str, ...]
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StepDraft:
    """A step as it is asked for."""

    name: str
    target: Server
    work: ScriptDraft | SqlDraft | FileDraft | ConfigDraft | ApprovalDraft
    step_id: int = -1
    ignore_error: bool = False
    rolling: Rolling | None = None


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where a step's names are looked up: hosts in one scope, the others in the first scope that knows them."""

    targets: Scope
    sources: Scope
    accounts: tuple[Scope, ...]
    source_accounts: tuple[Scope, ...]
    scripts: tuple[Scope, ...]
    limits: Limits  #: of the caller: as whom jobs may run there

    @classmethod
    def within(cls, scope: Scope, caller: Caller) -> Places:
        """Everything in one scope."""
        only = (scope,)
        return cls(
            targets=scope,
            sources=scope,
            accounts=only,
            source_accounts=only,
            scripts=only,
            limits=caller.limits,
        )


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A step that can be stored, and its target hosts."""

    step: StepInstance
    hosts: tuple[Host, ...]
