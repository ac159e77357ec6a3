"""What the client of a database is told."""

from __future__ import annotations

import shlex

import pytest

from adapter.ansible.database import NoClient, told
from adapter.job.model import Account, Scope


def account(kind: int, port: int | None = None) -> Account:
    """An account of a database."""
    scope = Scope("biz", "2")
    return Account(id=1, scope=scope, alias="a", account="o'brien", category=2, type=kind, db_port=port)


@pytest.mark.parametrize(
    ("kind", "password", "expected"),
    [
        (9, 'a"b\\c:#', ["mysql", "0", "o'brien", 'a\\"b\\\\c:#']),
        (101, ' a"b\\c:#', ["postgresql", "0", "o'brien", ' a"b\\c:#']),
        (10, "a'b\\c &x", ["oracle", "0", "o'brien", "a'b\\c &x"]),
        (11, "", ["db2", "0", "o'brien", ""]),
    ],
)
def test_words_on_one_line(kind: int, password: str, expected: list[str]) -> None:
    """Each client's file has its own characters that need a backslash."""
    line = told(account(kind), password)
    assert "\n" not in line
    assert shlex.split(line) == expected


def test_a_port() -> None:
    """It is the second word."""
    assert shlex.split(told(account(9, 3307), ""))[1] == "3307"


@pytest.mark.parametrize(("kind", "password"), [(1, "x"), (12, "x"), (10, 'a"b'), (101, "a ")])
def test_what_no_client_can_be_told(kind: int, password: str) -> None:
    """No database, a quotation mark for Oracle, a blank at the end for PostgreSQL. The words keep the secret."""
    with pytest.raises(NoClient) as raised:
        told(account(kind), password)
    assert 'a"b' not in str(raised.value)
