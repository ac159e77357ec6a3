"""X-Idempotency-Key: a launch that is sent again under the same key is answered as the first time (decision 17)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from adapter.api.credentials import CREDENTIAL_KEYS
from adapter.api.launches import SIGNED_WITH
from adapter.api.request import Incoming
from adapter.errors import FieldInvalid
from adapter.job.commands import Once
from adapter.messages import say

_HEADER = "X-Idempotency-Key"
#: As idempotency keys are elsewhere: printable, without blanks, so that every proxy passes them on unchanged.
_KEY = re.compile(r"[!-~]{1,255}")


def once_of(incoming: Incoming, version: str, fields: Mapping[str, Any]) -> Once | None:
    """The request's key with a digest of what was asked, of an API of that version; None without a key.

    Raises FieldInvalid. Who asks is not part of what is asked: a token may be a new one when the request
    is sent again.
    """
    key = incoming.headers.get(_HEADER.lower())
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise FieldInvalid(_HEADER, say("must be 1 to 255 printable ASCII characters without blanks"))
    asked = {name: value for name, value in fields.items() if name not in CREDENTIAL_KEYS}
    if SIGNED_WITH.lower() in incoming.headers:
        asked[SIGNED_WITH] = incoming.headers[SIGNED_WITH.lower()]
    name = incoming.path.rstrip("/").rpartition("/")[2]
    text = json.dumps([version, name, asked], sort_keys=True)
    return Once(key=key, digest=hashlib.sha256(text.encode()).hexdigest())
