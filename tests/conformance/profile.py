"""What a run is told of the service: where it is, who asks, and which ids there are (docs/conformance.md)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

#: Environment variables that win over the file: CONFORMANCE_<NAME>; values are read as YAML.
PREFIX = "CONFORMANCE_"
_DEFAULTS: Mapping[str, Any] = {
    "scope_type": "biz",
    "scope_id": "2",
    "unknown_scope_id": "7999999",
    "cloud": 0,
    "unknown_host": 888888888,
    "account": "root",
    "callback_host": "127.0.0.1",
}
_PATHS = {
    "v3": "/api/c/compapi/v2/jobv3/{name}/",
    "v2": "/api/c/compapi/v2/job/{name}/",
    "v4": "/api/v4/{name}",
}


@dataclass(frozen=True, kw_only=True)
class Profile:
    """`values` are what rows may name; a row that needs one that is not there is not run."""

    base_url: str
    credentials: Mapping[str, str]
    values: Mapping[str, Any]
    paths: Mapping[str, str] = field(default_factory=lambda: dict(_PATHS))

    @property
    def scope(self) -> dict[str, Any]:
        """The scope of requests."""
        return {"bk_scope_type": self.values["scope_type"], "bk_scope_id": str(self.values["scope_id"])}


def profile(base_url: str, file: Path | None) -> Profile:
    """The file's profile, if there is one, with what the environment has."""
    told: dict[str, Any] = {} if file is None else yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    for name, value in os.environ.items():
        if name.startswith(PREFIX) and value:
            told[name.removeprefix(PREFIX).lower()] = yaml.safe_load(value)
    return of(base_url, told)


def of(base_url: str, told: Mapping[str, Any]) -> Profile:
    """A profile of these values."""
    values = {**_DEFAULTS, **told}
    credentials = values.pop("credentials", None) or {}
    paths = {**_PATHS, **(values.pop("paths", None) or {})}
    values["biz"] = int(values["scope_id"])
    return Profile(base_url=base_url.rstrip("/"), credentials=credentials, values=values, paths=paths)
