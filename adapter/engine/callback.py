"""Telling callback_url how a job ended (contract section c, Callback).

One POST of JSON; if the answer is not exactly 200, once more the same text as a form, as JOB does. If neither is
taken, the workflow tries again after growing pauses (`Settings.callback_retry_pauses`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx
import structlog

from adapter.job.model import JobInstance
from adapter.store.jobs import JobStore

log = structlog.get_logger(__name__)

_CONTENT_TYPES = ("application/json", "application/x-www-form-urlencoded")


def callback_body(job: JobInstance) -> dict[str, Any]:
    """What the receiver gets. JOB's code says `step_instances`, its documentation `step_instance_list`: both."""
    steps = [{"step_instance_id": step.id, "status": int(step.status)} for step in job.steps]
    return {
        "job_instance_id": job.id,
        "status": int(job.status),
        "step_instances": steps,
        "step_instance_list": steps,
    }


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """Delivers callbacks; `timeout` is seconds for one request, `pauses` seconds between attempts."""

    jobs: JobStore
    timeout: float
    pauses: tuple[float, ...]

    def pause_after(self, attempt: int) -> float | None:
        """Seconds from this failed attempt, counted from 1, to the next; None: it was the last."""
        return self.pauses[attempt - 1] if attempt <= len(self.pauses) else None

    def deliver(self, job_instance_id: int, attempt: int) -> bool:
        """One attempt. What became of it is written beside the job, for operators."""
        job = self.jobs.get(job_instance_id)
        if job is None or not job.callback_url:
            return True
        text = json.dumps(callback_body(job))
        answers = []
        for content_type in _CONTENT_TYPES:
            answer = self._post(job.callback_url, text, content_type)
            if answer == "200":
                self.jobs.set_callback_state(
                    job_instance_id, f"delivered (attempt {attempt}, {content_type})"
                )
                return True
            answers.append(answer)
        self.jobs.set_callback_state(job_instance_id, f"attempt {attempt} failed: {'; '.join(answers)}")
        log.warning("callback_failed", job_instance_id=job_instance_id, attempt=attempt, answers=answers)
        return False

    def _post(self, url: str, text: str, content_type: str) -> str:
        """The status code, or why there was none."""
        try:
            with httpx.Client(timeout=self.timeout, follow_redirects=False, trust_env=False) as client:
                reply = client.post(url, content=text, headers={"Content-Type": content_type})
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            return f"{type(error).__name__}: {error}"
        return str(reply.status_code)
