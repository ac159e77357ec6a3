"""What a callback says, and how it is signed (contract section c, Callback; docs/callbacks.md)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from adapter.job.status import RunStatus

TIMESTAMP, SIGNATURE = "X-Callback-Timestamp", "X-Callback-Signature"


class CallbackState(StrEnum):
    """What became of telling one completion of a job."""

    WAITING = "waiting"  #: an attempt is under way, or will be
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"  #: the last attempt failed
    REFUSED = "refused"  #: the address is none that may be called
    SUPERSEDED = "superseded"  #: attempts failed, and the job has ended again since


@dataclass(frozen=True, kw_only=True)
class Callback:
    """A completion of a job that its callback_url is told of. `body` is told to the byte, however often."""

    job_instance_id: int
    completion: int  #: counted from 1; a job that is retried completes again
    body: str
    state: CallbackState
    create_time: int


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One POST of a callback and what came of it: a status, or an error in words."""

    completion: int
    attempt: int  #: counted from 1; each is up to two POSTs
    content_type: str
    url: str  #: see shown_url()
    status: int | None
    error: str | None
    start_time: int
    duration: int  #: milliseconds


def callback_body(job_instance_id: int, status: RunStatus, steps: Iterable[tuple[int, RunStatus]]) -> str:
    """The JSON text. JOB's code says `step_instances`, its documentation `step_instance_list`: both."""
    told = [{"step_instance_id": id_, "status": int(status)} for id_, status in steps]
    body = {
        "job_instance_id": job_instance_id,
        "status": int(status),
        "step_instances": told,
        "step_instance_list": told,
    }
    return json.dumps(body, separators=(",", ":"))


def signature_headers(secret: str, timestamp: int, body: str) -> Mapping[str, str]:
    """The headers that prove who sent it and when, in seconds: HMAC-SHA256 of `<timestamp>.<body>`."""
    digest = hmac.new(secret.encode(), f"{timestamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return {TIMESTAMP: str(timestamp), SIGNATURE: f"sha256={digest}"}


def shown_url(url: str) -> str:
    """The URL for people and logs: without user and password, and without what the query says."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "(not a URL)"
    host = f"[{host}]" if ":" in host else host
    place = host if port is None else f"{host}:{port}"
    return f"{parts.scheme}://{place}{parts.path}{'?…' if parts.query else ''}"
