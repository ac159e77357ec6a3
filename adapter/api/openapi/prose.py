"""What the document says once for all APIs: paths, who is asking, scopes, how lenient requests are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapter.api.job_services import ByService

_DESCRIPTION = """\
The BlueKing JOB HTTP API, executed over Ansible. docs/compatibility.md says what differs from JOB.

**Paths.** Each API stands here once, at its usual path; `x-also-at` lists its others. All of them are served with
and without a last slash, and below `/api/bk-job/<stage>` as well.

**Methods.** v2 and v3 take GET and POST alike: a body wins over the query, and is read as JSON whatever its
Content-Type. In a query objects and lists are JSON text.

**Who is asking.** `X-Bkapi-Authorization` is a JSON object with `bk_app_code` and `bk_app_secret`, and `bk_token`,
`access_token` or, for applications that may act as any user, `bk_username`; or `access_token` alone. If the header
is there, it is all that is looked at; else the same keys may stand in the body or the query. On `/api/v3/system/`
and `/api/v4/system/` the user is in `X-Bk-Username`. A gateway sends `X-Bkapi-JWT` instead.

**Scope.** `bk_scope_type` and `bk_scope_id` win over `bk_biz_id`, which does alone where it is listed.

**Leniency.** Numbers and booleans may be text, text may be a number, objects and lists may be JSON text; "" and
null are as absent; unknown members are ignored.
"""

SERVERS = [
    {"url": "/", "description": "This service."},
    {
        "url": "/api/bk-job/{stage}",
        "description": "The same below a gateway's name and a stage.",
        "variables": {"stage": {"default": "prod", "description": "Any stage."}},
    },
]

SECURITY_SCHEMES: Mapping[str, Any] = {
    "authorization": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Bkapi-Authorization",
        "description": 'JSON: {"bk_app_code": "…", "bk_app_secret": "…", "bk_token": "…"}.',
    },
    "gateway": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Bkapi-JWT",
        "description": "A JWT that a gateway has signed with the key that --jwt-public-keys names.",
    },
    "access_token": {
        "type": "apiKey",
        "in": "query",
        "name": "access_token",
        "description": "A user's token alone (`adapter token create`); other credentials may stand there, too.",
    },
}
SECURITY: list[dict[str, list[str]]] = [{name: []} for name in SECURITY_SCHEMES]

_DIALECTS = {"v3": "today's JOB", "v2": "JOB's older API", "v4": "JOB's newest API"}


def info(version: str) -> dict[str, Any]:
    """The head of the document."""
    return {
        "title": "ansible-job-adapter",
        "version": version,
        "description": _DESCRIPTION,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }


def tags(services: Mapping[str, ByService]) -> list[dict[str, str]]:
    """One for each service of a dialect that has APIs."""
    return [*_tags(services), {"name": "ext", "description": "Beside JOB's APIs."}]


def _tags(services: Mapping[str, ByService]) -> Iterator[dict[str, str]]:
    for dialect, by_service in services.items():
        for service, names in by_service.items():
            if names:
                yield {
                    "name": f"{dialect} {service}",
                    "description": f"{_DIALECTS[dialect]}: what its service {service} answers.",
                }
