"""What an endpoint gets: the use cases, who is asking, for which scope, and the fields as its schema read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from adapter.api.event_stream import OpenStreams
from adapter.api.use_cases import Launch, Operate, Query
from adapter.api.written_rows import WrittenRows
from adapter.job.commands import Caller
from adapter.job.model import Scope
from adapter.messages import Language
from adapter.ports import Hosts, Reachability
from adapter.service.audit_log import AuditLog
from adapter.service.authentication import Authentication
from adapter.service.bundle import Bundles
from adapter.service.catalog import Catalog
from adapter.service.credentials import Credentials
from adapter.service.crons import Crons
from adapter.service.dangerous_scripts import DangerousScripts
from adapter.service.file_sources import FileSources
from adapter.service.follow import Follow
from adapter.service.records import Records
from adapter.service.script_check import ScriptCheck
from adapter.service.uploads import Uploads


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything the API calls; `ready` raises if the store does not answer, `password_key` is public."""

    authentication: Authentication
    launch: Launch
    operate: Operate
    query: Query
    follow: Follow
    streams: OpenStreams
    bundles: Bundles
    records: Records
    audit_log: AuditLog
    catalog: Catalog
    dangerous: DangerousScripts
    script_check: ScriptCheck
    crons: Crons
    credentials: Credentials
    file_sources: FileSources
    uploads: Uploads
    hosts: Hosts
    reachability: Reachability
    password_key: Callable[[], str]
    ready: Callable[[], None]
    written: WrittenRows = field(default_factory=WrittenRows)  #: of hosts in replies


@dataclass(frozen=True, kw_only=True)
class Call:
    """One understood request of a known caller. `scope` is the only one of the request, or the target's."""

    services: Services
    caller: Caller
    scopes: tuple[Scope, ...]
    fields: dict[str, Any]
    language: Language
    base_url: str = ""  #: of the service, as the caller reaches it

    @property
    def scope(self) -> Scope:
        """Where things happen."""
        return self.scopes[-1]

    def __getitem__(self, name: str) -> Any:
        """A field's value."""
        return self.fields[name]
