"""What is asked of each type of file source: a file is one GET, and its headers tell the sums of the whole file.

BlueKing's artifactory is asked as JOB asks it (`/generic/{project}/{repo}/{path}`, HTTP basic); S3 by path
(`/{bucket}/{key}`) and AWS Signature Version 4; any other server by what stands below its URL.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from adapter.job.aws_signature import Signer, encoded
from adapter.job.file_source import FileSourceDefinition, FileSourceType

#: By the name of the sum, "sha256" or "md5", in hex.
Sums = Mapping[str, str]

_DEFAULT_REGION = "us-east-1"
_SIZES = {"sha256": 64, "md5": 32}
_HEX = re.compile(r"[0-9a-f]+")
#: RFC 9530 and, with other marks around the same base64, RFC 3230.
_DIGEST = re.compile(r"sha-256=:?([A-Za-z0-9+/=]+):?", re.IGNORECASE)


class FileServer(Protocol):
    """One file source, as it is asked."""

    def url(self, path: str) -> httpx.URL:
        """Where the file is."""
        ...

    def who_asks(self, url: httpx.URL) -> Mapping[str, str]:
        """The headers that only this server may see."""
        ...

    def sums(self, headers: httpx.Headers) -> Sums:
        """What the server says of the whole file's bytes."""
        ...


@dataclass(frozen=True)
class PlainHttp:
    """Any HTTP server, or BlueKing's artifactory below `/generic`."""

    base_url: str
    user: str | None = None
    password: str = field(default="", repr=False)

    def url(self, path: str) -> httpx.URL:
        """Below the base URL."""
        return httpx.URL(f"{self.base_url}/{_path(path)}")

    def who_asks(self, url: httpx.URL) -> Mapping[str, str]:
        """HTTP basic, if anybody has to be named."""
        if self.user is None:
            return {}
        both = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {both}"}

    def sums(self, headers: httpx.Headers) -> Sums:
        """As artifactories say it, and as RFC 9530 does."""
        found = {name: headers.get(f"X-Checksum-{name}", "") for name in _SIZES}
        said = _DIGEST.search(headers.get("Repr-Digest") or headers.get("Digest") or "")
        if said and not found["sha256"]:
            found["sha256"] = _hex(said[1])
        return _plausible(found)


@dataclass(frozen=True)
class S3:
    """An S3-compatible server, by paths."""

    base_url: str
    signer: Signer
    now_ms: Callable[[], int] = field(repr=False)

    def url(self, path: str) -> httpx.URL:
        """`bucket/key` below the endpoint."""
        return httpx.URL(f"{self.base_url}/{_path(path)}")

    def who_asks(self, url: httpx.URL) -> Mapping[str, str]:
        """The signature."""
        path = url.raw_path.decode("ascii")
        return self.signer.headers(
            url.netloc.decode("ascii"), path, {"x-amz-checksum-mode": "ENABLED"}, self.now_ms()
        )

    def sums(self, headers: httpx.Headers) -> Sums:
        """A checksum of the whole object; its ETag, an MD5 unless it came in parts or is encrypted."""
        found = {}
        if headers.get("x-amz-checksum-type", "FULL_OBJECT") == "FULL_OBJECT":
            found["sha256"] = _hex(headers.get("x-amz-checksum-sha256", ""))
        if headers.get("x-amz-server-side-encryption", "AES256") == "AES256":
            found["md5"] = headers.get("ETag", "").strip('"')
        return _plausible(found)


def server_of(
    definition: FileSourceDefinition, credential: Mapping[str, str], now_ms: Callable[[], int]
) -> FileServer:
    """How the file source is asked with the parts of its credential."""
    base_url = definition.base_url
    if definition.type is FileSourceType.S3:
        region = definition.region or _DEFAULT_REGION
        return S3(base_url, Signer(credential["access_key"], credential["secret_key"], region), now_ms)
    if definition.type is FileSourceType.BLUEKING_ARTIFACTORY:
        base_url += "/generic"
    return PlainHttp(base_url, credential.get("username"), credential.get("password", ""))


def _path(path: str) -> str:
    return encoded(path.strip("/"), "/")


def _hex(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).hex()
    except binascii.Error:
        return ""


def _plausible(found: Mapping[str, str]) -> Sums:
    """Those that are sums at all: what a server says besides is no reason to refuse its file."""
    sums = {name: text.lower() for name, text in found.items()}
    return {name: text for name, text in sums.items() if len(text) == _SIZES[name] and _HEX.fullmatch(text)}
