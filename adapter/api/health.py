"""Whether the service can take jobs: for load balancers and for people in a hurry."""

from __future__ import annotations

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse

from adapter.api.call import Services

_log = structlog.get_logger(__name__)


class Health:
    """GET /healthz."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def answer(self, _request: Request) -> JSONResponse:
        """200 once hosts are loaded and the store answers, else 503 with the reason."""
        reason = self._what_is_missing()
        if reason is None:
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "unavailable", "reason": reason}, status_code=503)

    def _what_is_missing(self) -> str | None:
        if not self._services.hosts.is_ready():
            return "the inventory has not been read yet"
        try:
            self._services.ready()
        except Exception:  # noqa: BLE001 whatever it is, the answer is 503; it is logged
            _log.exception("the store does not answer")
            return "the store does not answer"
        return None
