# SPDX-License-Identifier: GPL-3.0-or-later
"""One exchange with a shell program on the target: arguments and standard input in, a framed answer out.

The frame (see supervisor.sh) carries bytes unharmed through whatever a login prints before or after it.
"""

from __future__ import annotations

import re
import secrets
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure

_HERE = Path(__file__).parent
#: Shells that can take a program as they are; anything else that an inventory names starts `sh`.
_POSIX_SHELLS = ("sh", "bash", "dash", "ash", "ksh")


@dataclass(frozen=True)
class Answer:
    """What the program said. `output` is the bytes between the marks; `words` what stands after END.

    `variables` are the bytes after a third mark, which only a script that has ended by itself may have left.
    """

    output: bytes
    state: str
    words: tuple[str, ...]
    variables: bytes = b""

    @property
    def detail(self) -> str:
        """The words as one text; "-" stands for none."""
        text = " ".join(self.words)
        return "" if text == "-" else text


class NoAnswer(Exception):
    """The program did not answer: it never ran (become failed, no shell), or the frame is broken."""

    def __init__(self, rc: int, text: str) -> None:
        super().__init__(text.strip() or f"no answer from the host, exit code {rc}")
        self.rc = rc


class Exchange:
    """Runs verbs of one shell program through an action plugin's connection, as the become user if any.

    `parts` are its files, in order.
    """

    def __init__(self, action: Any, *parts: str) -> None:
        self._action = action
        self._program = "".join((_HERE / part).read_text() for part in parts)

    def require_shell(self) -> None:
        """Raises NoAnswer for a host of Windows, which could not understand the program."""
        if getattr(self._action._connection._shell, "_IS_WINDOWS", False):
            raise NoAnswer(1, "only scripts run on Windows hosts: files cannot be moved to or from them")

    def __call__(
        self, verb: str, key: str, *args: object, data: bytes = b"", is_sealed: bool = False
    ) -> Answer:
        """The program's answer to `verb`. Data that is sealed ends with a line that only a whole delivery has.

        Raises NoAnswer, and AnsibleConnectionFailure if the host cannot be reached. Standard input is never
        empty: without data ssh would allocate a terminal, which changes bytes and hangs up on children.
        """
        self.require_shell()
        nonce = f"job-{secrets.token_hex(8)}"
        data += f"{nonce}\n".encode() if is_sealed else b""
        words = shlex.join([verb, key, nonce, *(str(arg) for arg in args)])
        # Named, so that Ansible does not append `sleep 0`, a process more: a frame tells whether output is whole.
        shell = self._action._play_context.executable
        if shell.rpartition("/")[2] in _POSIX_SHELLS:
            command = f"set -- {words}\n{self._program}"
        else:
            command = f"sh -c {shlex.quote(self._program)} sh {words}"
        reply = self._action._low_level_execute_command(
            command, in_data=data or b"\n", executable=shell, encoding_errors="surrogateescape"
        )
        if reply["rc"] < 0:
            # The connection's own process was killed: no word of the host's.
            raise AnsibleConnectionFailure(f"the connection was killed by signal {-reply['rc']}")
        stdout = reply["stdout"].encode("utf-8", "surrogateescape")
        return _parse(nonce, stdout, reply)


def is_one_line(path: str) -> bool:
    """True for a path that can be sent as a line; a NUL would be lost on the way."""
    return "\n" not in path and "\0" not in path


def _parse(nonce: str, stdout: bytes, reply: dict[str, Any]) -> Answer:
    mark = nonce.encode()
    begin = re.search(mark + rb" BEGIN (\d+|-)\r?\n", stdout)
    if begin is None:
        raise NoAnswer(reply["rc"], reply["stderr"] or reply["stdout"])
    rest = stdout[begin.end() :]
    # "-": the length was not known beforehand; the nonce is random, so only the program can have printed it.
    size = rest.rfind(b"\n" + mark) if begin[1] == b"-" else int(begin[1])
    end = re.match(rb"\r?\n" + mark + rb" END ([^\r\n]*)", rest[size:]) if size >= 0 else None
    if end is None:
        raise NoAnswer(reply["rc"], f"the host's answer was cut off: {reply['stderr']}")
    state, *words = end[1].decode("utf-8", "replace").strip().split(" ")
    output, _, variables = rest[:size].partition(b"\n" + mark + b" VARS\n")
    return Answer(output=output, state=state, words=tuple(words), variables=variables)
