"""operate_step_instance as a client calls it, and the states it leads to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.e2e.jobs import Job
from tests.support.last_words import last_words


def operate_step(job: Job, code: int, step_id: int | None = None, user: str | None = None) -> dict[str, Any]:
    """The envelope of operate_step_instance; as another `user` only if the application may act as any."""
    body: dict[str, Any] = {
        "bk_biz_id": job.biz,
        "job_instance_id": job.id,
        "step_instance_id": step_id or job.step_id,
        "operation_code": code,
    }
    if user is None:
        return job.service.call("operate_step_instance", **body)
    assert job.service.credentials is not None
    identity = {
        "bk_app_code": job.service.credentials.app_code,
        "bk_app_secret": job.service.credentials.app_secret,
        "bk_username": user,
    }
    return job.service.post("/api/c/compapi/v2/jobv3/operate_step_instance/", {**body, **identity})


def status_of(
    job: Job, until: Callable[[dict[str, Any]], bool] = lambda _: True, timeout: float = 60
) -> dict[str, Any]:
    """get_job_instance_status with its hosts, once it is as `until` wants."""
    end = time.monotonic() + timeout
    while True:
        status: dict[str, Any] = job.service.data(
            "get_job_instance_status", bk_biz_id=job.biz, job_instance_id=job.id, return_ip_result=True
        )
        if until(status):
            return status
        assert time.monotonic() < end, f"in vain waited {timeout} s; last: {status}\n{last_words()}"
        time.sleep(0.1)
