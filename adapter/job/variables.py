"""A plan's variables where a step uses them: `${NAME}` in texts, `$NAME` in shell scripts (contract g, h)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from adapter.job.status import ScriptLanguage

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_IMPORT = re.compile(r"^#\s+job_import\s+\{\{([A-Za-z0-9_]+)\}\}", re.MULTILINE)
_SHEBANG = re.compile(r"#![^\n]*(?:\n|\Z)")


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Every `${NAME}` of `values` replaced, once; any other is kept as it is."""
    return _REFERENCE.sub(lambda found: values.get(found[1], found[0]), text)


def names_in(text: str) -> frozenset[str]:
    """The names that substitute() would look up."""
    return frozenset(_REFERENCE.findall(text))


def imported_names(content: str) -> tuple[str, ...]:
    """The names of a shell script's `# job_import {{NAME}}` lines, in order."""
    return tuple(_IMPORT.findall(content))


def is_used_by_shell(content: str, name: str) -> bool:
    """True if a shell script seems to read the variable: `$NAME`, `${NAME…` or `# job_import {{NAME}}`."""
    read = re.compile(rf"\$(?:\{{[#!]?)?{re.escape(name)}(?![A-Za-z0-9_])")
    return name in imported_names(content) or read.search(content) is not None


def with_variables(content: str, language: int, values: Mapping[str, str]) -> str:
    """A shell script that begins with assigning the variables, after its shebang line if it has one.

    Other languages are left alone, as are names that no shell variable can have. Only for values that may
    be stored and shown: a cipher variable goes into a (then sensitive) parameter, by substitute(), or nowhere.
    """
    if language != ScriptLanguage.SHELL:
        return content
    lines = "".join(f"{name}={_quoted(value)}\n" for name, value in values.items() if _NAME.fullmatch(name))
    if not lines:
        return content
    shebang = _SHEBANG.match(content)
    if shebang is None:
        return lines + content
    first = shebang[0] if shebang[0].endswith("\n") else shebang[0] + "\n"
    return first + lines + content[shebang.end() :]


def _quoted(value: str) -> str:
    """As a POSIX shell reads it back: between single quotes nothing is special but the quote itself."""
    return "'" + value.replace("'", "'\\''") + "'"
