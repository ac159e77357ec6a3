"""File sources: where files are that are on no host, and how they are asked for (contract d and g)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from adapter.job.credential import CredentialType
from adapter.job.model import Scope
from adapter.messages import Phrase, say

#: A prefix that stands for a UUID: one for each step instance, so that a retry gives the same names again.
UUID_PREFIX = "${UUID}"


class FileSourceType(StrEnum):
    """What a file source speaks. The first is JOB's; the names of the others are this service's (decision 38)."""

    BLUEKING_ARTIFACTORY = "BLUEKING_ARTIFACTORY"
    S3 = "S3"
    HTTP = "HTTP"

    @property
    def credential_type(self) -> CredentialType:
        """What it is logged in to with."""
        if self is FileSourceType.S3:
            return CredentialType.APP_ID_SECRET_KEY
        return CredentialType.USERNAME_PASSWORD

    @property
    def needs_credential(self) -> bool:
        """False if it may be one that everybody can read."""
        return self is not FileSourceType.HTTP


def file_source_path_problem(path: str) -> Phrase | None:
    """What is wrong with a path within a file source (`bucket/key`), or None. Variables may still be in it."""
    parts = path.strip("/").split("/")
    if path.endswith("/"):
        return say("must be files, not a directory like {value}", value=path)
    if not path.strip() or {".", ".."} & set(parts) or not path.isprintable():
        return say("must be paths like bucket/key without line breaks and .., not {value}", value=path)
    return None


@dataclass(frozen=True, kw_only=True)
class FileSourceDefinition:
    """A file source as a business has defined it."""

    id: int = 0  #: 0 until stored
    scope: Scope
    code: str  #: what requests call it, never changed
    alias: str
    type: FileSourceType
    base_url: str  #: without a / at its end
    region: str = ""  #: of S3, a part of what is signed
    credential_id: str | None = None
    file_prefix: str = ""  #: before the name of each file at the target
    creator: str = ""
    create_time: int | None = None
    last_modify_user: str = ""
    last_modify_time: int | None = None

    def path_problem(self, path: str) -> Phrase | None:
        """What is wrong with a path within this one, once all variables in it are known, or None."""
        problem = file_source_path_problem(path)
        if problem is None and len(path.strip("/").split("/")) < _PARTS[self.type]:
            return say(
                "must have at least {least} parts with type {type}, not {value}",
                least=_PARTS[self.type],
                type=self.type,
                value=path,
            )
        return problem


#: Project, repository and path; bucket and key.
_PARTS = {FileSourceType.BLUEKING_ARTIFACTORY: 3, FileSourceType.S3: 2, FileSourceType.HTTP: 1}
