"""A client that speaks like JOB's."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from httpx import Response

with warnings.catch_warnings():
    # Starlette would rather have httpx2, and says so to everyone who imports this.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

__all__ = ["ESB_V2", "ESB_V3", "GATEWAY", "GATEWAY_V4", "JobClient", "TestClient", "envelope", "envelope_v4"]

ESB_V3 = "/api/c/compapi/v2/jobv3"
ESB_V2 = "/api/c/compapi/v2/job"
GATEWAY = "/api/v3"
GATEWAY_V4 = "/api/v4"


class JobClient:
    """Requests as clients of JOB send them: credentials in the body, an envelope back."""

    def __init__(self, http: TestClient, credentials: Mapping[str, str]) -> None:
        self.http = http
        self.credentials = dict(credentials)

    def v3(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST to ESB's v3."""
        return self.post(f"{ESB_V3}/{name}/", body)

    def v2(self, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST to ESB's v2."""
        return self.post(f"{ESB_V2}/{name}/", body)

    def v4(self, name: str, body: Mapping[str, Any], status: int = 200) -> dict[str, Any]:
        """POST to the gateway's v4."""
        path = f"{GATEWAY_V4}/{name}"
        return envelope_v4(self.http.post(path, json={**self.credentials, **body}), status)

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST anywhere."""
        return envelope(self.http.post(path, json={**self.credentials, **body}))

    def get(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        """GET anywhere: every value a string."""
        return envelope(self.http.get(path, params={**self.credentials, **query}))


def envelope(response: Response, status: int = 200) -> dict[str, Any]:
    """The reply, checked to be JOB's envelope: every key, of the right type."""
    assert response.status_code == status, response.text
    reply = response.json()
    assert isinstance(reply, dict)
    assert set(reply) - {"permission"} == {
        "result",
        "code",
        "message",
        "data",
        "request_id",
        "job_request_id",
    }
    assert type(reply["code"]) is int
    assert reply["result"] is (reply["code"] == 0)
    assert isinstance(reply["message"], str)
    assert reply["message"]
    assert reply["request_id"]
    return reply


def envelope_v4(response: Response, status: int = 200) -> dict[str, Any]:
    """The reply, checked to be v4's envelope: data or error, nothing that is null."""
    assert response.status_code == status, response.text
    reply = response.json()
    assert ":null" not in response.text
    if status == 200:
        assert set(reply) == {"data", "job_request_id"}
        return dict(reply)
    assert set(reply) == {"error", "job_request_id"}
    error = reply["error"]
    assert set(error) - {"data"} == {"code", "message", "details"}
    assert error["message"]
    assert [set(detail) for detail in error["details"]] == [{"code", "message"}]
    assert error["details"][0]["code"].isdecimal()
    assert error["details"][0]["message"]
    return dict(reply)
