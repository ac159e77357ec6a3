"""Who did what: what the audit log has of each launch and change, and of each that was refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

_MAX_TEXT = 128

#: The fields of requests and replies whose values say what was done to what. Nothing else of them is kept: no
#: script, no parameter, no password can get into the log under another name.
_NAMES = """
    id job_instance_id step_instance_id operation_code job_plan_id job_template_id bk_job_id cron_id
    script_id script_version_id account_id account_alias account db_account_id alias name code status
"""
OBJECTS = frozenset(_NAMES.split())


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One record. Times are milliseconds; `code` None: it was begun, and nobody knows how it ended."""

    create_time: int
    request_id: str = ""
    app_code: str = ""
    user: str = ""
    verified_by: str = ""  #: how it was known who asked; "" if it was not
    token_id: str | None = None
    peer: str = ""
    api: str
    action: str
    scope: str | None = None  #: biz:2
    objects: Mapping[str, int | str] = field(default_factory=lambda: MappingProxyType({}))
    end_time: int | None = None
    code: int | None = None
    id: int = 0


@dataclass(frozen=True, kw_only=True)
class AuditFilter:
    """Which entries: None is every one. `before` is the id that a page goes on below."""

    scope: str | None = None
    app_code: str | None = None
    user: str | None = None
    api: str | None = None  #: a part of it
    code: int | None = None
    since: int | None = None  #: milliseconds
    until: int | None = None
    before: int | None = None
    most: int = 100


class Recording:
    """An entry while what it tells of goes on."""

    def __init__(self, entry: AuditEntry) -> None:
        self.entry = entry
        self.is_written = False  #: with the launch itself, in its transaction
        self.objects: dict[str, int | str] = dict(entry.objects)

    def note(self, data: Any) -> None:
        """What came of it: ids in a reply's data."""
        if isinstance(data, Mapping):
            self.objects |= objects_of(data)


def objects_of(values: Mapping[str, Any]) -> dict[str, int | str]:
    """What may be kept of a request's or reply's fields: short texts and numbers that are names of things."""
    found: dict[str, int | str] = {}
    for name in OBJECTS & values.keys():
        value = values[name]
        if isinstance(value, int) and not isinstance(value, bool):
            found[name] = value
        elif isinstance(value, str) and value:
            found[name] = printable(value)
    return found


def printable(text: str, at_most: int = _MAX_TEXT) -> str:
    """A text from outside, short enough and fit for every database and terminal."""
    return "".join(c if c.isprintable() else "?" for c in text[:at_most])
