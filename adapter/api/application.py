"""The HTTP application, made of its parts as arguments."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapter.api import request as reading
from adapter.api.call import Services
from adapter.api.endpoints import Dispatcher, failed
from adapter.api.health import Health
from adapter.api.json_text import shown
from adapter.api.routes import routes
from adapter.api.streams import stream_routes
from adapter.config import Settings
from adapter.errors import BadRequest, JobError, NoSuchPath

__all__ = ["Services", "create_app"]


def create_app(services: Services, settings: Settings) -> Starlette:
    """The application: JOB's APIs, event streams, /healthz. It starts and owns nothing."""
    dispatcher = Dispatcher(services, settings.max_body_bytes)
    app = Starlette(
        routes=[
            Route("/healthz", Health(services).answer, methods=["GET"]),
            *routes(dispatcher),
            *stream_routes(dispatcher),
        ],
        exception_handlers={HTTPException: _no_route},
    )
    app.router.redirect_slashes = False
    return app


def _no_route(request: Request, error: Exception) -> Response:
    """What Starlette refuses by itself: unknown paths and wrong methods."""
    where = f"{shown(request.method)} {shown(request.url.path)}"
    found: JobError = NoSuchPath(
        f"Nothing is served at {where}; JOB's APIs are below /api/c/compapi and /api/v3"
    )
    if isinstance(error, HTTPException) and error.status_code == 405:
        found = BadRequest(f"Method not allowed: {where}; use GET or POST")
    return failed(found, reading.request_id(request))
