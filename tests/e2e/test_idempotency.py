"""A client that does not know whether its request arrived sends it again, and the script runs once."""

from __future__ import annotations

import os
from typing import Any

from tests.e2e.conftest import NewService
from tests.e2e.jobs import Job
from tests.e2e.restarts import marking, ran_once, wait_for_start
from tests.lab import Lab
from tests.support.service import Service, b64

_PATH = "/api/c/compapi/v2/jobv3/fast_execute_script/"


def sent(service: Service, text: str, key: str) -> dict[str, Any]:
    """The envelope."""
    assert service.credentials is not None
    body = {
        "bk_biz_id": 1,
        "script_content": b64(text),
        "script_language": 1,
        "account_alias": "root",
        "target_server": {"host_id_list": [101]},
    }
    return service.post(_PATH, body, {**service.credentials.in_header(), "X-Idempotency-Key": key})


def test_sent_again_after_the_service_was_killed(lab: Lab, fresh_service: NewService) -> None:
    """The same answer before and after, and the script's own count is one."""
    service, name = fresh_service(), f"idempotent-{os.getpid()}"
    script = marking(name, 3)
    first = sent(service, script, "the-key")
    assert first["code"] == 0, first
    wait_for_start(lab, lab.hosts_of(1)[:1], name)
    service.kill()
    service.start()
    assert sent(service, script, "the-key")["data"] == first["data"]
    ran_once(
        lab,
        Job(service, 1, *(first["data"][id_] for id_ in ("job_instance_id", "step_instance_id"))),
        lab.hosts_of(1)[:1],
        name,
        3,
    )
    assert sent(service, "true", "the-key")["code"] == 1241005
