"""Requests as JOB's clients send them, of a row's step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tests.conformance.profile import Profile
from tests.conformance.values import filled


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    body: Any  #: parsed, or the text if it is no JSON


class Caller:
    """Sends steps to the service of a profile."""

    def __init__(self, profile: Profile, http: httpx.Client) -> None:
        self._profile, self._http = profile, http

    def send(self, step: Mapping[str, Any], known: Mapping[str, Any]) -> Reply:
        """A step's request. `call: v3 name` or `path`; POST unless `method` says GET."""
        scope = self._profile.scope if step.get("scope", True) else {}
        body = {**scope, **filled(step["body"], known)}
        headers = {"Blueking-Language": "en", **filled(step.get("headers", {}), known)}
        if step.get("credentials", True):
            known_as = known[step["as"]] if "as" in step else dict(self._profile.credentials)
            headers["X-Bkapi-Authorization"] = json.dumps(known_as)
        method = step.get("method", "POST")
        if "raw" in step:
            given: dict[str, Any] = {"content": filled(step["raw"], known).encode()}
        elif method == "GET":
            given = {"params": {name: _in_query(value) for name, value in body.items()}}
        else:
            given = {"content": json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")}
        response = self._http.request(
            method, self._profile.base_url + self._where(step, known), headers=headers, **given
        )
        try:
            return Reply(status=response.status_code, body=response.json())
        except ValueError:
            return Reply(status=response.status_code, body=response.text)

    def _where(self, step: Mapping[str, Any], known: Mapping[str, Any]) -> str:
        if "path" in step:
            return str(filled(step["path"], known))
        dialect, name = step["call"].split()
        return self._profile.paths[dialect].format(name=name)


def _in_query(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
