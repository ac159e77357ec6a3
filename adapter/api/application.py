"""The HTTP application, made of its parts as arguments."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapter.api import request as reading
from adapter.api.bundles import bundle_routes
from adapter.api.call import Services
from adapter.api.endpoints import Dispatcher
from adapter.api.health import Health
from adapter.api.json_text import shown
from adapter.api.openapi.route import openapi_routes
from adapter.api.records import record_routes
from adapter.api.routes import dialect_at, routes
from adapter.api.streams import stream_routes
from adapter.api.uploads import upload_routes
from adapter.config import Settings
from adapter.errors import JobError, NoSuchPath, WrongMethod
from adapter.messages import Language, say

__all__ = ["Services", "create_app"]


def create_app(services: Services, settings: Settings) -> Starlette:
    """The application: JOB's APIs, what stands beside them, /healthz, /openapi.json. It owns nothing."""
    dispatcher = Dispatcher(services, settings)
    app = Starlette(
        routes=[
            Route("/healthz", Health(services).answer, methods=["GET"]),
            *routes(dispatcher),
            *stream_routes(dispatcher),
            *bundle_routes(dispatcher),
            *record_routes(dispatcher),
            *upload_routes(dispatcher, services.uploads),
            *openapi_routes(),
        ],
        exception_handlers={HTTPException: _no_route_in(Language.of(settings.language))},
    )
    app.router.redirect_slashes = False
    return app


def _no_route_in(default: Language) -> Callable[[Request, Exception], Response]:
    return lambda request, error: _no_route(request, error, reading.language_of(request, default))


def _no_route(request: Request, error: Exception, language: Language) -> Response:
    """What Starlette refuses by itself: unknown paths and wrong methods."""
    where = f"{shown(request.method)} {shown(request.url.path)}"
    found: JobError = NoSuchPath(
        say("Nothing is served at {where}; docs/compatibility.md has the paths of JOB's APIs", where=where)
    )
    if isinstance(error, HTTPException) and error.status_code == 405:
        found = WrongMethod(say("Method not allowed: {where}; use GET or POST", where=where))
    return dialect_at(request.url.path).failed(found, reading.request_id(request), language)
