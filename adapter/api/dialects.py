"""How a dialect says what came of a request: the envelope of v2 and v3, and that of v4."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from adapter.api import replies, replies_v4
from adapter.api.replies import EnvelopeResponse, Reply
from adapter.errors import JobError, JwtMissing
from adapter.messages import Language


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """The form of the replies below some paths."""

    success: Callable[[Any, str], Reply]
    failure: Callable[[JobError, str, Language], Reply]
    http_status: Callable[[JobError], int]

    def succeeded(self, data: Any, request_id: str) -> Response:
        """The reply to a request that was carried out."""
        return EnvelopeResponse(self.success(data, request_id))

    def failed(self, error: JobError, request_id: str, language: Language) -> Response:
        """The reply to a request that cannot be carried out."""
        if isinstance(error, JwtMissing):
            return Response(status_code=error.http_status)
        reply = self.failure(error, request_id, language)
        return EnvelopeResponse(reply, self.http_status(error), headers=error.headers)


#: v2, v3 and everything that is not JOB's: HTTP 200 whatever happened, with few exceptions (decision 7).
ENVELOPE = Dialect(
    success=replies.success, failure=replies.failure, http_status=lambda error: error.http_status
)

V4_ENVELOPE = Dialect(
    success=replies_v4.success, failure=replies_v4.failure, http_status=replies_v4.http_status
)
