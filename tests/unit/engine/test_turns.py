"""Turns of hosts: none where there is a fork for each, then short ones, and pauses that grow while nothing ends."""

from __future__ import annotations

from adapter.engine.turns import Turns


def test_a_host_with_a_fork_of_its_own_has_all_the_time_it_needs() -> None:
    """Also the last ones of many."""
    turns = Turns(50)
    assert turns.next(50) is None
    assert turns.next(51) is not None
    assert turns.next(3) is None


def test_all_start_in_a_first_short_turn_then_a_round_takes_about_as_long_whatever_the_number() -> None:
    """But a turn is never too short to be worth its exchange."""
    turns = Turns(50)
    assert turns.next(200) == 1
    assert [turns.next(hosts) for hosts in (60, 200, 1000, 100_000)] == [5, 2, 1, 1]


def test_pauses_grow_while_nothing_ends_and_shrink_again() -> None:
    """Long scripts are not asked all the time; ends that come in a row are seen soon."""
    turns = Turns(1)
    assert [turns.pause(0) for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    assert [turns.pause(7) for _ in range(6)] == [5, 2.5, 1.25, 0.625, 0.5, 0.5]
