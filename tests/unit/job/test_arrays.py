"""Array variables are read as data: what bash reads of the same text, or nothing."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.job.arrays import NotAnArray, literal, parse
from adapter.job.status import VariableType

ASSOC, INDEX = VariableType.ASSOC_ARRAY, VariableType.INDEX_ARRAY
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("", {}),
        ("  ( )\n", {}),
        ("(\"a\" 'b c' d\\ e)", {0: "a", 1: "b c", 2: "d e"}),
        ("([3]=x y [0]=z w [3]=q r)", {0: "z", 1: "w", 3: "q", 4: "r"}),
        ("(a'b'\"c\")", {0: "abc"}),
        (r'("\$x \\ \q \"")', {0: r'$x \ \q "'}),
        ("('$(id) `id` * {a,b}')", {0: "$(id) `id` * {a,b}"}),
        ("(a\n\tb)", {0: "a", 1: "b"}),
        ("('')", {0: ""}),
    ],
)
def test_index_arrays_are_what_bash_makes_of_them(text: str, items: dict[int, str]) -> None:
    """Each example is asked of bash as well."""
    read = {int(key): value for key, value in parse(text, INDEX)}
    assert read == items
    script = (
        f"typeset -a a={text.strip() or '()'}\n"
        + 'for k in "${!a[@]}"; do printf "%s\\0%s\\0" "$k" "${a[$k]}"; done'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True, text=True)
    fields = done.stdout.split("\0")[:-1]
    assert dict(zip(map(int, fields[::2]), fields[1::2], strict=True)) == items


@pytest.mark.parametrize("text", ["(['a b']=c [\"d]\"]='e' [f]=)", "([a]=1 [a]=2)"])
def test_associative_arrays(text: str) -> None:
    """Keys as values; the last of a key counts."""
    expected = (("a b", "c"), ("d]", "e"), ("f", "")) if "f" in text else (("a", "2"),)
    assert parse(text, ASSOC) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a b", INDEX), ("(a", INDEX), ("(", INDEX), ("a)", INDEX),
        ("('a)", INDEX), ('("a)', INDEX), ("($x)", INDEX), ('("$x")', INDEX), ("(`id`)", INDEX),
        ("(a;id)", INDEX), ("((a))", INDEX), ("(*)", INDEX), ("(~)", INDEX), ("({a,b})", INDEX), ("(#a)", INDEX),
        ("([x]=a)", INDEX), ("([-1]=a)", INDEX), ("([1+1]=a)", INDEX), ("([99999999999]=a)", INDEX),
        ("([1]a)", INDEX), ("([1]", INDEX), ("([$(id)]=a)", ASSOC),
        ("(a b)", ASSOC), ("([]=a)", ASSOC),
    ],
)  # fmt: skip
def test_what_is_none(text: str, kind: VariableType) -> None:
    """Also everything that a shell would run, expand or count out."""
    with pytest.raises(NotAnArray):
        parse(text, kind)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=4), st.lists(TEXTS, max_size=4))
def test_what_is_written_is_read(pairs: dict[str, str], values: list[str]) -> None:
    """Any keys and values."""
    assert dict(parse(literal(pairs.items()), ASSOC)) == pairs
    numbered = [(str(place), value) for place, value in enumerate(values)]
    assert list(parse(literal(numbered), INDEX)) == numbered
