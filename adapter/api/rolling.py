"""`rolling_config` of the fast APIs (contract e): its fields, and what they are made into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any

from marshmallow import ValidationError, validates_schema

from adapter.api.fields import BaseSchema, Number, Object, Text
from adapter.api.json_text import shown
from adapter.errors import InvalidParameter, RollingFileSourceKind, RollingInvalid
from adapter.job.rolling import (
    ExecutionMode,
    InvalidExpression,
    Rolling,
    RollingMode,
    RollingType,
    check_expression,
)
from adapter.messages import choices, say

_SERVER_FILE = 1
_MAX_EXPRESSION = 4096
_MAX_WAIT_MS = 3_600_000
_WAITS = ("batch_start_wait_fixed_ms", "batch_start_wait_random_min_ms", "batch_start_wait_random_max_ms")
_KINDS: Mapping[str, type[IntEnum]] = {
    "type": RollingType,
    "mode": RollingMode,
    "execution_mode": ExecutionMode,
}


class _FileSourceFields(BaseSchema):
    max_execute_object_num_in_batch = Number(at_least=1)
    max_file_num_of_single_execute_object = Number(at_least=1)


class RollingFields(BaseSchema):
    """`rolling_config`."""

    type = Number(load_default=int(RollingType.TARGETS))
    mode = Number(load_default=int(RollingMode.PAUSE_ON_FAIL))
    execution_mode = Number(load_default=int(ExecutionMode.SERIAL))
    expression = Text(strip=True, at_most=_MAX_EXPRESSION)
    batch_start_wait_fixed_ms = Number(at_least=0, at_most=_MAX_WAIT_MS)
    batch_start_wait_random_min_ms = Number(at_least=0, at_most=_MAX_WAIT_MS)
    batch_start_wait_random_max_ms = Number(at_least=0, at_most=_MAX_WAIT_MS)
    file_source = Object(_FileSourceFields)

    @validates_schema
    def has_what_its_kind_needs(self, data: dict[str, Any], **_: object) -> None:
        """Known numbers; an expression, or what rolls the files; the waits of parallel batches."""
        for name, kind in _KINDS.items():
            if data[name] not in set(kind):
                raise ValidationError(
                    say("must be one of {allowed}, not {value}", allowed=choices(kind), value=data[name]),
                    name,
                )
        needed = "expression" if data["type"] == RollingType.TARGETS else "file_source"
        if data[needed] is None:
            raise ValidationError(say("is required"), needed)
        if data["type"] == RollingType.TARGETS and data["execution_mode"] == ExecutionMode.PARALLEL:
            _check_waits(data)


def _check_waits(data: Mapping[str, Any]) -> None:
    for name in _WAITS:
        if data[name] is None:
            raise ValidationError(say("is required with execution_mode 2 (parallel)"), name)
    _, low, high = (data[name] for name in _WAITS)
    if high < low:
        reason = say("must be at least {name}: {high} is less than {low}", name=_WAITS[1], high=high, low=low)
        raise ValidationError(reason, _WAITS[2])


def rolling_of(fields: Mapping[str, Any] | None) -> Rolling | None:
    """How a script is to roll; None: not at all. How many batches that makes is for the launch to say.

    Raises RollingInvalid.
    """
    if fields is None:
        return None
    if fields["type"] == RollingType.FILE_SOURCES:
        raise RollingInvalid(
            say("type 2 (file sources) is for transfers; a script rolls by 1 (target hosts)")
        )
    return _by_targets(fields)


def transfer_rolling_of(
    fields: Mapping[str, Any] | None, sources: Sequence[Mapping[str, Any]]
) -> Rolling | None:
    """The same of a transfer of `sources`. Raises RollingInvalid, InvalidParameter, RollingFileSourceKind."""
    if fields is None:
        return None
    if fields["type"] == RollingType.TARGETS:
        return _by_targets(fields)
    if any(source["file_type"] not in (None, _SERVER_FILE) for source in sources):
        raise RollingFileSourceKind
    if fields["execution_mode"] == ExecutionMode.PARALLEL:
        raise InvalidParameter(
            "rolling_config.execution_mode", say("must be 1 (serial) with type 2 (file sources)")
        )
    limits = fields["file_source"]
    return Rolling(
        type=RollingType.FILE_SOURCES,
        mode=RollingMode(fields["mode"]),
        max_source_hosts=limits["max_execute_object_num_in_batch"],
        max_files=limits["max_file_num_of_single_execute_object"],
    )


def _by_targets(fields: Mapping[str, Any]) -> Rolling:
    _check_expression(fields["expression"])
    fixed, low, high = (fields[name] or 0 for name in _WAITS)
    return Rolling(
        mode=RollingMode(fields["mode"]),
        execution_mode=ExecutionMode(fields["execution_mode"]),
        expression=fields["expression"],
        wait_fixed_ms=fixed,
        wait_random_min_ms=low,
        wait_random_max_ms=max(low, high),
    )


def _check_expression(expression: str) -> None:
    try:
        check_expression(expression)
    except InvalidExpression as error:
        part = shown(error.part)
        reason = (
            say(
                "expression has a part {part}: the number must be at least 1, and at most 100 with %",
                part=part,
            )
            if error.has_form
            else say("expression has a part {part}, which is none of N, N%, +N and *N", part=part)
        )
        raise RollingInvalid(reason) from None
