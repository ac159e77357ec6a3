# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan's variables for a shell script: what declares them, and what the script leaves of them at its end.

The script is sourced by a wrapper that its own interpreter runs. The wrapper holds the values, so it removes itself
before the script begins. At the script's end it writes the variables that are wanted as fields that end with NUL,
which no shell's value can hold: `s<name>`, `<value>`, or `a<name>`, `<count>` and as many keys and values; after
all of them `.`. One that was unset is not written, so it stays what it was.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

NAMESPACE, ASSOC_ARRAY, INDEX_ARRAY = 2, 5, 6
_SHELLS = frozenset("sh bash dash ash ksh ksh93 mksh pdksh yash".split())  # noqa: SIM905
_END = "."

#: Options of the interpreter's line are off while the wrapper works: -x and -v would print values into the log.
_HEAD = """\
__job_options=$-
{ set +euvx; } 2>/dev/null
command rm -f "$0"
"""
_PROBE = """\
__job_arrays=
if (eval 'typeset -A a; a=(["k"]=v); [ "${a["k"]}" = v ]') 2>/dev/null; then __job_arrays=yes; fi
"""
_SAVE = """\
__job_saved=
__job_save() {
    { set +Ceuvx; } 2>/dev/null
    [ -z "$__job_saved" ] || return 0
    __job_saved=yes
    {
%s
        command printf '%%s\\0' .
    } > "${0%%/*}/vars"
}
trap __job_save EXIT
"""
_OPTIONS = "".join(f"case $__job_options in *{each}*) set -{each} ;; esac\n" for each in "euvx")
_SOURCE = '. "${0%.vars}"\n'
_SOURCE_AND_SAVE = _SOURCE + '{ __job_code=$?; __job_save; } 2>/dev/null\nexit "$__job_code"\n'


def can_source(script: bytes) -> bool:
    """True for a script that a POSIX shell runs: its first line names one, or no interpreter at all."""
    first = script.partition(b"\n")[0].decode("utf-8", "replace")
    if not first.startswith("#!"):
        return True
    return any(word.rpartition("/")[2] in _SHELLS for word in first[2:].split())


def wrapper(variables: Iterable[Mapping[str, Any]], capture: Iterable[str], script: bytes) -> bytes:
    """What runs instead of the script.

    Each variable has `name`, `type`, and `value` or, if it is an array, `items`: pairs of key and value. `capture`
    are the names whose values are wanted at the script's end.
    """
    variables, wanted = list(variables), set(capture)
    arrays = [each for each in variables if "items" in each]
    strings = [each for each in variables if "items" not in each]
    parts = [_HEAD, *(f"{each['name']}={shlex.quote(each['value'])}\n" for each in strings)]
    if arrays:
        parts += [
            _PROBE,
            _declared(arrays, [each["name"] for each in arrays if _is_named(each["name"], script)]),
        ]
    if wanted:
        saved = [_saved_string(each["name"]) for each in strings if each["name"] in wanted]
        if saved_arrays := "".join(_saved_array(each["name"]) for each in arrays if each["name"] in wanted):
            saved.append(f'        [ -z "$__job_arrays" ] || eval {shlex.quote(saved_arrays)}')
        parts.append(_SAVE % "\n".join(saved))
    parts += [_OPTIONS, _SOURCE_AND_SAVE if wanted else _SOURCE]
    return "".join(parts).encode("utf-8", "surrogateescape")


def captured(content: bytes) -> dict[str, Any] | None:
    """What a wrapper wrote: texts, or pairs of arrays, by name; None if it is not whole."""
    fields = content.decode("utf-8", "replace").split("\0")
    if fields[-2:] != [_END, ""]:
        return None
    found: dict[str, Any] = {}
    rest = iter(fields[:-2])
    for head in rest:
        name = head[1:]
        if head[0] == "s":
            found[name] = next(rest)
        else:
            found[name] = [[next(rest), next(rest)] for _ in range(int(next(rest)))]
    return found


def _declared(arrays: list[Mapping[str, Any]], named: list[str]) -> str:
    """The arrays where the shell has any; elsewhere a script that names one of them does not run."""
    lines = "".join(map(_array_line, arrays))
    text = f'if [ -n "$__job_arrays" ]; then eval {shlex.quote(lines)}'
    if named:
        words = (
            f"the array variables {' '.join(named)} need bash or ksh93: "
            "the shell that the script's first line names, or that the host has, has no such arrays"
        )
        text += f"\nelse\n    echo {shlex.quote(words)}\n    exit 2"
    return text + "\nfi\n"


def _array_line(array: Mapping[str, Any]) -> str:
    kind = "-A" if array["type"] == ASSOC_ARRAY else "-a"
    items = " ".join(f"[{shlex.quote(key)}]={shlex.quote(value)}" for key, value in array["items"])
    return f"typeset {kind} {array['name']}=({items})\n"


def _saved_string(name: str) -> str:
    return f'        [ -z "${{{name}+x}}" ] || command printf \'%s\\0\' s{name} "${name}"'


def _saved_array(name: str) -> str:
    return (
        f"command printf '%s\\0' a{name} \"${{#{name}[@]}}\"\n"
        f'for __job_key in "${{!{name}[@]}}"; do\n'
        f'    command printf \'%s\\0\' "$__job_key" "${{{name}[$__job_key]}}"\ndone\n'
    )


def _is_named(name: str, script: bytes) -> bool:
    return re.search(rb"(?<![A-Za-z0-9_])" + name.encode() + rb"(?![A-Za-z0-9_])", script) is not None
