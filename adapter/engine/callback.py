"""Telling callback_url how a job ended (contract section c, Callback).

One POST of JSON; if the answer is not exactly 200, once more the same text as a form, as JOB does. If neither is
taken, the workflow tries again after growing pauses (`Settings.callback_retry_pauses`).
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from adapter.engine.post import Answer, Post
from adapter.job.callbacks import Callback, CallbackState, Delivery, shown_url, signature_headers
from adapter.ports import Clock
from adapter.store.callbacks import CallbackStore
from adapter.store.jobs import JobStore

log = structlog.get_logger(__name__)

_CONTENT_TYPES = ("application/json", "application/x-www-form-urlencoded")


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """Delivers callbacks; `pauses` are seconds between attempts."""

    jobs: JobStore
    store: CallbackStore
    post: Post
    clock: Clock
    pauses: tuple[float, ...]

    def pause_after(self, attempt: int) -> float | None:
        """Seconds from this failed attempt, counted from 1, to the next; None: it was the last."""
        return self.pauses[attempt - 1] if attempt <= len(self.pauses) else None

    def owed(self, job_instance_id: int) -> tuple[int, ...]:
        """The job's completions that are not told yet, as far as one knows."""
        told = self.store.of_job(job_instance_id)
        return tuple(callback.completion for callback in told if callback.state is CallbackState.WAITING)

    def deliver(self, job_instance_id: int, completion: int, attempt: int) -> bool:
        """One attempt; False if there should be another. What became of it is logged for operators."""
        job = self.jobs.get(job_instance_id)
        callback = self.store.get(job_instance_id, completion)
        if job is None or not job.callback_url or callback is None:
            return True
        if callback.state is CallbackState.DELIVERED:
            return True
        if attempt > 1 and self.store.get(job_instance_id, completion + 1) is not None:
            # A client that hears of the newer end first would take the older one for what is true now.
            self._end(callback, CallbackState.SUPERSEDED)
            return True
        secret = self.jobs.callback_secret(job_instance_id)
        state = self._attempt(callback, job.callback_url, secret, attempt)
        if state is CallbackState.WAITING and self.pause_after(attempt) is None:
            state = CallbackState.GIVEN_UP
        self._end(callback, state)
        return state is not CallbackState.WAITING

    def _attempt(self, callback: Callback, url: str, secret: str | None, attempt: int) -> CallbackState:
        answers = []
        for content_type in _CONTENT_TYPES:
            answer = self._tell(callback, url, secret, attempt, content_type)
            if answer.status == 200:
                return CallbackState.DELIVERED
            answers.append(answer.error or str(answer.status))
            if answer.refused:
                break
        log.warning(
            "callback_failed",
            job_instance_id=callback.job_instance_id,
            completion=callback.completion,
            attempt=attempt,
            answers=answers,
        )
        return CallbackState.REFUSED if answer.refused else CallbackState.WAITING

    def _tell(
        self, callback: Callback, url: str, secret: str | None, attempt: int, content_type: str
    ) -> Answer:
        began = self.clock.now_ms()
        signed = signature_headers(secret, began // 1000, callback.body) if secret else {}
        answer = self.post(url, callback.body, {"Content-Type": content_type, **signed})
        delivery = Delivery(
            completion=callback.completion,
            attempt=attempt,
            content_type=content_type,
            url=shown_url(url),
            status=answer.status,
            error=answer.error,
            start_time=began,
            duration=max(0, self.clock.now_ms() - began),
        )
        self.store.log(callback.job_instance_id, delivery)
        return answer

    def _end(self, callback: Callback, state: CallbackState) -> None:
        if state is not callback.state:
            self.store.set_state(callback.job_instance_id, callback.completion, state)
