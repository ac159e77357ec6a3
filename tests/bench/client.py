"""A client that costs little itself: one kept connection, no library between it and the socket's bytes."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.support.service import Service, b64

BIZ = 1
#: Seconds between looks, and what they are at least as a part of the time it has taken: looking costs, too.
_PAUSE, _SHARE = 0.02, 0.03
_KEPT = 3.0  # seconds; the service closes a connection that is idle for 5
_PREFIX = "/api/v3"


@dataclass
class Client:
    """Calls v3 APIs of a service with its credentials."""

    service: Service
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)
    _used: float = 0.0

    def call(self, name: str, **fields: Any) -> Any:
        """The data of a call; AssertionError with the envelope if it is refused."""
        if self._connection is None or time.monotonic() - self._used > _KEPT:
            self.close()
            self._connection = http.client.HTTPConnection(urlsplit(self.service.url).netloc, timeout=60)
        self._connection.request(
            "POST", path_of(name), json.dumps({"bk_biz_id": BIZ, **fields}), headers(self.service)
        )
        envelope = json.loads(self._connection.getresponse().read())
        self._used = time.monotonic()
        assert envelope["result"] is True, envelope
        return envelope["data"]

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()

    def submit(self, script: str, host_ids: list[int], **fields: Any) -> dict[str, Any]:
        """fast_execute_script; its data."""
        data: dict[str, Any] = self.call("fast_execute_script", **script_body(script, host_ids), **fields)
        return data

    def wait(self, job_id: int, timeout: float = 600) -> None:
        """Look every 20 ms, later more seldom, until it has finished. AssertionError unless it succeeded."""
        began = time.monotonic()
        while True:
            status = self.call("get_job_instance_status", job_instance_id=job_id)
            if status["finished"]:
                break
            taken = time.monotonic() - began
            assert taken < timeout, f"job {job_id} takes longer than {timeout} s: {status}"
            time.sleep(max(_PAUSE, _SHARE * taken))
        assert status["job_instance"]["status"] == 3, self._why(job_id)

    def run(self, script: str, host_ids: list[int]) -> float:
        """Seconds from sending the request until the script's success on all hosts is visible."""
        began = time.perf_counter()
        launched = self.submit(script, host_ids)
        self.wait(launched["job_instance_id"])
        return time.perf_counter() - began

    def log(self, launched: dict[str, Any], host_id: int) -> str:
        """A host's log so far."""
        data = self.call(
            "get_job_instance_ip_log",
            job_instance_id=launched["job_instance_id"],
            step_instance_id=launched["step_instance_id"],
            bk_host_id=host_id,
        )
        return data["log_content"] or ""

    def _why(self, job_id: int) -> str:
        status = self.call("get_job_instance_status", job_instance_id=job_id, return_ip_result=True)
        hosts = [host for step in status["step_instance_list"] for host in step["step_ip_result_list"]]
        bad = [host for host in hosts if host["status"] != 9]
        return f"{status['job_instance']}; {len(bad)} of {len(hosts)} hosts, such as {bad[:2]}"


def path_of(name: str) -> str:
    """Where a v3 API is."""
    return f"{_PREFIX}/{name}/"


def headers(service: Service) -> dict[str, str]:
    """Of a JSON request with the service's credentials."""
    assert service.credentials is not None
    return {"Content-Type": "application/json", **service.credentials.in_header()}


def script_body(script: str, host_ids: list[int]) -> dict[str, Any]:
    """The fields of fast_execute_script as root."""
    return {
        "script_content": b64(script),
        "script_language": 1,
        "account_alias": "root",
        "target_server": {"host_id_list": host_ids},
    }
