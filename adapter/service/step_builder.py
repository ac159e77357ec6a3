"""From a step as it is asked for to a step as it is stored: script, accounts and hosts looked up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from adapter import errors
from adapter.job.commands import AccountRef, ScriptRef, SourceSpec
from adapter.job.file_batches import file_batches
from adapter.job.file_source import file_source_path_problem
from adapter.job.model import (
    PUBLIC,
    SERVICE_HOST,
    Account,
    Approval,
    FileSource,
    FileTask,
    Host,
    Scope,
    ScriptTask,
    Server,
    StepInstance,
)
from adapter.job.rolling import (
    MAX_BATCHES,
    MAX_PARALLEL_BATCHES,
    ExecutionMode,
    Rolling,
    TooManyBatches,
    batch_sizes,
)
from adapter.job.status import (
    DATABASES,
    EXECUTABLE_LANGUAGES,
    AccountCategory,
    AccountType,
    FileType,
    ScriptLanguage,
    StepType,
)
from adapter.messages import say
from adapter.service import iam
from adapter.service.catalog import Catalog
from adapter.service.drafts import (
    ApprovalDraft,
    ConfigDraft,
    FileDraft,
    Places,
    Prepared,
    ScriptDraft,
    SqlDraft,
    StepDraft,
)
from adapter.service.file_tasks import config_task, file_task, limit_file_tasks, problem_of
from adapter.service.plan_variables import PlanVariables
from adapter.store.file_sources import FileSourceStore
from adapter.store.uploads import UploadStore

MAX_SCRIPT_TARGETS = 50_000

T = TypeVar("T")
Resolve = Callable[[Scope, Server], tuple[Host, ...]]


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What a ScriptTask has of a script that was looked up, or came with the request."""

    language: int
    content: str
    script_id: str | None = None
    script_version_id: int | None = None
    is_public: bool = False


class StepBuilder:
    """Builds steps out of drafts. Raises the JobError of whatever cannot be found or done.

    `resolve` is as Hosts.resolve().
    """

    def __init__(
        self, catalog: Catalog, resolve: Resolve, uploads: UploadStore, file_sources: FileSourceStore
    ) -> None:
        self._catalog = catalog
        self._resolve = resolve
        self._uploads = uploads
        self._file_sources = file_sources

    def build(self, draft: StepDraft, places: Places, variables: PlanVariables) -> Prepared:
        """The step, looked up in the contract's order: script, accounts, hosts, limits."""
        work = draft.work
        if isinstance(work, ApprovalDraft):
            return _question(draft, work)
        script, file = None, None
        if isinstance(work, (ScriptDraft, SqlDraft)):
            script = self._script(work, places, variables)
            hosts = self._targets(draft, places, variables)
            if len(hosts) > MAX_SCRIPT_TARGETS:
                raise errors.TooManyTargets(MAX_SCRIPT_TARGETS)
        else:
            account = _usable(self._account(places.accounts, work.account), places, places.targets)
            if isinstance(work, ConfigDraft):
                hosts = self._targets(draft, places, variables)
                file = config_task(work, account)
            else:
                file, hosts = self._transfer(draft, work, account, places, variables)
            limit_file_tasks(file.sources, hosts)
        step = StepInstance(
            step_id=draft.step_id,
            name=draft.name,
            type=_type(work),
            script=script,
            file=file,
            ignore_error=draft.ignore_error,
            rolling=_in_batches(draft.rolling, len(hosts), file),
            batch=0 if draft.rolling is None else 1,
        )
        return Prepared(step=step, hosts=hosts)

    def _script(self, work: ScriptDraft | SqlDraft, places: Places, variables: PlanVariables) -> ScriptTask:
        if isinstance(work, SqlDraft):
            return self._sql_task(work, places)
        return self._script_task(work, places, variables)

    def _transfer(
        self, draft: StepDraft, work: FileDraft, account: Account, places: Places, variables: PlanVariables
    ) -> tuple[FileTask, tuple[Host, ...]]:
        """The transfer and its targets."""
        owners = [
            _usable(self._account(places.source_accounts, source.account), places, places.sources)
            if source.is_on_hosts
            else account
            for source in work.sources
        ]
        hosts = self._targets(draft, places, variables)
        sources = tuple(
            self._source(draft.name, source, owner, places, variables)
            for source, owner in zip(work.sources, owners, strict=True)
        )
        return file_task(work, account, sources, variables), hosts

    def language(self, scopes: tuple[Scope, ...], ref: ScriptRef) -> int:
        """The language of a script. Raises what its look-up raises."""
        return self._text(scopes, ref).language

    def script_text(self, draft: StepDraft, places: Places) -> tuple[str, int] | None:
        """The script that a step runs, and its language; None if it runs none. Raises what its look-up raises."""
        if isinstance(draft.work, (FileDraft, ConfigDraft, ApprovalDraft)):
            return None
        found = self._text(places.scripts, draft.work.script)
        return found.content, found.language

    def _script_task(self, work: ScriptDraft, places: Places, variables: PlanVariables) -> ScriptTask:
        found = self._text(places.scripts, work.script)
        _require_executable(found.language)
        if "\0" in work.param:
            raise errors.InvalidParameter("script_param", say("no command line can have a NUL character"))
        return ScriptTask(
            **vars(found),
            param=work.param.replace("\n", " "),
            param_sensitive=work.param_sensitive or variables.is_secret(work.param),
            timeout=work.timeout,
            account_id=_usable(self.account(places.accounts, work.account), places, places.targets).id,
            windows_interpreter=work.windows_interpreter,
        )

    def _sql_task(self, work: SqlDraft, places: Places) -> ScriptTask:
        found = self._text(places.scripts, work.script)
        if found.language != ScriptLanguage.SQL:
            raise errors.InvalidParameter(
                "script_version_id|script_id",
                say("the script is of language {language}, not 6 (sql)", language=found.language),
            )
        database = self._database_account(places.accounts[0], work.db_account_id)
        _usable(database, places, places.targets)  # whose system account goes with it
        assert database.db_system_account_id is not None
        system = AccountRef(id=database.db_system_account_id)
        return ScriptTask(
            **vars(found),
            timeout=work.timeout,
            account_id=self._account(places.accounts, system).id,
            db_account_id=database.id,
        )

    def _database_account(self, scope: Scope, account_id: int) -> Account:
        """Raises AccountUnknown, as JOB does, also for an account that is none of a database."""
        account = self._catalog.account(scope, AccountRef(id=account_id))
        if account.category != AccountCategory.DATABASE:
            raise errors.AccountUnknown(f"ID={account_id}")
        if account.type not in DATABASES:
            raise errors.NotSupported(
                say(
                    "account [{alias}] of type {type}; SQL needs one of {types}",
                    alias=account.alias,
                    type=account.type,
                    types=", ".join(f"{int(kind)} {kind.name.lower()}" for kind in sorted(DATABASES)),
                )
            )
        if account.db_system_account_id is None:
            raise errors.AccountUnknown(say("the system account of {alias}", alias=account.alias))
        return account

    def _text(self, scopes: tuple[Scope, ...], ref: ScriptRef) -> _Found:
        if ref.version_id is None and not ref.script_id and ref.content:
            if ref.language is None:
                raise errors.InvalidParameter("script_language", say("script_content needs one: 1 to 5"))
            return _Found(language=ref.language, content=ref.content)
        version = _first(scopes, lambda scope: self._catalog.script_version(scope, ref), errors.ScriptUnknown)
        return _Found(
            language=version.language,
            content=version.content,
            script_id=version.script_id,
            script_version_id=version.id,
            is_public=version.scope == PUBLIC,
        )

    def account(self, scopes: tuple[Scope, ...], ref: AccountRef) -> Account:
        """An account of operating systems. Raises AccountUnknown, and NotSupported for a database's."""
        account = _first(scopes, lambda scope: self._catalog.account(scope, ref), errors.AccountUnknown)
        is_of_system = account.category == AccountCategory.SYSTEM and account.type not in DATABASES
        if not is_of_system:
            raise errors.NotSupported(
                say(
                    "account [{alias}] is a database account; scripts and files need a system account",
                    alias=account.alias,
                )
            )
        return account

    def _account(self, scopes: tuple[Scope, ...], ref: AccountRef) -> Account:
        """One of those that files and SQL can use."""
        account = self.account(scopes, ref)
        if account.type == AccountType.WINDOWS:
            raise errors.NotSupported(
                say(
                    "account [{alias}] is a Windows account, which only scripts can use; use a Linux account",
                    alias=account.alias,
                )
            )
        return account

    def _targets(self, draft: StepDraft, places: Places, variables: PlanVariables) -> tuple[Host, ...]:
        hosts = self._resolve(places.targets, variables.server(draft.target))
        if not hosts:
            raise errors.TargetEmpty(draft.name)
        return hosts

    def _source(
        self, step: str, source: SourceSpec, account: Account, places: Places, variables: PlanVariables
    ) -> FileSource:
        if not source.files:
            raise errors.MissingParameter("file_source.file_list")
        if source.file_type is FileType.LOCAL:
            return self._uploaded(source, account, places)
        if source.file_type is FileType.FILE_SOURCE:
            return self._of_file_source(source, account, places, variables)
        hosts = self._resolve(places.sources, variables.server(source.server))
        if not hosts:
            raise errors.SourceEmpty(step)
        files = tuple(path.strip() for path in source.files)
        for path in files:
            problem = problem_of(path, variables)
            if problem:
                raise errors.InvalidParameter("file_source.file_list", problem)
        return FileSource(files=files, account_id=account.id, hosts=hosts)

    def _uploaded(self, source: SourceSpec, account: Account, places: Places) -> FileSource:
        """Files that were uploaded to a business whose files these are. Raises LocalFileUnknown."""
        for path in source.files:
            self._uploads.require(places.source_accounts, path)
        return FileSource(
            files=source.files, account_id=account.id, hosts=(SERVICE_HOST,), file_type=FileType.LOCAL
        )

    def _of_file_source(
        self, source: SourceSpec, account: Account, places: Places, variables: PlanVariables
    ) -> FileSource:
        """Files of a file source of the business, which are looked for when the step runs.

        Raises FileSourceUnknown, FileSourceOfAnotherScope, FileSourceCodeUnknown, InvalidParameter.
        """
        found = self._file_sources.named(places.sources, source.file_source_id, source.file_source_code)
        for path in source.files:
            known = variables.path(path)
            problem = file_source_path_problem(path) if known is None else found.path_problem(known)
            if problem:
                raise errors.InvalidParameter("file_source.file_list", problem)
        return FileSource(
            files=source.files,
            account_id=account.id,
            hosts=(SERVICE_HOST,),
            file_type=FileType.FILE_SOURCE,
            file_source_id=found.id,
            file_source_code=found.code,
        )


def _usable(account: Account, places: Places, scope: Scope) -> Account:
    """The account, if the caller may run something as it in the scope. Raises AccountForbidden (1244004)."""
    if not places.limits.allow_account(account, scope):
        raise errors.AccountForbidden(
            say(
                "[{alias}] in [{scope}]; allow it with `adapter permission set` or `adapter app update`",
                alias=account.alias,
                scope=scope,
            ),
            iam.lacking_account(account),
        )
    return account


def _question(draft: StepDraft, work: ApprovalDraft) -> Prepared:
    """An approval step. Raises NotSupported if there is nobody to ask."""
    if not work.users:
        raise errors.NotSupported(
            say(
                "step [{name}] asks [{roles}], which nobody is; name users in the plan",
                name=draft.name,
                roles=", ".join(work.roles),
            )
        )
    approval = Approval(message=work.message, users=work.users, roles=work.roles)
    step = StepInstance(step_id=draft.step_id, name=draft.name, type=StepType.APPROVAL, approval=approval)
    return Prepared(step=step, hosts=())


def _in_batches(rolling: Rolling | None, hosts: int, file: FileTask | None) -> Rolling | None:
    """With the size of each batch. Raises TooManyBatches."""
    if rolling is None:
        return None
    if rolling.is_of_sources and file is not None:
        batches = len(file_batches(file.sources, rolling))
        if batches > MAX_BATCHES:
            raise errors.TooManyBatches(MAX_BATCHES)
        return replace(rolling, sizes=(hosts,) * batches)
    limit = MAX_PARALLEL_BATCHES if rolling.execution_mode is ExecutionMode.PARALLEL else MAX_BATCHES
    try:
        return replace(rolling, sizes=batch_sizes(rolling.expression, hosts, limit))
    except TooManyBatches as error:
        raise errors.TooManyBatches(error.limit) from None


def _type(work: ScriptDraft | SqlDraft | FileDraft | ConfigDraft) -> StepType:
    if isinstance(work, SqlDraft):
        return StepType.SQL
    return StepType.SCRIPT if isinstance(work, ScriptDraft) else StepType.FILE


def _require_executable(language: int) -> None:
    if language not in EXECUTABLE_LANGUAGES:
        known = language in list(ScriptLanguage)
        name = ScriptLanguage(language).name.lower() if known else "unknown"
        raise errors.NotSupported(
            say("scripts of language {language} ({name}); use 1 to 5", language=language, name=name)
        )


def _first(scopes: tuple[Scope, ...], find: Callable[[Scope], T], unknown: type[errors.JobError]) -> T:
    """What the first scope that knows it has; the error of the last if none does."""
    for scope in scopes[:-1]:
        try:
            return find(scope)
        except unknown:
            continue
    return find(scopes[-1])
