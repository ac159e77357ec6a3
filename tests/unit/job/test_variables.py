"""Variables in texts and in shell scripts."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.job.variables import is_used_by_shell, names_in, substitute, with_variables


def test_unknown_names_are_kept() -> None:
    """And what a value brings in is not looked at again."""
    assert substitute("${A}/${B}-$A-${A", {"A": "${B}", "C": "x"}) == "${B}/${B}-$A-${A"
    assert names_in("${A}/${B}-$C") == {"A", "B"}


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo $A", "A='1'\necho $A"),
        ("#!/bin/ksh\necho $A", "#!/bin/ksh\nA='1'\necho $A"),
        ("#!/bin/sh", "#!/bin/sh\nA='1'\n"),
        ("", "A='1'\n"),
    ],
)
def test_variables_come_after_the_shebang(script: str, expected: str) -> None:
    """The first line stays the first line."""
    assert with_variables(script, 1, {"A": "1", "not-a-name": "2", "9": "3"}) == expected


def test_other_scripts_are_left_alone() -> None:
    """Only shell scripts have JOB's variables."""
    assert with_variables("print(1)", 4, {"A": "1"}) == "print(1)"
    assert with_variables("#!/bin/sh\n:", 1, {}) == "#!/bin/sh\n:"


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=40))
def test_a_shell_reads_back_every_value(value: str) -> None:
    """Quotes, newlines, dollars and backslashes included."""
    script = with_variables('#!/bin/sh\nprintf %s. "$A"', 1, {"A": value})
    done = subprocess.run(["/bin/sh"], input=script.encode(), capture_output=True, check=True)
    assert done.stdout == f"{value}.".encode()


@pytest.mark.parametrize(
    ("script", "used"),
    [
        ("echo $PASS", True),
        ("echo ${PASS:-x}", True),
        ("echo ${#PASS}", True),
        ("# job_import {{PASS}}\n", True),
        ("echo $PASSWORD ${PASSWORD}", False),
        ("PASS=1", False),
    ],
)
def test_a_script_that_reads_a_variable_is_recognised(script: str, used: bool) -> None:
    """By whole names."""
    assert is_used_by_shell(script, "PASS") is used
