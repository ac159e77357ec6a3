# SPDX-License-Identifier: GPL-3.0-or-later
"""Files straight through the standard streams of an exchange, from disk to ssh and from ssh to disk.

Ansible's connections take and give bytes: a file would be held in memory, or cost an exchange for every few
megabytes. The ssh connection hands what is to be sent to one method of its own, `_send_initial_data`, when become
is through and the program reads. A flow takes that method's place for one exchange: it has the process there, its
standard input and output, and everything before and after stays Ansible's (become, passwords, jump hosts, kept
connections). A connection without such a method gets pieces: `can_stream` tells.
"""

from __future__ import annotations

import contextlib
import fcntl
import inspect
import os
import select
import subprocess
import time
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

from ansible.errors import AnsibleConnectionFailure
from ansible_collections.adapter.job.plugins.plugin_utils.cache_part import CachePart
from ansible_collections.adapter.job.plugins.plugin_utils.exchange import Answer, NoAnswer
from ansible_collections.adapter.job.plugins.plugin_utils.pace import Pace

_HOOK = "_send_initial_data"
_PIPE = 1024 * 1024
#: Seconds of waiting for the other side between looks at whether to stop.
_PATIENCE = 0.5
#: Seconds that let a pipe fill or drain: being woken for every page costs more than the bytes.
_BREATH = 0.002
#: Bytes of greetings and the like that may come before the mark.
_NOISE = 1024 * 1024


class NotClean(Exception):
    """The connection changes bytes on their way (a terminal is in it)."""


class Flow(Protocol):
    """What goes through one exchange. `error` is what ended it early, or None."""

    error: Exception | None

    def carry(self, fh: BinaryIO, in_data: bytes, process: subprocess.Popen[bytes]) -> None:
        """Called in the place of `_send_initial_data`, again if Ansible tries again."""


def can_stream(connection: Any) -> bool:
    """True for a connection whose exchanges a flow can take part in."""
    hook = getattr(connection, _HOOK, None)
    return hook is not None and list(inspect.signature(hook).parameters) == ["fh", "in_data", "ssh_process"]


def exchange(connection: Any, flow: Flow, ask: Callable[[], Answer]) -> Answer:
    """One exchange with a flow in it; raises what ended the flow, else as the exchange does."""
    setattr(connection, _HOOK, flow.carry)
    try:
        answer = ask()
    except (NoAnswer, AnsibleConnectionFailure):
        if flow.error is not None:
            raise flow.error from None
        raise
    finally:
        delattr(connection, _HOOK)
    if flow.error is not None:
        raise flow.error
    return answer


class Upload:
    """A file's bytes from an offset on, after the exchange's data; `report` is told how far it has come."""

    def __init__(
        self, file: BinaryIO, offset: int, size: int, pace: Pace, report: Callable[[int], None]
    ) -> None:
        self._file = file
        self._offset = offset
        self._size = size
        self._pace = pace
        self._report = report
        self.error: Exception | None = None

    def carry(self, fh: BinaryIO, in_data: bytes, process: subprocess.Popen[bytes]) -> None:
        """Feed the process. It may end before it has read all: then its answer says why."""
        try:
            fh.write(in_data)
            fh.flush()
            self._send(fh.fileno())
        except BrokenPipeError:
            pass
        except Exception as error:  # noqa: BLE001 Ansible would take it for a reason to try again
            self.error = error
            process.terminate()
        with contextlib.suppress(OSError):
            fh.close()

    def _send(self, pipe: int) -> None:
        _widen(pipe)
        os.set_blocking(pipe, False)
        at = self._offset
        while at < self._size:
            try:
                moved = os.sendfile(pipe, self._file.fileno(), at, min(self._pace.piece, self._size - at))
            except BlockingIOError:
                select.select([], [pipe], [], _PATIENCE)
                time.sleep(_BREATH)
                self._pace.check()
                continue
            if moved == 0:
                raise OSError(f"the controller's copy ends at {at} of {self._size} bytes")
            at += moved
            self._pace.sent(at)
            self._report(at)


class Download:
    """The bytes that come after a line "<mark> <n>", into a part of the cache."""

    def __init__(self, part: CachePart, mark: str, pace: Pace, report: Callable[[int], None]) -> None:
        self._part = part
        self._mark = mark.encode()
        self._pace = pace
        self._report = report
        self.error: Exception | None = None

    def carry(self, fh: BinaryIO, in_data: bytes, process: subprocess.Popen[bytes]) -> None:
        """Ask, then take the bytes; what follows them is the exchange's answer, which Ansible reads."""
        assert process.stdout is not None
        try:
            fh.write(in_data)
            fh.close()
            pipe = process.stdout.fileno()
            os.set_blocking(pipe, False)
            _widen(pipe)
            self._receive(pipe, self._announced(pipe))
        except BrokenPipeError:
            pass
        except Exception as error:  # noqa: BLE001 Ansible would take it for a reason to try again
            self.error = error
            process.terminate()

    def _announced(self, pipe: int) -> int:
        """How many bytes are to come; 0 if the program never spoke. Byte by byte: what follows is not ours."""
        heard = bytearray()
        while len(heard) < _NOISE and (byte := self._some(pipe, 1)):
            heard += byte
            if byte == b"\n" and (at := heard.rfind(self._mark)) >= 0:
                if heard.endswith(b"\r\n"):
                    raise NotClean
                return int(heard[at + len(self._mark) :])
        if heard.strip():
            raise NoAnswer(0, bytes(heard).decode("utf-8", "replace"))
        return 0

    def _receive(self, pipe: int, size: int) -> None:
        while size and (piece := self._some(pipe, min(self._pace.piece, _PIPE, size))):
            size -= len(piece)
            self._part.add(piece)
            self._pace.sent(self._part.size)
            self._report(self._part.size)

    def _some(self, pipe: int, most: int) -> bytes:
        while True:
            try:
                return os.read(pipe, most)
            except BlockingIOError:
                select.select([pipe], [], [], _PATIENCE)
                time.sleep(_BREATH)
                self._pace.check()


def _widen(pipe: int) -> None:
    with contextlib.suppress(OSError, AttributeError):  # only Linux has it, and a limit for each user
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
