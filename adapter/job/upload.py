"""A file that is, or is to be, uploaded to the service: what file lists with file_type 2 name (contract g)."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapter.job.model import Scope

#: Of an id: a UUID in hex.
_ID_LENGTH = 32


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One file. It is whole once it has a `sha256`, and then stays as it is. Times are milliseconds."""

    id: str
    scope: Scope
    name: str  #: at the target; a bare name
    path: str  #: as file lists name it
    app_code: str
    creator: str
    create_time: int
    token_hash: str = field(repr=False)  #: of what its URL has: whoever has the token may send the file
    expire_time: int  #: of the URL
    size: int | None = None  #: bytes
    sha256: str | None = None
    complete_time: int | None = None

    @property
    def is_whole(self) -> bool:
        """True once all of it is here."""
        return self.sha256 is not None


def upload_path(scope: Scope, upload_id: str, user: str, name: str) -> str:
    """`<id of the business>/<uuid>/<user>/<name>`: as JOB has it, but that it has ids of its own for businesses."""
    return f"{scope.id}/{upload_id}/{user}/{name}"


def id_in(path: str) -> str | None:
    """The upload's id in such a path; None if it can be none."""
    parts = path.split("/", 3)
    if len(parts) != 4 or len(parts[1]) != _ID_LENGTH or not set(parts[1]) <= set("0123456789abcdef"):
        return None
    return parts[1]
