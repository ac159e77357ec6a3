"""Batches: what an expression makes of hosts, and what comes after a batch (contract e)."""

from __future__ import annotations

import pytest

from adapter.job.rolling import (
    ExecutionMode,
    Following,
    InvalidExpression,
    Rolling,
    RollingMode,
    TooManyBatches,
    batch_sizes,
    check_expression,
)


@pytest.mark.parametrize(
    ("expression", "hosts", "sizes"),
    [
        ("10", 25, (10, 10, 5)),
        ("10%", 25, (3, 3, 3, 3, 3, 3, 3, 3, 1)),
        ("1 10% +2 *2", 40, (1, 4, 6, 12, 17)),
        ("+3", 20, (3, 6, 9, 2)),
        ("*3", 40, (3, 9, 27, 1)),
        ("100%", 7, (7,)),
        ("1%", 7, (1, 1, 1, 1, 1, 1, 1)),
        ("999999999", 2, (2,)),
        (" 1  2 ", 5, (1, 2, 2)),
        ("5", 0, ()),
    ],
)
def test_sizes(expression: str, hosts: int, sizes: tuple[int, ...]) -> None:
    """Each part makes a batch, the last one all that follow; the last batch is what is left."""
    assert batch_sizes(expression, hosts) == sizes


@pytest.mark.parametrize(
    ("expression", "part", "has_form"),
    [
        ("", "", False),
        ("ten", "ten", False),
        ("5 -1", "-1", False),
        ("+5%", "+5%", False),
        ("1.5", "1.5", False),
        ("٣", "٣", False),
        ("1" * 10, "1" * 10, False),
        ("0", "0", True),
        ("101%", "101%", True),
        ("5 *0", "*0", True),
    ],
)
def test_no_expressions(expression: str, part: str, has_form: bool) -> None:
    """The part that is wrong, and what is wrong with it."""
    with pytest.raises(InvalidExpression) as caught:
        check_expression(expression)
    assert (caught.value.part, caught.value.has_form) == (part, has_form)


def test_too_many_batches() -> None:
    """At most 500; not found out by making them all."""
    assert len(batch_sizes("1", 500)) == 500
    with pytest.raises(TooManyBatches):
        batch_sizes("1", 10**9)


@pytest.mark.parametrize(
    ("mode", "has_failed", "following"),
    [
        (RollingMode.PAUSE_ON_FAIL, False, Following.NEXT_BATCH),
        (RollingMode.PAUSE_ON_FAIL, True, Following.NOTHING),
        (RollingMode.IGNORE_FAILURES, False, Following.NEXT_BATCH),
        (RollingMode.IGNORE_FAILURES, True, Following.NEXT_BATCH),
        (RollingMode.MANUAL, False, Following.AN_OPERATOR),
        (RollingMode.MANUAL, True, Following.NOTHING),
    ],
)
def test_what_follows(mode: RollingMode, has_failed: bool, following: Following) -> None:
    """Nothing after the last batch, whatever became of it."""
    rolling = Rolling(mode=mode, sizes=(1, 1))
    assert rolling.after(1, has_failed=has_failed) is following
    assert rolling.after(2, has_failed=has_failed) is Following.NOTHING


def test_batches_by_the_clock() -> None:
    """Not if an operator begins them."""
    assert Rolling(execution_mode=ExecutionMode.PARALLEL).is_parallel
    assert not Rolling(execution_mode=ExecutionMode.PARALLEL, mode=RollingMode.MANUAL).is_parallel
