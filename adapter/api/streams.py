"""What can be followed as server-sent events, beside JOB's APIs: the states of a job, and a host's log."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from adapter.api import checks, ext, views_v3
from adapter.api.call import Call
from adapter.api.endpoints import Dispatcher, Trace
from adapter.api.event_stream import EventStream
from adapter.api.fields import BaseSchema, Number
from adapter.api.reports import source_hosts
from adapter.api.routes import BASES
from adapter.errors import MissingOrInvalid
from adapter.job.actions import Action
from adapter.job.model import FileLog, Host, HostChange, HostResult, JobInstance, StepInstance
from adapter.messages import say
from adapter.service.follow import Event, Follower, JobEnd, LogEnd, LogPart


class JobEvents(BaseSchema):
    """The stream of a job."""

    job_instance_id = Number()
    last_event_id = Number()


class LogEvents(BaseSchema):
    """The stream of a host's log."""

    step_instance_id = Number()
    bk_host_id = Number()
    execute_count = Number()
    last_event_id = Number()


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A kind of stream. The names of the path's parts are fields of the schema."""

    path: str
    action: Action
    schema: type[Schema]
    follow: Callable[[Call], tuple[Follower, dict[int, Host]]]  #: and the hosts that its events may name


def _job(call: Call) -> tuple[Follower, dict[int, Host]]:
    job_instance_id = checks.require_id("job_instance_id", call["job_instance_id"], MissingOrInvalid)
    return call.services.follow.job(call.scope, job_instance_id, _last_event_id(call)), {}


def _log(call: Call) -> tuple[Follower, dict[int, Host]]:
    bk_host_id = checks.require_id("bk_host_id", call["bk_host_id"], MissingOrInvalid)
    step = ext.step_of(call)
    return call.services.follow.log(step, bk_host_id, _last_event_id(call) or 0), source_hosts(step)


STREAMS = (
    Stream(path="/job_instances/{job_instance_id}/events", action=Action.VIEW, schema=JobEvents, follow=_job),
    Stream(
        path="/step_instances/{step_instance_id}/hosts/{bk_host_id}/log/events",
        action=Action.VIEW,
        schema=LogEvents,
        follow=_log,
    ),
)


def stream_routes(dispatcher: Dispatcher) -> list[Route]:
    """The paths of all streams."""
    return [
        Route(base + ext.PREFIX + stream.path, _endpoint(dispatcher, stream), methods=["GET"])
        for base in BASES
        for stream in STREAMS
    ]


class _StreamResponse(Response):
    """What Starlette takes for a response: hands over to the stream."""

    def __init__(self, stream: EventStream) -> None:
        super().__init__()
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._stream(scope, receive, send)


def _endpoint(dispatcher: Dispatcher, stream: Stream) -> Callable[[Request], Awaitable[Response]]:
    """Who asks, whether they may, and what for, is found out as for every API; then the stream begins."""

    async def serve(request: Request) -> Response:
        async def work(trace: Trace) -> Response:
            ext.require_get(request)
            incoming = await dispatcher.read(request, trace)
            call = await run_in_threadpool(
                ext.understood, dispatcher, stream.schema, incoming, request, trace, stream.action
            )
            follower, known = await run_in_threadpool(stream.follow, call)
            streams = call.services.streams
            streams.require_room()
            name = f"{trace.name} {trace.request_id}"
            return _StreamResponse(EventStream(streams, follower, lambda event: view(event, known), name))

        return await dispatcher.guarded(request, ext.PREFIX + stream.path, work)

    return serve


def _last_event_id(call: Call) -> int | None:
    """The header; or last_event_id, for browsers that begin at what a page shows."""
    value: int | None = call["last_event_id"]
    if value is not None and value < 0:
        raise MissingOrInvalid("Last-Event-ID", say("must be at least 0, not {value}", value=value))
    return value


def view(event: Event, known: dict[int, Host]) -> tuple[str, Any]:
    """The name of an event and its data, in v3's words."""
    data: dict[str, Any]
    match event.what:
        case JobInstance() as job:
            name, data = "job", {**views_v3.job_instance(job), "finished": job.status.is_finished}
        case StepInstance() as step:
            name, data = "step", {**views_v3.step_instance(step), "finished": step.status.is_finished}
        case HostChange() as change:
            name, data = "host", _host(change)
        case LogPart(offset=offset, content=content):
            name, data = "log", {"offset": offset, "content": content}
        case FileLog() as entry:
            name, data = "file", views_v3.file_entry(entry, known)
        case JobEnd(job=job):
            name, data = "end", {**views_v3.job_instance(job), "finished": True}
        case LogEnd(result=result, offset=offset):
            name, data = "end", _log_end(result, offset)
    return name, data


def _host(change: HostChange) -> dict[str, Any]:
    return {
        "step_instance_id": change.step_instance_id,
        "execute_count": change.execute_count,
        **views_v3.host_result(change.result),
        "finished": change.result.status.is_finished,
    }


def _log_end(result: HostResult, offset: int) -> dict[str, Any]:
    """`offset`: bytes of the log; of these the host printed `log_kept` of `log_bytes`, the rest we said."""
    return {
        **views_v3.host_result(result),
        "finished": True,
        "offset": offset,
        "log_bytes": result.log_bytes,
        "log_kept": result.log_kept,
    }
