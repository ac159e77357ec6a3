# SPDX-License-Identifier: GPL-3.0-or-later
"""A script on a Windows host, by Ansible's own `script` action (design D4): winrm, psrp, or ssh with PowerShell.

That is: a temporary directory, the script's file in it, PowerShell that runs it and hands back all of its output
and its exit code, and the directory removed. Nothing is detached: output comes at the end, and once a connection
has broken nobody can tell what became of the script.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

#: What runs a file on a Windows host; None: PowerShell by itself knows what to do with it.
_PROGRAMS = {1: "bash.exe", 2: None, 3: "perl.exe", 4: "python.exe", 5: None}


class Overdue(Exception):
    """The script has not ended in its time."""


def is_windows(action: Any) -> bool:
    """True if the connection's shell is one of Windows."""
    return bool(getattr(action._connection._shell, "_IS_WINDOWS", False))


def words(param: str) -> list[str]:
    """A command line's arguments as Windows users write them: blanks separate, double quotes hold together.

    A backslash is a letter like any other: paths are full of them.
    """
    found: list[str] = []
    word, is_quoted, is_word = "", False, False
    for character in param:
        if character == '"':
            is_quoted, is_word = not is_quoted, True
        elif character.isspace() and not is_quoted:
            if is_word:
                found.append(word)
            word, is_word = "", False
        else:
            word, is_word = word + character, True
    return [*found, word] if is_word else found


def quoted(word: str) -> str:
    """As PowerShell takes it for this text and nothing else. It knows five marks for a single quote."""
    for mark in "'\u2018\u2019\u201a\u201b":
        word = word.replace(mark, mark * 2)
    return f"'{word}'"


def command_line(script: Path, language: int, interpreter: str, param: str) -> tuple[str, str | None]:
    """What Ansible's `script` is told: the file with its arguments, and the program that runs it, if any."""
    program = interpreter or _PROGRAMS[language]
    line = " ".join([f"'{script}'", *map(quoted, words(param))])
    return line, quoted(program) if program else None


def run(
    action: Any, task_vars: dict[str, Any], line: str, program: str | None, seconds: float
) -> dict[str, Any]:
    """Ansible's result: rc, stdout, stderr. Raises Overdue, and what Ansible raises of a host out of reach."""
    task = action._task.copy()
    task.args = {"cmd": line, **({"executable": program} if program else {})}
    script = action._shared_loader_obj.action_loader.get(
        "ansible.builtin.script",
        task=task,
        connection=action._connection,
        play_context=action._play_context,
        loader=action._loader,
        templar=action._templar,
        shared_loader_obj=action._shared_loader_obj,
    )
    outcome: dict[str, Any] = {}

    def work() -> None:
        try:
            outcome["result"] = script.run(task_vars=task_vars)
        except Exception as error:  # noqa: BLE001 raised again below, where somebody waits for it
            outcome["error"] = error

    # No connection to Windows can be told to give up waiting: whoever waits must.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise Overdue
    if "error" in outcome:
        raise outcome["error"]
    result: dict[str, Any] = outcome["result"]
    return result
