"""Whose job begins next."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapter.job.fairness import fair_choice, share_of_one_scope
from adapter.job.model import Scope

A, B, C = Scope("biz", "1"), Scope("biz", "2"), Scope("biz_set", "1")


def test_whoever_has_fewest_running_is_next_then_the_oldest() -> None:
    """A has two running already; B and C take turns, the older first, until all three have as many."""
    waiting = {A: [1, 2, 3], B: [10, 11, 12], C: [5, 6]}
    assert fair_choice(waiting, {A: 2}, room=6, per_scope=99) == [5, 10, 6, 11, 1, 12]


def test_one_scope_alone_gets_its_jobs_in_their_order() -> None:
    """As many as there is room for."""
    assert fair_choice({A: [3, 4, 9]}, {}, room=2, per_scope=99) == [3, 4]


def test_no_scope_gets_more_than_its_share() -> None:
    """Room is left for a business that has nothing to do now."""
    assert fair_choice({A: [1, 2, 3, 4]}, {A: 1}, room=10, per_scope=3) == [1, 2]
    assert fair_choice({A: [1, 2], B: [9]}, {A: 3}, room=10, per_scope=3) == [9]


def test_three_quarters_of_all_workers_are_one_scopes_and_never_none() -> None:
    """Also with one worker that runs one job, and before anybody is known to live."""
    assert share_of_one_scope(16, 1) == 12
    assert share_of_one_scope(16, 4) == 48
    assert share_of_one_scope(1, 1) == 1
    assert share_of_one_scope(2, 0) == 1


_scopes = st.sampled_from([A, B, C])


@given(
    waiting=st.dictionaries(_scopes, st.sets(st.integers(1, 1000), max_size=20)),
    running=st.dictionaries(_scopes, st.integers(0, 20)),
    room=st.integers(0, 30),
    per_scope=st.integers(1, 20),
)
def test_a_choice_is_within_its_limits_and_leaves_nobody_behind(
    waiting: dict[Scope, set[int]], running: dict[Scope, int], room: int, per_scope: int
) -> None:
    """Who was left out has at least as many as everybody who was chosen had before."""
    ordered = {
        scope: [number * 10 + kind for number in sorted(ids)]
        for kind, (scope, ids) in enumerate(waiting.items())
    }
    chosen = fair_choice(ordered, running, room, per_scope)
    assert len(chosen) == len(set(chosen)) <= room
    given_to = {scope: [job for job in chosen if job in ids] for scope, ids in ordered.items()}
    for scope, jobs in given_to.items():
        assert jobs == ordered[scope][: len(jobs)]
        assert not jobs or running.get(scope, 0) + len(jobs) <= per_scope
    for left, ids in ordered.items():
        if len(given_to[left]) < len(ids):
            has = running.get(left, 0) + len(given_to[left])
            for scope, jobs in given_to.items():
                assert not jobs or running.get(scope, 0) + len(jobs) - 1 <= has
