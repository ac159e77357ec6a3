"""Use cases of file sources (contract d)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from adapter import errors
from adapter.job.egress import EgressRule
from adapter.job.file_source import FileSourceDefinition, FileSourceType
from adapter.job.model import Scope
from adapter.messages import say
from adapter.ports import Clock
from adapter.service import rules
from adapter.store.credentials import CredentialStore
from adapter.store.file_sources import FileSourceStore
from adapter.store.workers import WorkerState, WorkerStore

MAX_URL = 1_000
MAX_PREFIX = 100
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_REGION = re.compile(r"[A-Za-z0-9-]{0,64}")
#: JOB's states of a file source, which are those of what downloads its files.
_NO_WORKER, _WORKER_ONLINE, _WORKER_OFFLINE = -1, 0, 1


class FileSources:
    """Where a business has files, and as whom it asks for them. `rule` says where that may be."""

    def __init__(
        self,
        store: FileSourceStore,
        credentials: CredentialStore,
        workers: WorkerStore,
        clock: Clock,
        rule: EgressRule,
    ) -> None:
        self._store = store
        self._credentials = credentials
        self._workers = workers
        self._clock = clock
        self._rule = rule

    def create(
        self,
        scope: Scope,
        *,
        user: str,
        code: str,
        alias: str,
        type: str,
        base_url: str,
        region: str = "",
        credential_id: str | None = None,
        file_prefix: str = "",
    ) -> FileSourceDefinition:
        """Store one.

        Raises BadRequest (1240003), InvalidParameter (1241005) for a type that is none or a credential that does
        not fit it, CredentialUnknown (1243048), FileSourceUrlRefused (1260020) for a URL where the service must not
        go, FileSourceCodeExists (1260015), FileSourceAliasExists (1260004).
        """
        rules.require("code", _code_problem(code))
        return self._store.create(
            self._checked(scope, user, code, alias, type, base_url, region, credential_id, file_prefix)
        )

    def update(
        self,
        scope: Scope,
        code: str,
        *,
        user: str,
        alias: str,
        type: str,
        base_url: str,
        region: str = "",
        credential_id: str | None = None,
        file_prefix: str = "",
    ) -> FileSourceDefinition:
        """Make all but its code new, as JOB does: what is not given is empty then.

        Raises what create() raises, and FileSourceCodeUnknown (1260012).
        """
        self._store.by_code(scope, code)
        return self._store.update(
            self._checked(scope, user, code, alias, type, base_url, region, credential_id, file_prefix)
        )

    def get(self, scope: Scope, code: str) -> FileSourceDefinition:
        """All of it. Raises FileSourceCodeUnknown (1260012)."""
        return self._store.by_code(scope, code)

    def status(self) -> int:
        """JOB's status, of each: 0 with a worker to download its files, 1 if that takes no jobs, -1 without."""
        states = {worker.state for worker in self._workers.not_ended()}
        if WorkerState.WORKING in states:
            return _WORKER_ONLINE
        return _WORKER_OFFLINE if states else _NO_WORKER

    def _checked(
        self,
        scope: Scope,
        user: str,
        code: str,
        alias: str,
        type: str,
        base_url: str,
        region: str,
        credential_id: str | None,
        file_prefix: str,
    ) -> FileSourceDefinition:
        rules.require("alias", rules.script_name(alias))
        kind = _type_of(type)
        url = base_url.rstrip("/")
        rules.require("access_params.base_url", _url_problem(url))
        rules.require(
            "access_params.region", None if _REGION.fullmatch(region) else "must be a region's name"
        )
        rules.require("file_prefix", _prefix_problem(file_prefix))
        self._require_open(url)
        self._require_fitting(scope, kind, credential_id)
        return FileSourceDefinition(
            scope=scope,
            code=code,
            alias=alias,
            type=kind,
            base_url=url,
            region=region,
            credential_id=credential_id,
            file_prefix=file_prefix,
            last_modify_user=user,
            last_modify_time=self._clock.now_ms(),
        )

    def _require_open(self, url: str) -> None:
        """No name is looked up here; a download looks again."""
        reason = self._rule.refusal_of_name(urlsplit(url).hostname or "")
        if reason is not None:
            raise errors.FileSourceUrlRefused(
                say(
                    "{url} leads to {where}; an operator can name it in ADAPTER_FILE_SOURCE_ALLOW",
                    url=url,
                    where=reason,
                )
            )

    def _require_fitting(self, scope: Scope, kind: FileSourceType, credential_id: str | None) -> None:
        if credential_id is None:
            problem = f"type {kind} needs one" if kind.needs_credential else None
            rules.require("credential_id", problem)
            return
        credential = self._credentials.get(scope, credential_id)
        if credential.type is not kind.credential_type:
            raise errors.InvalidParameter(
                "credential_id",
                say(
                    "is of type {type}; a file source of type {kind} needs {wanted}",
                    type=credential.type,
                    kind=kind,
                    wanted=kind.credential_type,
                ),
            )


def _type_of(name: str) -> FileSourceType:
    if name not in set(FileSourceType):
        allowed = ", ".join(FileSourceType)
        raise errors.InvalidParameter(
            "type",
            say("{name} must be one of {allowed}, not {value}", name="type", allowed=allowed, value=name),
        )
    return FileSourceType(name)


def _code_problem(code: str) -> str | None:
    if _CODE.fullmatch(code):
        return None
    return "must be 1 to 32 letters, digits and underscores, and begin with a letter"


def _url_problem(url: str) -> str | None:
    parts = urlsplit(url)
    if parts.username is not None or parts.query or parts.fragment or url.endswith(("?", "#")):
        return "must have no user, query or fragment; who logs in is the credential's"
    return rules.characters(url, MAX_URL)


def _prefix_problem(prefix: str) -> str | None:
    if "/" in prefix or "\\" in prefix:
        return "must not contain / or \\: it becomes a part of a file's name"
    return rules.label(prefix, MAX_PREFIX) if prefix else None
