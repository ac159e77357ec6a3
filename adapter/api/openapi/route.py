"""GET /openapi.json, for anyone: the document has nothing in it that this repository has not (decision 46)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapter.api.openapi.document import rendered
from adapter.api.routes import BASES


def _serve(_request: Request) -> Response:
    """Starlette runs it in a thread: the first request builds the document."""
    return Response(rendered(), media_type="application/json", headers={"Cache-Control": "no-cache"})


def openapi_routes() -> list[Route]:
    """The path below every base."""
    return [Route(f"{base}/openapi.json", _serve, methods=["GET"]) for base in BASES]
