"""A plan's variables in shell scripts: what a script sees, and what is taken over at its end, in real shells."""

from __future__ import annotations

import importlib.util
import os
import shutil
import time
from types import ModuleType
from typing import Any

import pytest

from tests.unit.collection.programs import PROGRAMS, NewRun, Reply, Run

#: Values that a shell, a template or a frame could trip over.
VALUES = {
    "QUOTES": 'it\'s "so" \\ \\n `id` $(id) ${HOME}',
    "BREAKS": "\n a\tb \n\n",
    "TEMPLATE": "{{ lookup('pipe', 'id') }} {% raw %}",
    "EMOJI": "ü 🐙 \u202e",
    "OPTION": "-rf",
    "EMPTY": "",
    "LONG": "x" * 65536,
}
#: Interpreters' lines; what is not on this machine is left out.
SHEBANGS = [
    line
    for line in (
        "#!/bin/bash",
        "#!/bin/dash",
        "#!/usr/bin/env bash",
        "#!/bin/busybox sh",
        "#!/bin/ksh",
        "#!/bin/mksh",
        "#!/bin/sh -eu",
        "#!/bin/bash -eux",
        "#!/bin/bash -v",
    )
    if all(shutil.which(word) for word in line[2:].split() if not word.startswith("-"))
]
WITH_ARRAYS = [line for line in SHEBANGS if line in ("#!/bin/bash", "#!/bin/ksh", "#!/bin/bash -eux")]


@pytest.fixture
def module() -> ModuleType:
    """The program's own end of it, as a file: it needs nothing of Ansible."""
    spec = importlib.util.spec_from_file_location("tested_variables", PROGRAMS / "variables.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def path() -> str:
    """Which shell the supervisor runs in is nothing to the wrapper: its other tests run it in all."""
    return os.environ["PATH"]


class Wrapped:
    """Runs scripts with variables."""

    def __init__(self, module: ModuleType, run: NewRun) -> None:
        self._module = module
        self._new = run
        self.last: Run | None = None

    def start(self, script: str, values: dict[str, Any], **how: Any) -> Reply:
        """One run; texts are strings, lists of pairs arrays: of names in lower case associative ones."""
        self.last = self._new()
        variables = [
            {"name": name, "type": 1, "value": value}
            if isinstance(value, str)
            else {"name": name, "type": 5 if name.islower() else 6, "items": value}
            for name, value in values.items()
        ]
        capture = how.pop("capture", values)
        wrapper = self._module.wrapper(variables, capture, script.encode())
        return self.last.start(script, wrapper=wrapper, **how)

    def left(self, script: str, values: dict[str, Any], **how: Any) -> tuple[str, dict[str, Any] | None]:
        """Its exit code, and its variables at its end."""
        reply = self.start(script, values, **how)
        assert reply.state == "finished", reply
        return reply.words[0], self._module.captured(reply.variables)


@pytest.fixture
def wrapped(module: ModuleType, run: NewRun) -> Wrapped:
    """As above."""
    return Wrapped(module, run)


@pytest.mark.parametrize("shebang", SHEBANGS)
def test_values_arrive_and_return_as_they_are(wrapped: Wrapped, shebang: str) -> None:
    """Whatever is in them; parameters are the script's; the exit code is its own."""
    check = "".join(
        f'[ "${name}" = "$(cat <<\'E-O-F\'\n{value}\nE-O-F\n)" ] || echo {name}\n'
        for name, value in VALUES.items()
        if name in ("QUOTES", "TEMPLATE", "EMOJI", "OPTION")
    )
    code, left = wrapped.left(
        f'{shebang}\n{check}[ "$2" = "b c" ]\nEMPTY=new\nexit 7\n', VALUES, param="a 'b c'"
    )
    assert (code, left) == ("7", {**VALUES, "EMPTY": "new"})


@pytest.mark.parametrize("shebang", SHEBANGS)
@pytest.mark.parametrize(
    ("script", "code", "value"),
    [
        ("X=new", "0", "new"),
        ("X=new; exit 3", "3", "new"),
        ("X=new; return 4", "4", "new"),
        ("X=new; set -e; false; X=later", "1", "new"),
        ("set -u; X=new; (exit 5)", "5", "new"),
        ("cd /; umask 777; set -Cf; IFS=; X='a * b'", "0", "a * b"),
        ("readonly X=new", "0", "new"),
        ("unset X", "0", None),
        ("( X=lost ); ( exit 1 ) || f() { X=new; }; f", "0", "new"),
        ("X=new; trap 'echo mine; X=late' EXIT", "0", "new"),
        ("printf() { echo never; }; X=new", "0", "new"),
        ("exec > /dev/null 2>&-; X=new", "0", "new"),
    ],
)  # fmt: skip
def test_what_a_script_does_to_a_variable_is_taken_over(
    wrapped: Wrapped, shebang: str, script: str, code: str, value: str | None
) -> None:
    """However it ends by itself; what it unset stays what it was."""
    got = wrapped.left(f"{shebang}\n{script}\n", {"X": "old"})
    assert got == (code, {} if value is None else {"X": value})


@pytest.mark.parametrize("shebang", SHEBANGS)
@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("X=new; trap 'echo mine' EXIT; exit 3", "3"),
        ("X=new; exec sh -c 'exit 6'", "6"),
        ("X=new; kill -9 $$", "137"),
    ],
)
def test_a_script_that_leaves_no_word_changes_nothing(
    wrapped: Wrapped, shebang: str, script: str, code: str
) -> None:
    """Its own trap takes the wrapper's place (as with JOB), or its shell is gone."""
    reply = wrapped.start(f"{shebang}\n{script}\n", {"X": "old"})
    assert (reply.state, reply.words[0], reply.variables) == ("finished", code, b"")


@pytest.mark.parametrize("how", ["timeout", "stop"])
def test_nothing_is_taken_from_a_script_that_was_ended(wrapped: Wrapped, how: str) -> None:
    """bash runs its trap then, so there is something."""
    timeout = 1 if how == "timeout" else 60
    wrapped.start("#!/bin/bash\nX=new; sleep 77", {"X": "old"}, timeout=timeout, wait=1)
    assert wrapped.last is not None
    if how == "stop":
        wrapped.last("stop")
    reply = wrapped.last.to_the_end()
    assert (reply.state, reply.variables) == ("timeout" if how == "timeout" else "terminated", b"")


@pytest.mark.parametrize("shebang", WITH_ARRAYS)
def test_arrays(wrapped: Wrapped, shebang: str) -> None:
    """Of both kinds, with any keys and values, and empty ones."""
    script = """
[ "${map["b]c"]}" = 'v $(id)' ] && [ "${LIST[2]}" = "x y" ] && [ ${#none[@]} -eq 0 ] || exit 9
map[new]='n
l'
LIST[5]=z
NONE[0]=first
"""
    values = {
        "map": [["b]c", "v $(id)"], ["q'", '"']],
        "LIST": [["0", "a"], ["2", "x y"]],
        "none": [],
        "NONE": [],
    }
    code, left = wrapped.left(f"{shebang}\n{script}", values)
    assert (code, left and {name: sorted(items) for name, items in left.items()}) == (
        "0",
        {
            "map": [["b]c", "v $(id)"], ["new", "n\nl"], ["q'", '"']],
            "LIST": [["0", "a"], ["2", "x y"], ["5", "z"]],
            "none": [],
            "NONE": [["0", "first"]],
        },
    )


@pytest.mark.parametrize(
    "shebang", [each for each in SHEBANGS if each.endswith(("dash", "busybox sh", "mksh"))]
)
def test_a_shell_without_arrays(wrapped: Wrapped, shebang: str) -> None:
    """A script that names one does not run, and says why; another one runs, and has all the rest."""
    values = {"map": [["a", "b"]], "X": "old"}
    refused = wrapped.start(f'{shebang}\necho "ran ${{map}}"\n', values)
    assert (refused.state, refused.words[0]) == ("finished", "2")
    assert b"the array variables map need bash or ksh93" in refused.output
    assert b"ran" not in refused.output
    assert wrapped.left(f"{shebang}\nX=new\n", values) == ("0", {"X": "new"})


@pytest.mark.parametrize("shebang", ["#!/bin/bash", "#!/bin/bash -v", "#!/bin/sh -x", "#!/no/such/sh"])
def test_a_secret_is_nowhere_but_in_the_shell(wrapped: Wrapped, shebang: str) -> None:
    """Neither in the log of a shell that traces itself, nor in the run directory, nor in the arguments."""
    script = "tr '\\0' ' ' < /proc/$$/cmdline; cat \"${0%/*}\"/* > /dev/null\ngrep -rl hu[s]h \"${0%/*}\"\n"
    reply = wrapped.start(f"{shebang}\n{script}", {"PASS": "hush", "X": ""}, capture=["X"])
    assert wrapped.last is not None
    kept = [path.read_bytes() for path in wrapped.last.directory.iterdir()]
    assert b"hush" not in reply.output + b"".join(kept)
    assert reply.words[0] == ("127" if "no" in shebang else "1"), reply  # grep's: nothing was found


def test_what_is_too_long_is_not_taken_in_parts(wrapped: Wrapped) -> None:
    """1 MiB of all values together; the end is missing then."""
    script = "X=$(head -c 1100000 /dev/zero | tr '\\0' x)\n"
    assert wrapped.left(script, {"X": "old"}) == ("0", None)


def test_variables_are_there_with_every_later_word(wrapped: Wrapped) -> None:
    """Whoever follows the run after a crash gets the same; output is not mixed up with them."""
    wrapped.start("sleep 1.2; printf out; X=new", {"X": "old"}, wait=0)
    assert wrapped.last is not None
    first = wrapped.last.to_the_end()
    assert (first.output, first.variables) == (b"out", b"sX\0new\0.\0")
    assert wrapped.last.follow(0, 0) == wrapped.last.follow(0, 0) == first
    assert wrapped.last.start("echo other").variables == first.variables


def test_a_wrapper_that_did_not_arrive_whole_is_not_started(run: NewRun) -> None:
    """As a script that did not."""
    mine = run()
    cut = mine("start", 60, 1, 20, 0, 1000, 0, 10, 12, data=b"\n:\n")
    assert cut.state == "refused"
    assert mine.start("echo fine", wrapper=b'. "${0%.vars}"\n').output == b"fine\n"
    assert not list(mine.directory.glob("*.new"))


def test_only_shells_have_variables(module: ModuleType) -> None:
    """A script of language 1 may be a program of any interpreter."""
    for line in (*SHEBANGS, "echo", "#!/bin/sh -", "#!/opt/x/ksh93", "#! /bin/bash\r"):
        assert module.can_source(f"{line}\n".encode()) or line.endswith("\r"), line
    for line in ("#!/usr/bin/perl", "#!/usr/bin/env python3", "#!/usr/bin/expect -f"):
        assert not module.can_source(line.encode())


def test_time_that_it_costs(wrapped: Wrapped) -> None:
    """A script with variables is done in one exchange as well."""
    began = time.monotonic()
    assert wrapped.left("X=new", {"X": "old"}) == ("0", {"X": "new"})
    assert time.monotonic() - began < 3
