"""Uploading files to the service (contract d, generate_local_file_upload_url): URLs, and what comes to them.

A URL has a token that nobody can guess, and is good for one file until it expires. Only the token's hash is stored:
who reads the database cannot upload. A file that is whole never changes, so that a job that is run again sends what
it was launched with.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType

import structlog

from adapter import errors
from adapter.job.commands import Caller
from adapter.job.model import Scope
from adapter.job.upload import Upload, upload_path
from adapter.messages import say
from adapter.ports import Clock
from adapter.store.upload_files import Part, PartBusy, UploadFiles
from adapter.store.uploads import UploadStore

log = structlog.get_logger(__name__)

_TOKEN_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A file that may be uploaded now; the token is known here alone."""

    upload: Upload
    token: str


@dataclass(frozen=True, kw_only=True)
class Range:
    """What a request brings: the bytes from `start` on, up to and without `end`, of `total`."""

    start: int
    end: int
    total: int


class Uploads:
    """`limit` is the most bytes that a file may have, `url_seconds` how long a URL is good."""

    def __init__(
        self, store: UploadStore, files: UploadFiles, clock: Clock, *, limit: int, url_seconds: int
    ) -> None:
        self._store = store
        self._files = files
        self._clock = clock
        self._limit = limit
        self._url_ms = url_seconds * 1000

    def offer(self, scope: Scope, caller: Caller, names: Iterable[str]) -> list[Offered]:
        """A URL for each of these bare names."""
        now = self._clock.now_ms()
        offered = []
        for name in names:
            upload_id, token = uuid.uuid4().hex, secrets.token_urlsafe(_TOKEN_BYTES)
            upload = Upload(
                id=upload_id,
                scope=scope,
                name=name,
                path=upload_path(scope, upload_id, caller.user, name),
                app_code=caller.app_code,
                creator=caller.user,
                create_time=now,
                token_hash=_hash(token),
                expire_time=now + self._url_ms,
            )
            offered.append(Offered(upload=upload, token=token))
        self._store.add(one.upload for one in offered)
        return offered

    def admitted(self, upload_id: str, token: str) -> Upload:
        """The upload of a URL, whole or not. Raises UploadUnknown, UploadExpired."""
        found = self._store.get(upload_id)
        if found is None or not hmac.compare_digest(found.token_hash, _hash(token)):
            raise errors.UploadUnknown
        if not found.is_whole and found.expire_time <= self._clock.now_ms():
            raise errors.UploadExpired(found.path)
        return found

    def kept(self, upload: Upload) -> int:
        """How many of its bytes are here."""
        return self._files.kept(upload.id) if upload.size is None else upload.size

    def receive(self, upload: Upload, part: Range | None, length: int | None) -> Receiving:
        """Begin to take a request's body, the whole file without a `part`; `length` None: nobody knows its bytes.

        Raises UploadWhole, UploadTooLarge, UploadNoRoom, UploadBusy, UploadElsewhere. Reads what is kept.
        """
        whole = length if part is None else part.total
        if upload.is_whole:
            raise errors.UploadWhole(upload.path)
        if whole is not None and whole > self._limit:
            raise errors.UploadTooLarge(self._limit)
        try:
            return self._begun(upload, part, whole, length)
        except PartBusy:
            raise errors.UploadBusy(upload.path) from None
        except OSError as error:
            raise self._no_room(upload, error) from error

    def _begun(self, upload: Upload, part: Range | None, whole: int | None, length: int | None) -> Receiving:
        start = 0 if part is None else part.start
        if length is not None and length > self._files.room():
            raise errors.UploadNoRoom(say("{bytes} bytes are too many for what is free", bytes=length))
        file = self._files.open(upload.id)
        try:
            again = self._store.get(upload.id)
            if again is None or again.is_whole:  # while this one waited
                file.discard()
                raise errors.UploadUnknown if again is None else errors.UploadWhole(upload.path)
            if start not in (0, file.size):
                raise errors.UploadElsewhere(start, file.size)
            file.go_on_at(start)
        except BaseException:
            file.close()
            raise
        end = self._limit if part is None else min(part.end, self._limit)
        return Receiving(self, upload, file, whole, end)

    def take(self, upload: Upload, file: Part, piece: bytes, end: int) -> None:
        """More of it. Raises UploadTooLarge, FieldInvalid, UploadNoRoom; what has come so far stays."""
        if file.size + len(piece) > end:
            if end == self._limit:
                raise errors.UploadTooLarge(self._limit)
            raise errors.FieldInvalid("Content-Range", say("ends at byte {end}, and more has come", end=end))
        try:
            file.add(piece)
        except OSError as error:
            raise self._no_room(upload, error) from error

    def finish(self, upload: Upload, file: Part) -> Upload:
        """It is all there. Raises UploadUnknown, UploadWhole, UploadNoRoom."""
        try:
            sha256 = file.sync()
            is_done = self._store.complete(upload.id, file.size, sha256, self._clock.now_ms(), file.place)
        except OSError as error:
            raise self._no_room(upload, error) from error
        found = self._store.get(upload.id)
        if not is_done:
            file.discard()
            raise errors.UploadUnknown if found is None else errors.UploadWhole(upload.path)
        if found is None:
            raise errors.UploadUnknown
        log.info("uploaded", path=upload.path, app=upload.app_code, size=found.size, sha256=sha256)
        return found

    def _no_room(self, upload: Upload, error: OSError) -> errors.UploadNoRoom:
        log.error("upload_not_stored", path=upload.path, error=str(error))
        return errors.UploadNoRoom(
            say("the service's disk says: {reason}", reason=error.strerror or str(error))
        )


class Receiving:
    """A body on its way into a file. Leave it as a context: what has come stays, and others may go on."""

    def __init__(self, uploads: Uploads, upload: Upload, file: Part, whole: int | None, end: int) -> None:
        self._uploads = uploads
        self._upload = upload
        self._file = file
        self._whole = whole
        self._end = end

    def __enter__(self) -> Receiving:
        """Nothing more is needed to begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the file."""
        self._file.close()

    @property
    def size(self) -> int:
        """Bytes that there are."""
        return self._file.size

    def take(self, piece: bytes) -> None:
        """The next bytes. Raises what Uploads.take() raises."""
        self._uploads.take(self._upload, self._file, piece, self._end)

    def end(self) -> Upload | None:
        """The body has come to its end: the whole file, or None if more of it is to come by other requests."""
        if self._whole is not None and self._file.size != self._whole:
            return None
        return self._uploads.finish(self._upload, self._file)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
