"""Files of file sources on their way to a run: downloaded into the file cache by the worker that has the job.

As what a business has defined at this moment: where, and as whom. A credential is opened for the request alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapter.engine.downloads import Downloads
from adapter.engine.file_servers import server_of
from adapter.engine.given_files import PLAIN_MODE
from adapter.engine.providing import Entry, Unavailable, Wanted
from adapter.errors import CredentialUnknown
from adapter.job.file_source import UUID_PREFIX, FileSourceDefinition
from adapter.ports import Clock
from adapter.store.credentials import CredentialStore
from adapter.store.file_sources import FileSourceStore


@dataclass(frozen=True, kw_only=True)
class DownloadedFiles:
    """The provider of files of file sources. `installation` keeps UUIDs of two services apart."""

    file_sources: FileSourceStore
    credentials: CredentialStore
    downloads: Downloads
    clock: Clock
    installation: str

    def provide(self, wanted: Wanted) -> Sequence[Entry]:
        """The one file of a path, with its file source's prefix before its name. Raises Unavailable, OSError."""
        id_ = wanted.source.file_source_id
        definition = None if id_ is None else self.file_sources.get(id_)
        if definition is None:
            raise Unavailable(f"file source {wanted.source.file_source_code} (ID={id_}) is no more")
        if problem := definition.path_problem(wanted.path):
            raise Unavailable(f"paths {problem}")
        server = server_of(definition, self._credential(definition), self.clock.now_ms)
        found = self.downloads.fetch(server, wanted.path, str(definition.id), wanted.progress)
        name = self._prefix(definition, wanted) + wanted.path.rpartition("/")[2]
        kind = {"type": "file", "name": name, "path": wanted.path, "mode": PLAIN_MODE}
        return [{**kind, "size": found.size, "sha256": found.sha256}]

    def _credential(self, definition: FileSourceDefinition) -> Mapping[str, str]:
        """Its parts. Raises Unavailable if it is none that the file source can use any more."""
        if definition.credential_id is None:
            return {}
        wanted = definition.type.credential_type
        try:
            kind = self.credentials.get(definition.scope, definition.credential_id).type
            if kind is not wanted:
                raise Unavailable(
                    f"the credential of file source {definition.code} is {kind}, and must be {wanted}"
                )
            value = self.credentials.value(definition.scope, definition.credential_id)
        except CredentialUnknown:
            raise Unavailable(f"the credential of file source {definition.code} is no more") from None
        key = value.get("access_key", "")
        if not (key.isascii() and key.isprintable()):  # it would be refused with its value in the words
            raise Unavailable(f"the access key of file source {definition.code} can stand in no request")
        return value

    def _prefix(self, definition: FileSourceDefinition, wanted: Wanted) -> str:
        if definition.file_prefix != UUID_PREFIX:
            return definition.file_prefix
        name = f"{self.installation}.{wanted.step.id}.{definition.id}"
        return uuid.uuid5(uuid.NAMESPACE_OID, name).hex
