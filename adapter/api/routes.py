"""Where the dialects are served (contract a)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from starlette.routing import Route

from adapter.api.apis import V2, V2_SERVICES, V3, V3_SERVICES, V4, V4_SERVICES
from adapter.api.credentials import AskedBy
from adapter.api.dialects import ENVELOPE, V4_ENVELOPE, Dialect
from adapter.api.endpoints import Dispatcher, Endpoint, Surface
from adapter.api.job_services import SERVICES
from adapter.api.json_text import shown
from adapter.errors import BadRequest, EsbComponentNotFound, JobError, NoSuchPath
from adapter.messages import say

_NO_API = "There is no API {name}; see the list of APIs in the documentation"

_ESB = "/api/c/compapi"
_GATEWAY = "/api"  #: BlueKing's API gateway: /api/v3, /api/v3/system
_OWN_GATEWAY = "/api/job"  #: JOB's own: /api/job/v3/job-execute
_INTERNAL = "/esb/api"  #: what JOB's own gateway calls

_APIS: Mapping[str, Mapping[str, Endpoint]] = {"v2": V2, "v3": V3, "v4": V4}
_SERVICES = {"v2": V2_SERVICES, "v3": V3_SERVICES, "v4": V4_SERVICES}


def _unknown_component(name: str) -> JobError:
    return EsbComponentNotFound(say("Not found, component class not found: {name}", name=shown(name)))


def _unknown_api(name: str) -> JobError:
    return BadRequest(say(_NO_API, name=shown(name)))


def _no_handler(name: str) -> JobError:
    return NoSuchPath(say(_NO_API, name=shown(name)))


def _esb(component: str, version: str) -> Surface:
    return Surface(
        prefix=f"{_ESB}/v2/{component}",
        version=version,
        endpoints=_APIS[version],
        unknown=_unknown_component,
    )


def _below(
    prefix: str,
    version: str,
    asked_by: AskedBy,
    endpoints: Mapping[str, Endpoint] | None = None,
) -> Surface:
    """The APIs of a version at a place of a gateway; without `endpoints` all of them."""
    is_v4 = version == "v4"
    return Surface(
        prefix=prefix,
        version=version,
        endpoints=_APIS[version] if endpoints is None else endpoints,
        unknown=_no_handler if is_v4 else _unknown_api,
        asked_by=asked_by,
        dialect=V4_ENVELOPE if is_v4 else ENVELOPE,
    )


def _surfaces() -> Iterator[Surface]:
    yield _esb("jobv3", "v3")
    yield _esb("job", "v2")
    for version in ("v3", "v4"):
        yield _below(f"{_GATEWAY}/{version}/system", version, AskedBy.SYSTEM)
        yield _below(f"{_GATEWAY}/{version}", version, AskedBy.USER)
    for version, services in _SERVICES.items():
        for service in SERVICES:
            yield _below(
                f"{_OWN_GATEWAY}/{version}/{service}", version, AskedBy.GATEWAY, services.get(service, {})
            )
        yield _below(f"{_INTERNAL}/{version}", version, AskedBy.INTERNAL)


#: What is served below each base.
SURFACES = tuple(_surfaces())

#: Prefixes below which every other name is unknown, and what that means there.
_UNKNOWN = {
    _ESB: _unknown_component,
    f"{_GATEWAY}/v3": _unknown_api,
    f"{_GATEWAY}/v4": _no_handler,
    f"{_OWN_GATEWAY}/v4": _no_handler,
    _OWN_GATEWAY: _unknown_api,
    f"{_INTERNAL}/v4": _no_handler,
    _INTERNAL: _unknown_api,
}

#: A gateway may serve everything below its own name and a stage.
BASES = ("", "/api/bk-job/{stage}")


def routes(dispatcher: Dispatcher) -> list[Route]:
    """Every path, with and without its last slash."""
    found = [
        Route(base + surface.prefix + path, dispatcher.of(surface), methods=["GET", "POST"])
        for base in BASES
        for surface in SURFACES
        for path in ("/{name}", "/{name}/")
    ]
    for base in BASES:
        for prefix, unknown in _UNKNOWN.items():
            nothing = dispatcher.of_nothing(prefix, unknown, dialect_at(f"{prefix}/"))
            found.append(Route(base + prefix + "/{name:path}", nothing, methods=["GET", "POST"]))
    return found


def dialect_at(path: str) -> Dialect:
    """The dialect of a path, also of one where nothing is."""
    is_v4 = any(f"{prefix}/v4/" in path for prefix in (_GATEWAY, _OWN_GATEWAY, _INTERNAL))
    return V4_ENVELOPE if is_v4 else ENVELOPE
