"""A step to run again elsewhere, as tar.gz: GET /api/ext/v1/step_instances/{step_instance_id}/bundle."""

from __future__ import annotations

from dataclasses import replace

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapter.api import ext
from adapter.api.call import Call
from adapter.api.endpoints import Dispatcher, Trace
from adapter.api.fields import BaseSchema, Number
from adapter.api.routes import BASES
from adapter.errors import InvalidParameter
from adapter.job.actions import Action
from adapter.messages import say

PATH = f"{ext.PREFIX}/step_instances/{{step_instance_id}}/bundle"


class Bundle(BaseSchema):
    """Which execution of which step; the latest unless it is named. The batch, where each has its own directory."""

    step_instance_id = Number()
    execute_count = Number()
    batch = Number(at_least=1)


def bundle_routes(dispatcher: Dispatcher) -> list[Route]:
    """The path below every base."""

    async def serve(request: Request) -> Response:
        async def work(trace: Trace) -> Response:
            ext.require_get(request)
            incoming = await dispatcher.read(request, trace)
            call = await run_in_threadpool(
                ext.understood, dispatcher, Bundle, incoming, request, trace, Action.VIEW
            )
            return await run_in_threadpool(_packed, call)

        return await dispatcher.guarded(request, PATH, work)

    return [Route(base + PATH, serve, methods=["GET"]) for base in BASES]


def _packed(call: Call) -> Response:
    step = ext.step_of(call)
    if call["batch"] is not None:
        if not step.rolls_by_sources:
            raise InvalidParameter("batch", say("the step does not roll by its file sources"))
        step = replace(step, batch=call["batch"])
    name = f"step-{step.id}.{step.execute_count}.tar.gz"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(call.services.bundles.pack(step), media_type="application/gzip", headers=headers)
