"""The plugins' own helpers: answers within whatever a login prints, and secrets over a socket."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from adapter.engine.secret_server import serve_secrets
from tests.unit.collection.programs import PROGRAMS


def module(name: str) -> ModuleType:
    """One of the collection's modules that need nothing of Ansible's."""
    spec = importlib.util.spec_from_file_location(f"tested_{name}", PROGRAMS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = loaded  # dataclasses look there
    spec.loader.exec_module(loaded)
    return loaded


exchange = module("exchange")
socket = module("secret_socket")


class Action:
    """An action plugin whose connection answers with what a function makes of the command."""

    def __init__(self, reply: Any, shell: str = "/bin/sh") -> None:
        self._play_context = SimpleNamespace(executable=shell)
        self._connection = SimpleNamespace(_shell=SimpleNamespace())
        self.reply = reply
        self.sent: list[bytes] = []

    def _low_level_execute_command(
        self, command: str, *, in_data: bytes, executable: str, encoding_errors: str
    ) -> dict[str, Any]:
        assert executable == self._play_context.executable
        self.sent.append(in_data)
        nonce = command.partition("\n")[0].split()[4]
        stdout = self.reply(nonce.encode())
        return {"rc": 1, "stdout": stdout.decode("utf-8", encoding_errors), "stderr": "the reason"}


def ask(reply: Any) -> Any:
    """The answer a program gets across."""
    return exchange.Exchange(Action(reply), "supervisor.sh")("follow", "key")


def test_a_windows_host_is_asked_nothing() -> None:
    """It has no such shell; what it would answer is no help to anybody."""
    action = Action(None)
    action._connection._shell._IS_WINDOWS = True
    with pytest.raises(exchange.NoAnswer, match="only scripts run on Windows hosts"):
        exchange.Exchange(action, "files.sh")("state", "key")
    assert action.sent == []


@pytest.mark.parametrize("around", [b"", b"motd\nLast login\n", b"job-00 BEGIN 3\n", b"\xff\r\n"])
def test_what_a_login_prints_is_no_answer(around: bytes) -> None:
    """Before or after the frame; bytes within it are unharmed."""
    content = b"a\0\xff\r\n\n"
    answer = ask(
        lambda n: around + n + b" BEGIN 6\n" + content + b"\n" + n + b" END finished 0 6 -\n" + around
    )
    assert (answer.output, answer.state) == (content, "finished")
    assert answer.words == ("0", "6", "-")


def test_an_answer_of_unknown_length() -> None:
    """It ends with the last line that begins with the nonce."""
    answer = ask(lambda n: n + b" BEGIN -\nabc\n\n" + n + b" END ok no such file\n")
    assert (answer.output, answer.state, answer.detail) == (b"abc\n", "ok", "no such file")


@pytest.mark.parametrize(
    "reply",
    [
        lambda n: b"",
        lambda n: b"sh: not found",
        lambda n: n + b" BEGIN 10\nonly",
        lambda n: n + b" BEGIN -\nno end",
        lambda n: n + b" BEGIN 2\nab\nsomething else",
    ],
)
def test_no_answer_and_half_an_answer_are_no_answer(reply: Any) -> None:
    """What the program or the shell printed is the reason."""
    with pytest.raises(exchange.NoAnswer, match=r"the reason|cut off"):
        ask(reply)


def test_standard_input_is_never_empty() -> None:
    """Else ssh would allocate a terminal, which changes bytes."""
    action = Action(lambda n: n + b" BEGIN 0\n\n" + n + b" END ok -\n")
    exchange.Exchange(action, "supervisor.sh")("follow", "key")
    assert action.sent == [b"\n"]


@pytest.mark.parametrize("shell", ["/bin/sh", "bash", "/usr/bin/fish"])
@pytest.mark.parametrize("word", ["", "a b", "'\"$(id)`id`\\", "-x", "ä\udcff"])
def test_words_reach_the_program_as_they_are(word: str, shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is in them. A shell that speaks POSIX runs the program itself, any other starts one that does."""
    seen: list[str] = []

    class Recording(Action):
        def _low_level_execute_command(self, command: str, **options: Any) -> dict[str, Any]:
            seen.append(command)
            return {"rc": 0, "stdout": "", "stderr": "recorded"}

    asked = exchange.Exchange(Recording(None, shell), "files.sh")
    monkeypatch.setattr(asked, "_program", 'printf \'%s|\' "$1" "$2" "$4"')
    with pytest.raises(exchange.NoAnswer, match="recorded"):
        asked("list", "key", word)
    assert seen[0].startswith("sh -c" if "fish" in shell else "set -- ")
    ran = subprocess.run(["sh", "-c", os.fsencode(seen[0])], capture_output=True, check=True)
    assert ran.stdout == os.fsencode(f"list|key|{word}|")


def test_secrets_are_answered_while_the_run_lasts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By name; an unknown name, a socket that is gone and no service at all each say which it is."""
    text = "a\nb {{ x }} ü \"'"
    with serve_secrets({"param": text}, tmp_path) as path:
        assert path is not None
        monkeypatch.setenv("ADAPTER_SECRETS", str(path))
        assert socket.fetch("param") == text
        with pytest.raises(socket.SecretUnavailable, match="no secret 'other'"):
            socket.fetch("other")
    assert not path.exists()
    with pytest.raises(socket.SecretUnavailable, match="does not answer"):
        socket.fetch("param")
    monkeypatch.delenv("ADAPTER_SECRETS")
    with pytest.raises(socket.SecretUnavailable, match="not in this artifact"):
        socket.fetch("param")
    with serve_secrets({}, tmp_path) as nothing:
        assert nothing is None
