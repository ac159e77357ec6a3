"""What is served beside JOB's APIs, below /api/ext/v1: paths name things, GET reads them."""

from __future__ import annotations

from marshmallow import Schema
from starlette.requests import Request

from adapter.api import checks, scopes
from adapter.api.call import Call
from adapter.api.endpoints import Dispatcher, Trace
from adapter.api.json_text import shown
from adapter.api.request import Incoming
from adapter.errors import MissingOrInvalid, WrongMethod
from adapter.job.actions import Action
from adapter.job.model import StepInstance
from adapter.messages import say

PREFIX = "/api/ext/v1"


def require_get(request: Request) -> None:
    """Raises WrongMethod for HEAD, which Starlette takes for a GET."""
    if request.method != "GET":
        raise WrongMethod(
            say(
                "Method {method} is not allowed; use {methods}",
                method=shown(request.method),
                methods="GET",
            )
        )


def understood(
    dispatcher: Dispatcher,
    schema: type[Schema],
    incoming: Incoming,
    request: Request,
    trace: Trace,
    action: Action,
) -> Call:
    """The call of who may do `action`; parts of the path and Last-Event-ID are fields too. Raises JobError."""
    raw = incoming.fields() | {name: value for name, value in request.path_params.items() if name != "stage"}
    if "last-event-id" in incoming.headers:
        raw["last_event_id"] = incoming.headers["last-event-id"]
    return dispatcher.understood(schema, scopes.one, incoming, raw, action=action, trace=trace)


def step_of(call: Call) -> StepInstance:
    """The step that `step_instance_id` names, in its execution `execute_count` or the latest."""
    step_instance_id = checks.require_id("step_instance_id", call["step_instance_id"], MissingOrInvalid)
    execute_count = call["execute_count"]
    if execute_count is not None and execute_count < 0:
        raise MissingOrInvalid("execute_count", say("must be at least 0, not {value}", value=execute_count))
    return call.services.follow.step(call.scope, step_instance_id, execute_count)
