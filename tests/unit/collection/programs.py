"""The shell programs of the collection, run directly as the plugins run them on a host."""

from __future__ import annotations

import base64
import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = (
    Path(__file__).parents[3] / "playbooks/collections/ansible_collections/adapter/job/plugins/plugin_utils"
)
#: Where an account that nobody named has its runs.
BASE = Path(f"/tmp/bkjob.{os.getuid()}")
#: What hosts have as `sh`, as far as this machine has it too. With busybox all other programs are its own as well.
SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]


#: What programs begin with, as the plugins put them together.
_FIRST_PARTS = {"supervisor.sh": ["runs.sh"], "look.sh": ["runs.sh"]}


def text_of(name: str) -> str:
    """A whole program."""
    return "".join((PROGRAMS / part).read_text() for part in [*_FIRST_PARTS.get(name, []), name])


def path_with(shell: str, directory: Path) -> str:
    """A PATH in which `sh` is that shell."""
    directory.mkdir()
    found = shutil.which(shell)
    assert found
    if shell == "busybox":
        subprocess.run([found, "--install", "-s", str(directory)], check=True)
    else:
        (directory / "sh").symlink_to(found)
    return f"{directory}:{os.environ['PATH']}"


@dataclass(frozen=True)
class Reply:
    """A parsed answer."""

    output: bytes
    state: str
    words: list[str]
    variables: bytes = b""


@dataclass(frozen=True)
class Program:
    """One program under one shell; `verb(...)` is one exchange. `name` is of its last part."""

    name: str
    path: str = field(default_factory=lambda: os.environ["PATH"])
    key: str = field(default_factory=lambda: f"test.{secrets.token_hex(6)}")

    def popen(self, verb: str, *args: object, user: str = "") -> tuple[str, subprocess.Popen[bytes]]:
        """Starts an exchange; the nonce and the process."""
        nonce = f"job-{secrets.token_hex(8)}"
        words = [verb, self.key, nonce, user, *(str(arg) for arg in args)]
        argv = ["sh", "-c", text_of(self.name), "sh", *words]
        pipe, environment = subprocess.PIPE, {**os.environ, "PATH": self.path}
        return nonce, subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)

    def __call__(
        self, verb: str, *args: object, data: bytes = b"\n", user: str = "", sealed: bool = False
    ) -> Reply:
        """One exchange from its beginning to its end; sealed data ends with the nonce."""
        nonce, process = self.popen(verb, *args, user=user)
        seal = f"{nonce}\n".encode() if sealed else b""
        stdout, stderr = process.communicate(data + seal, timeout=30)
        return parse(nonce, stdout, stderr)


class Run(Program):
    """One run of one script."""

    user = ""
    sealed = True

    def start(
        self,
        script: str,
        param: str = "",
        *,
        timeout: int = 60,
        language: int = 1,
        wait: int = 5,
        wrapper: bytes = b"",
    ) -> Reply:
        """Launch and wait."""
        content = wrapper + script.encode()
        data = param.encode() + b"\n" + content
        args = (
            timeout,
            language,
            len(content),
            0,
            1_000_000,
            wait,
            100,
            *([len(wrapper)] if wrapper else []),
        )
        return self("start", *args, data=data, sealed=self.sealed, user=self.user)

    def follow(self, offset: int = 0, wait: int = 5, size: int = 1_000_000) -> Reply:
        """What came since."""
        return self("follow", offset, size, wait, 10)

    def to_the_end(self) -> Reply:
        """Follow until it has ended; the whole output."""
        for _ in range(20):
            reply = self.follow()
            if reply.state not in ("running", "launching"):
                return self.follow(0, 0)
            time.sleep(0.05)
        raise AssertionError(f"still {reply}")

    @property
    def directory(self) -> Path:
        """Of the run on the host."""
        return BASE / self.key

    def number(self, name: str) -> int:
        """A pid written there."""
        return int((self.directory / name).read_text())


NewRun = Callable[[], Run]


def parse(nonce: str, stdout: bytes, stderr: bytes) -> Reply:
    """The framed answer."""
    mark = nonce.encode()
    begin = re.search(mark + rb" BEGIN (\d+|-)\n", stdout)
    assert begin, (stdout, stderr)
    rest = stdout[begin.end() :]
    size = rest.rfind(b"\n" + mark) if begin[1] == b"-" else int(begin[1])
    end = re.match(rb"\n" + mark + rb" END (.*)", rest[size:], re.DOTALL)
    assert end, (stdout, stderr)
    state, *words = end[1].decode().split()
    output, _, variables = rest[:size].partition(b"\n" + mark + b" VARS\n")
    return Reply(output, state, words, variables)


def decoded(reply: Reply) -> bytes:
    """The bytes of a `read`."""
    return base64.b64decode(reply.output) if reply.state == "base64" else reply.output
