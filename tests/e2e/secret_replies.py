"""Asking a service everything: each API of each dialect that only looks, and what stands beside them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from adapter.api.apis import V2, V3, V4
from adapter.api.endpoints import Endpoint
from adapter.job.actions import Action
from tests.e2e.secret_jobs import SCOPE, SEEN, SecretJobs
from tests.support.overheard import Overheard

_DIALECTS: tuple[tuple[str, Mapping[str, Endpoint]], ...] = (
    ("/api/c/compapi/v2/job/{}/", V2),
    ("/api/c/compapi/v2/jobv3/{}/", V3),
    ("/api/v4/{}", V4),
)


def everything_asked(service: Overheard, jobs: SecretJobs, *, with_streams: bool) -> list[str]:
    """Asks it, of each job; which APIs have not answered with data once, but for those that are of other jobs."""
    assert service.credentials is not None
    headers = service.credentials.in_header()
    silent = []
    for path, apis in _DIALECTS:
        for name, found in apis.items():
            if found.action is not Action.VIEW:
                continue
            method = "POST" if "POST" in found.methods else "GET"
            has_answered = False
            for fields in _requests(name, found, jobs):
                sent = {"json": fields} if method == "POST" else {"params": fields}
                reply = service.ask(method, path.format(name), headers=headers, **sent)
                has_answered |= reply.json().get("data") is not None
            if not has_answered:
                silent.append(path.format(name))
    document = json.loads(service.ask("GET", "/openapi.json").content)
    for path, methods in document["paths"].items():
        if (
            "get" not in methods
            or not path.startswith("/api/ext/")
            or (path.endswith("/events") and not with_streams)
        ):
            continue
        has_answered = False
        for values in _all_values(jobs):
            reply = service.ask("GET", path.format(**values), params=SCOPE, headers=headers)
            is_json = reply.headers["content-type"].startswith("application/json")
            has_answered |= not is_json or reply.json()["code"] == 0
        if not has_answered:
            silent.append(path)
    return silent


def _requests(name: str, found: Endpoint, jobs: SecretJobs) -> Iterator[dict[str, Any]]:
    known = found.schema().fields
    asked = []
    for values in _all_values(jobs):
        special = _SPECIAL.get(name, {})
        fields = {**values, **{field: values.get(value, value) for field, value in special.items()}}
        fields = {**SCOPE, **{field: fields[field] for field in known if field in fields}}
        if fields not in asked:
            asked.append(fields)
    yield from asked


def _all_values(jobs: SecretJobs) -> Iterator[dict[str, Any]]:
    """What requests may name, of each step."""
    now = int(time.time() * 1000)
    for step in jobs.steps:
        host = {"host_id_list": [step.host_id]}
        yield {
            **jobs.ids,
            **host,
            "job_instance_id": step.job_id,
            "step_instance_id": step.step_id,
            "bk_host_id": step.host_id,
            "execute_object_type": 1,
            "execute_object_resource_id": step.host_id,
            "execute_object_list": [{"type": 1, "resource_id": str(step.host_id)}],
            "execute_count": 0,
            "return_ip_result": True,
            "return_execute_object_result": True,
            "include_execute_object_task_result": True,
            "return_script_content": True,
            "cron_id": jobs.cron_id,
            "create_time_start": now - 3_600_000,
            "create_time_end": now + 3_600_000,
            "length": 100,
        }


_AT_ANY_TIME = {"create_time_start": None, "create_time_end": None}
#: Fields of single APIs: the name of a value above, or what it is.
_SPECIAL: Mapping[str, Mapping[str, Any]] = {
    "get_script_detail": {"id": "script version"},
    "get_script_version_list": {"script_id": "script id"},
    "get_script_version_detail": {"id": "script version"},
    "get_public_script_version_list": {"script_id": "public_script id"},
    "get_public_script_version_detail": {"id": "public_script version"},
    "check_script": {"script_language": 1, "content": "ZWNobw=="},
    "get_credential_detail": {"id": "USERNAME_PASSWORD"},
    "get_cron_detail": {"id": "cron_id"},
    "get_cron_list": _AT_ANY_TIME,
    "get_job_list": _AT_ANY_TIME,
    "get_file_task_context": {"mode": 1},
    "get_file_source_detail": {"code": SEEN},
    "get_job_template_detail": {"id": "template"},
    "get_job_plan_detail": {"job_plan_id": 5100},
    "get_job_detail": {"bk_job_id": 5100},
}
