"""What is recorded beside what JOB tells, below /api/ext/v1: a job's callbacks, and how much hosts printed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapter.api import audit_log, checks, cron_records, ext, views_v3
from adapter.api.call import Call
from adapter.api.dialects import ENVELOPE
from adapter.api.endpoints import Dispatcher, Trace
from adapter.api.fields import BaseSchema, Number
from adapter.api.routes import BASES
from adapter.errors import MissingOrInvalid
from adapter.job.actions import Action
from adapter.job.callbacks import Callback, Delivery
from adapter.job.model import HostResult
from adapter.service.records import CallbackRecord, LogRecord


class OfJob(BaseSchema):
    """Which job."""

    job_instance_id = Number()


class OfHosts(BaseSchema):
    """Which execution of which step, the latest unless it is named; which part of its hosts."""

    step_instance_id = Number()
    execute_count = Number()
    start = Number()
    length = Number()


@dataclass(frozen=True, kw_only=True)
class Record:
    """What is recorded of something. The names of the path's parts are fields of the schema."""

    path: str
    action: Action
    schema: type[Schema]
    answer: Callable[[Call], Any]


def _callbacks(call: Call) -> dict[str, Any]:
    id_ = checks.require_id("job_instance_id", call["job_instance_id"], MissingOrInvalid)
    return callbacks(call.services.records.callbacks(call.scope, id_))


def _logs(call: Call) -> dict[str, Any]:
    return logs(call.services.records.logs(ext.step_of(call), call["start"], call["length"]))


RECORDS = (
    Record(
        path=f"{ext.PREFIX}/job_instances/{{job_instance_id}}/callbacks",
        action=Action.VIEW,
        schema=OfJob,
        answer=_callbacks,
    ),
    Record(
        path=f"{ext.PREFIX}/step_instances/{{step_instance_id}}/logs",
        action=Action.VIEW,
        schema=OfHosts,
        answer=_logs,
    ),
    Record(
        path=f"{ext.PREFIX}/crons/{{cron_id}}/runs",
        action=Action.VIEW,
        schema=cron_records.OfCron,
        answer=cron_records.runs,
    ),
    Record(
        path=f"{ext.PREFIX}/audit_log",
        action=Action.VIEW,
        schema=audit_log.GetAuditLog,
        answer=audit_log.audit_log,
    ),
)


def record_routes(dispatcher: Dispatcher) -> list[Route]:
    """Their paths below every base."""
    return [
        Route(base + record.path, _serving(dispatcher, record), methods=["GET"])
        for base in BASES
        for record in RECORDS
    ]


def _serving(dispatcher: Dispatcher, record: Record) -> Callable[[Request], Any]:
    async def serve(request: Request) -> Response:
        async def work(trace: Trace) -> Response:
            ext.require_get(request)
            incoming = await dispatcher.read(request, trace)

            def carry_out() -> Response:
                call = ext.understood(dispatcher, record.schema, incoming, request, trace, record.action)
                return ENVELOPE.succeeded(record.answer(call), incoming.id)

            return await run_in_threadpool(carry_out)

        return await dispatcher.guarded(request, record.path, work)

    return serve


def callbacks(record: CallbackRecord) -> dict[str, Any]:
    """A job's callbacks, completion by completion."""
    return {
        "job_instance_id": record.job.id,
        "callback_url": record.url,
        "signed": record.is_signed,
        "completions": [_completion(callback, record.deliveries) for callback in record.callbacks],
    }


def _completion(callback: Callback, deliveries: tuple[Delivery, ...]) -> dict[str, Any]:
    return {
        "completion": callback.completion,
        "state": str(callback.state),
        "create_time": callback.create_time,
        "body": callback.body,
        "deliveries": [
            {
                "attempt": told.attempt,
                "start_time": told.start_time,
                "total_time": told.duration,
                "url": told.url,
                "content_type": told.content_type,
                "status": told.status,
                "error": told.error,
            }
            for told in deliveries
            if told.completion == callback.completion
        ],
    }


def logs(record: LogRecord) -> dict[str, Any]:
    """How much the hosts printed, all together and one by one."""
    totals, page = record.totals, record.hosts
    return {
        "job_instance_id": record.step.job_instance_id,
        "step_instance_id": record.step.id,
        "execute_count": record.step.execute_count,
        "hosts": totals.hosts,
        "hosts_finished": totals.hosts_finished,
        **_bytes(totals.log_bytes, totals.log_kept),
        "start": page.start,
        "length": page.length,
        "total": page.total,
        "data": [_host(result) for result in page.items],
    }


def _host(result: HostResult) -> dict[str, Any]:
    """Bytes are counted when a host ends; until then nobody knows them."""
    counted = (result.log_bytes, result.log_kept) if result.status.is_finished else (None, None)
    finished = {"status": int(result.status), "finished": result.status.is_finished}
    return {**views_v3.host(result.host), **finished, **_bytes(*counted)}


def _bytes(total: int | None, kept: int | None) -> dict[str, int | None]:
    dropped = None if total is None or kept is None else total - kept
    return {"bytes_total": total, "bytes_kept": kept, "bytes_dropped": dropped}
