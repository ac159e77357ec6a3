"""The command line of a script on a Windows host: words of the user's stay words."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.collection.programs import PROGRAMS


@pytest.fixture(scope="module")
def windows() -> Iterator[Any]:
    """The module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(PROGRAMS.parents[4]))
        yield importlib.import_module("ansible_collections.adapter.job.plugins.plugin_utils.windows")


@pytest.mark.parametrize(
    ("param", "words"),
    [
        ("", []),
        ("  ", []),
        ("a  b\tc", ["a", "b", "c"]),
        ('"a b" c', ["a b", "c"]),
        ('C:\\a\\b "D:\\c d\\"', ["C:\\a\\b", "D:\\c d\\"]),
        ('a"b c"d', ["ab cd"]),
        ('""', [""]),
        ('"never closed', ["never closed"]),
        ("it's $x `n ;|&", ["it's", "$x", "`n", ";|&"]),
    ],
)
def test_words(windows: Any, param: str, words: list[str]) -> None:
    """Blanks separate, double quotes hold together, a backslash is a letter."""
    assert windows.words(param) == words


@settings(deadline=None)
@given(word=st.text())
def test_a_quoted_word_ends_where_it_ends(windows: Any, word: str) -> None:
    """Whatever it is: without its pairs of marks none is left that PowerShell would take for the end."""
    inside = windows.quoted(word)[1:-1]
    for mark in "'\u2018\u2019\u201a\u201b":
        inside = inside.replace(mark * 2, "")
    assert not set(inside) & set("'\u2018\u2019\u201a\u201b")
