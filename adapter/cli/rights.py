"""What `adapter app` and `adapter permission` have in common: options that say what somebody may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from adapter.job.actions import Action
from adapter.job.model import Scope

F = TypeVar("F", bound=Callable[..., Any])

#: What is not limited, and what is not allowed at all.
_ALL, _NONE = "all", "none"


def scopes_of(texts: tuple[str, ...]) -> frozenset[Scope] | None:
    """What --scope says; None is every business. Raises BadParameter."""
    if _ALL in texts:
        return None
    try:
        return frozenset(map(Scope.of, texts))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def actions_of(texts: tuple[str, ...]) -> frozenset[Action] | None:
    """What --action says; None is every action."""
    names = names_of(texts)
    return None if names is None else frozenset(map(Action, names))


def names_of(texts: tuple[str, ...]) -> frozenset[str] | None:
    """What --account says; None is every one. Raises BadParameter."""
    if any(not text.strip() for text in texts):
        raise click.BadParameter("a name must not be blank")
    return None if _ALL in texts else frozenset(text for text in texts if text != _NONE)


def shown(names: frozenset[Any] | None) -> list[str] | None:
    """For JSON: sorted, and null for everything."""
    return (
        None if names is None else sorted(one.text if isinstance(one, Scope) else str(one) for one in names)
    )


def action_option(default: str) -> Callable[[F], F]:
    """--action, handed over as `actions`: an empty tuple if it is not there."""
    return click.option(
        "--action",
        "actions",
        multiple=True,
        type=click.Choice([*map(str, Action), _ALL, _NONE]),
        help=f"What may be done; may be given again. Any of them includes view. [default: {default}]",
    )


def account_option(default: str) -> Callable[[F], F]:
    """--account, handed over as `accounts`: an empty tuple if it is not there."""
    return click.option(
        "--account",
        "accounts",
        multiple=True,
        help="Whom jobs may run as: an account's alias, or ID=12; may be given again; all, none. "
        f"[default: {default}]",
    )
