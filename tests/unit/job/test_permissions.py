"""What limits let through: each level has to allow it, and any permission of a level may."""

from __future__ import annotations

import pytest

from adapter.job.actions import Action
from adapter.job.model import Account, Scope
from adapter.job.permissions import UNLIMITED, Limits, Permission

ONE, TWO = Scope("biz", "1"), Scope("biz", "2")
DEPLOY = Account(id=7, scope=ONE, alias="deploy", account="deploy")
ELSEWHERE = Account(id=8, scope=TWO, alias="deploy", account="root")


def in_(*scopes: Scope, actions: frozenset[Action] | None = None) -> Permission:
    """A permission of these businesses."""
    return Permission(scopes=frozenset(scopes), actions=actions)


def test_without_a_level_everything_is_allowed() -> None:
    """As an installation that never registered a permission."""
    assert all(UNLIMITED.allow(action, scope) for action in Action for scope in (ONE, None))
    assert UNLIMITED.allow_account(DEPLOY, TWO)
    assert UNLIMITED.scopes is None


def test_a_user_may_what_both_levels_allow() -> None:
    """Neither widens the other."""
    limits = Limits(((in_(ONE, TWO),), (in_(TWO, Scope("biz", "3")),)))
    assert limits.scopes == frozenset({TWO})
    assert limits.allow(Action.LAUNCH, TWO)
    assert not limits.allow(Action.LAUNCH, ONE)
    assert not limits.allow(Action.LAUNCH, Scope("biz", "3"))


def test_actions_are_of_the_business_they_were_given_for() -> None:
    """Launching in one and looking in another is not launching in both."""
    limits = Limits(
        ((in_(ONE, actions=frozenset({Action.LAUNCH})), in_(TWO, actions=frozenset({Action.VIEW}))),)
    )
    assert limits.allow(Action.LAUNCH, ONE)
    assert not limits.allow(Action.LAUNCH, TWO)
    assert limits.allow(Action.VIEW, TWO)


@pytest.mark.parametrize("action", Action)
def test_any_action_includes_looking(action: Action) -> None:
    """Who may launch can follow what they launched; who may nothing sees nothing."""
    assert Limits(((in_(ONE, actions=frozenset({action})),),)).allow(Action.VIEW, ONE)
    assert not Limits(((in_(ONE, actions=frozenset()),),)).allow(Action.VIEW, ONE)


def test_what_is_of_no_business_needs_all_of_them() -> None:
    """Except looking at it."""
    assert Limits(((Permission(actions=frozenset({Action.MANAGE})),),)).allow(Action.MANAGE, None)
    assert not Limits(((in_(ONE),),)).allow(Action.MANAGE, None)
    assert Limits(((in_(ONE),),)).allow(Action.VIEW, None)


def test_accounts_by_alias_and_by_id() -> None:
    """An alias is good in the caller's businesses alone; another business's `deploy` may be root."""
    limits = Limits(((Permission(scopes=frozenset({ONE}), accounts=frozenset({"deploy", "ID=9"})),),))
    assert limits.allow_account(DEPLOY, ONE)
    assert not limits.allow_account(ELSEWHERE, ONE)
    assert limits.allow_account(Account(id=9, scope=TWO, alias="x", account="x"), ONE)
    assert not limits.allow_account(Account(id=10, scope=ONE, alias="root", account="root"), ONE)
    everywhere = Limits(((Permission(accounts=frozenset({"deploy"})),),))
    assert everywhere.allow_account(ELSEWHERE, ONE)
    assert not Limits(((Permission(accounts=frozenset()),),)).allow_account(DEPLOY, ONE)


def test_an_account_is_of_the_permission_that_allows_the_launch() -> None:
    """Two permissions do not add up to a third."""
    looks = Permission(scopes=frozenset({ONE}), actions=frozenset({Action.VIEW}), accounts=None)
    launches = Permission(scopes=frozenset({ONE}), accounts=frozenset({"web"}))
    assert not Limits(((looks, launches),)).allow_account(DEPLOY, ONE)
