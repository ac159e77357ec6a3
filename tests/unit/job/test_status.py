"""The numbers of contract e, written from it and not from the code."""

from __future__ import annotations

from enum import IntEnum

import pytest

from adapter.job import status
from adapter.job.rolling import ExecutionMode, RollingMode, RollingType
from adapter.job.status import HostStatus, RunStatus


def test_which_states_are_ends() -> None:
    """Of jobs and steps, and of hosts."""
    assert {one for one in RunStatus if one.is_finished} == {3, 4, 5, 6, 8, 9, 11, 13, 14}
    assert {one for one in RunStatus if not one.is_finished} == {1, 2, 7, 10, 15}
    assert {one for one in HostStatus if not one.is_finished} == {5, 7}
    assert {one for one in HostStatus if one.is_success} == {3, 9}


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        (status.StepType, {1, 2, 3, 4}),
        (status.TaskType, {0, 1, 2}),
        (status.LaunchMode, {1, 2, 3}),
        (status.ScriptLanguage, set(range(1, 7))),
        (status.VersionStatus, {0, 1, 2, 3}),
        (status.AccountCategory, {1, 2}),
        (status.AccountType, {1, 2, 9, 10, 11, 101}),
        (status.VariableType, set(range(1, 7))),
        (status.TransferMode, {1, 2}),
        (status.ErrorCode, {0, 117, 122, 126, 1326}),
        (RollingType, {1, 2}),
        (RollingMode, {1, 2, 3}),
        (ExecutionMode, {1, 2}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_numbers_are_jobs(kind: type[IntEnum], numbers: set[int]) -> None:
    """None is missing; 101 is this service's own (decision 21)."""
    assert {int(one) for one in kind} == numbers


def test_states_of_hosts_are_jobs() -> None:
    """Those of the contract that this service knows."""
    known = {0, 1, 2, 3, 5, 7, 9, 11, 12, 13, 15, 16, 17, 18, 101, 102, 103, 104, 202, 203, 301, 303}
    known |= {310, 311, 312, 320, 321, 329, 399, 403, 404, 500}
    assert {int(one) for one in HostStatus} <= known
