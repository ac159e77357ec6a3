"""An endpoint as data, and the way every request goes: body, caller, scope, schema, use case, envelope."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import structlog
from marshmallow import Schema
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from adapter.api import loading, scopes
from adapter.api import request as reading
from adapter.api.audited import entry_of, is_recorded
from adapter.api.call import Call, Services
from adapter.api.credentials import AskedBy, CredentialsReader
from adapter.api.dialects import ENVELOPE, Dialect
from adapter.api.idempotency import once_of
from adapter.api.json_text import shown
from adapter.api.launches import check_callback_url, launching
from adapter.api.unavailable import why_unavailable
from adapter.api.views_planned import planned
from adapter.config import Settings
from adapter.errors import Internal, JobError, WrongMethod
from adapter.job.actions import Action
from adapter.job.audit_log import Recording
from adapter.job.commands import Caller, Launched, Once
from adapter.job.egress import EgressRule
from adapter.job.model import Scope
from adapter.messages import Language, say
from adapter.service import access
from adapter.service.authentication import Credentials

_log = structlog.get_logger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One API: what it reads, and what it answers as `data`."""

    schema: type[Schema]
    answer: Callable[[Call], Any]
    scopes: Callable[[Mapping[str, Any]], tuple[Scope, ...]]
    methods: tuple[str, ...]
    action: Action  #: what its caller must be allowed; LAUNCH also reads what adapter.api.launches reads


def endpoint(
    schema: type[Schema],
    use_case: Callable[[Call], T],
    reply: Callable[[T], Any],
    scopes: Callable[[Mapping[str, Any]], tuple[Scope, ...]] = scopes.one,
    methods: tuple[str, ...] = ("GET", "POST"),
    *,
    action: Action,
) -> Endpoint:
    """An endpoint of a use case and the view of its result.

    `action` has no default on purpose: what an API does to the world is said by whoever adds it.
    """
    return Endpoint(
        schema=schema,
        answer=lambda call: reply(use_case(call)),
        scopes=scopes,
        methods=methods,
        action=action,
    )


def launch(
    schema: type[Schema],
    use_case: Callable[[Call], Launched],
    reply: Callable[[Launched], Any],
    scopes: Callable[[Mapping[str, Any]], tuple[Scope, ...]] = scopes.one,
    methods: tuple[str, ...] = ("GET", "POST"),
) -> Endpoint:
    """An endpoint that starts jobs, or says what would be started."""

    def told(result: Launched) -> Any:
        return reply(result) if result.planned is None else planned(result, result.planned)

    return endpoint(schema, use_case, told, scopes, methods, action=Action.LAUNCH)


@dataclass(frozen=True, kw_only=True)
class Surface:
    """A dialect at a place: the endpoints below a prefix, by name."""

    prefix: str
    version: str  #: of the API: v2, v3, v4
    endpoints: Mapping[str, Endpoint]
    unknown: Callable[[str], JobError]  #: what a name that is not there means
    asked_by: AskedBy = AskedBy.USER
    dialect: Dialect = ENVELOPE


@dataclass(kw_only=True)
class Trace:
    """What the access log says of a request: never a body, never a secret."""

    name: str
    request_id: str
    language: Language
    api: str = ""  #: the name alone, if it is one of JOB's
    app: str = ""
    user: str = ""
    action: Action | None = None  #: once it is known who asks
    started: float = field(default_factory=time.perf_counter)

    def finish(self, code: int) -> None:
        ms = round((time.perf_counter() - self.started) * 1000, 1)
        _log.info(
            "request",
            api=self.name,
            app=self.app,
            user=self.user,
            action=self.action,
            code=code,
            ms=ms,
            request_id=self.request_id,
        )


class Dispatcher:
    """Carries requests through: nothing that goes wrong leaves without an envelope."""

    def __init__(self, services: Services, settings: Settings) -> None:
        self._services = services
        self._max_body_bytes = settings.max_body_bytes
        self._language = Language.of(settings.language)
        self._credentials = CredentialsReader(settings.internal_networks)
        self._public_url = settings.public_url.rstrip("/")
        self._egress = EgressRule.of(settings.callback_allow)

    def of(self, surface: Surface) -> Callable[[Request], Awaitable[Response]]:
        """The Starlette endpoint of a surface; the path's last part is the name."""

        async def serve(request: Request) -> Response:
            return await self._serve(surface, request)

        return serve

    def of_nothing(
        self, prefix: str, unknown: Callable[[str], JobError], dialect: Dialect
    ) -> Callable[[Request], Awaitable[Response]]:
        """The Starlette endpoint of a place where no API is."""

        async def serve(request: Request) -> Response:
            async def work(_trace: Trace) -> Response:
                raise unknown(request.path_params["name"])

            return await self.guarded(request, f"{prefix}/…", work, dialect)

        return serve

    async def _serve(self, surface: Surface, request: Request) -> Response:
        async def work(trace: Trace) -> Response:
            found = _find(surface, request)
            trace.api = request.path_params["name"]
            incoming = await self.read(request, trace)
            return await run_in_threadpool(self._carry_out, surface, found, incoming, trace)

        name = f"{surface.prefix}/{request.path_params['name'][:64]}"
        return await self.guarded(request, name, work, surface.dialect)

    async def read(self, request: Request, trace: Trace) -> reading.Incoming:
        """Everything of the request. Raises BodyTooLarge."""
        return await reading.read(request, trace.request_id, trace.language, self._max_body_bytes)

    async def guarded(
        self,
        request: Request,
        name: str,
        work: Callable[[Trace], Awaitable[Response]],
        dialect: Dialect = ENVELOPE,
    ) -> Response:
        """What `work` answers, or the envelope of what went wrong."""
        id_ = reading.request_id(request)
        language = reading.language_of(request, self._language)
        trace = Trace(name=name, request_id=id_, language=language)
        try:
            response = await work(trace)
        except ClientDisconnect:
            return Response(status_code=400)
        except JobError as error:
            trace.finish(error.code)
            return dialect.failed(error, id_, language)
        except Exception as error:  # noqa: BLE001 the last line of defence; it is logged
            reason = why_unavailable(error)
            if reason is None:
                reason = say("Internal Server Error")
                _log.exception("unexpected error", api=trace.name, request_id=id_)
            else:
                _log.error("database_unavailable", api=trace.name, request_id=id_, error=str(error)[:300])
            trace.finish(Internal.code)
            internal = Internal(say("{reason}; the service's log has request_id {id}", reason=reason, id=id_))
            return dialect.failed(internal, id_, language)
        trace.finish(0)
        return response

    def _carry_out(
        self, surface: Surface, found: Endpoint, incoming: reading.Incoming, trace: Trace
    ) -> Response:
        """In a thread of its own, with everything that takes time: parsing, the use case, writing the reply."""
        raw = incoming.fields()
        call = self.understood(
            found.schema,
            found.scopes,
            incoming,
            raw,
            action=found.action,
            asked_by=surface.asked_by,
            trace=trace,
        )
        once = once_of(incoming, surface.version, raw)
        if found.action is Action.VIEW:
            return surface.dialect.succeeded(found.answer(call), incoming.id)
        log = self._services.audit_log
        entry = entry_of(
            incoming, trace.name, found.action, raw, now_ms=log.now_ms(), asks=call.caller, scopes=call.scopes
        )
        with log.recording(entry) as recording:
            if found.action is Action.LAUNCH:
                call = self._launching(call, once, incoming, raw, recording)
            data = found.answer(call)
            recording.note(data)
        return surface.dialect.succeeded(data, incoming.id)

    def _launching(
        self,
        call: Call,
        once: Once | None,
        incoming: reading.Incoming,
        raw: dict[str, Any],
        recording: Recording,
    ) -> Call:
        """The call with what every launch may have beside its own fields. Raises FieldInvalid."""
        check_callback_url(call.fields, self._egress)
        caller = launching(call.caller, once, incoming, call.fields, raw)
        if caller.plan_only:
            recording.is_written = True  # there is nothing to write: nothing will have happened
        return replace(call, caller=replace(caller, recording=recording))

    def understood(
        self,
        schema: type[Schema],
        scopes_of: Callable[[Mapping[str, Any]], tuple[Scope, ...]],
        incoming: reading.Incoming,
        raw: dict[str, Any],
        *,
        action: Action,
        trace: Trace,
        asked_by: AskedBy = AskedBy.USER,
    ) -> Call:
        """The request of a known caller, who may use its scopes. Raises JobError."""
        log = self._services.audit_log
        asks: Caller | Credentials | None = None
        wanted: tuple[Scope, ...] = ()
        try:
            asks = self._credentials.read(incoming, raw, asked_by)
            asks = caller = self._services.authentication.identify(asks)
            trace.app, trace.user, trace.action = caller.app_code, caller.user, action
            wanted = scopes_of(raw)
            access.require(caller, action, wanted, trace.api)
            fields = loading.load(schema, raw)
        except JobError as error:
            if is_recorded(action, error):
                now_ms = log.now_ms()
                log.refused(
                    entry_of(incoming, trace.name, action, raw, now_ms=now_ms, asks=asks, scopes=wanted),
                    error.code,
                )
            raise
        return Call(
            services=self._services,
            caller=replace(caller, language=incoming.language),
            scopes=wanted,
            fields=fields,
            language=incoming.language,
            base_url=self._public_url or incoming.base_url,
        )


def _find(surface: Surface, request: Request) -> Endpoint:
    name = request.path_params["name"]
    if name not in surface.endpoints:
        raise surface.unknown(name)
    found = surface.endpoints[name]
    if request.method not in found.methods:
        methods = " or ".join(found.methods)
        raise WrongMethod(
            say(
                "Method {method} is not allowed; use {methods}", method=shown(request.method), methods=methods
            )
        )
    return found
