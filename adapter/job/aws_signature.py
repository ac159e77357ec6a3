"""AWS Signature Version 4 of a request that has no body, as S3 and what is compatible with it ask for.

Not a library: signing a GET is this page, botocore would be 15 MB for it, and smaller packages have no releases any
more. AWS's published examples hold it (tests/unit/job/test_aws_signature.py).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

_ALGORITHM = "AWS4-HMAC-SHA256"
NO_BODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Signer:
    """Who asks, and for which region."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    region: str
    service: str = "s3"

    def headers(self, host: str, path: str, more: Mapping[str, str], at_ms: int) -> dict[str, str]:
        """The headers of a GET without a query: `more`, what S3 wants to know, and who signed these and `Host`.

        `path` is as it is sent, already encoded(); `at_ms` must be within 15 minutes of the server's time.
        """
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        given = {**more, "x-amz-content-sha256": NO_BODY, "x-amz-date": f"{at:%Y%m%dT%H%M%SZ}"}
        signed = {name.lower(): " ".join(value.split()) for name, value in {**given, "host": host}.items()}
        names = ";".join(sorted(signed))
        lines = [f"{name}:{signed[name]}\n" for name in sorted(signed)]
        request = "\n".join(("GET", path, "", "".join(lines), names, NO_BODY))
        scope = f"{at:%Y%m%d}/{self.region}/{self.service}/aws4_request"
        digest = hashlib.sha256(request.encode()).hexdigest()
        to_sign = "\n".join((_ALGORITHM, given["x-amz-date"], scope, digest))
        signature = hmac.new(self._key(f"{at:%Y%m%d}"), to_sign.encode(), hashlib.sha256).hexdigest()
        said = f"Credential={self.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        return {**given, "Authorization": f"{_ALGORITHM} {said}"}

    def _key(self, day: str) -> bytes:
        key = f"AWS4{self.secret_key}".encode()
        for word in (day, self.region, self.service, "aws4_request"):
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        return key


def encoded(text: str, also: str = "") -> str:
    """Percent-encoded as AWS does: all but what RFC 3986 calls unreserved, and `also`."""
    return quote(text, safe=f"-_.~{also}")
