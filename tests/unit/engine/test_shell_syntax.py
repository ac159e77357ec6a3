"""bash reads scripts of strangers: what it says is told by line, and nothing of them is run."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from adapter.engine import shell_syntax as module
from adapter.engine.shell_syntax import shell_syntax
from adapter.job.script_check import SyntaxProblem, SyntaxUnknown, syntax_problems


@pytest.mark.parametrize(
    "script",
    [
        "",
        "echo 'ü' | cat\n",
        "#!/bin/bash\nx=(1 2)\n[[ $x =~ a ]] && echo ${x[@]:1}\n",
        "if true\r\nthen :\r\nfi\r\n",
    ],
)
def test_nothing_is_wrong(script: str) -> None:
    """With bash's own grammar as well, and lines that end as on Windows."""
    assert shell_syntax(script) == ()


def test_what_is_wrong_is_told_by_line() -> None:
    """All that is said of a line is one problem."""
    (problem,) = shell_syntax("echo 1\ndone\n")
    assert (problem.line, problem.description) == (2, "syntax error near unexpected token `done'\n`done'")
    (problem,) = shell_syntax("echo 1\nif true; then\n")
    assert problem.description == "syntax error: unexpected end of file"
    (problem,) = shell_syntax("cat <<EOF\nü\n")
    assert "here-document" in problem.description


def test_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the script nor what an environment would have a shell begin with."""
    flag = tmp_path / "flag"
    begin = tmp_path / "begin"
    begin.write_text(f"touch {flag}")
    monkeypatch.setenv("BASH_ENV", str(begin))
    monkeypatch.setenv("ENV", str(begin))
    monkeypatch.setenv("BASH_FUNC_ulimit%%", f"() {{ touch {flag}; }}")
    script = f"touch {flag}\n$(touch {flag})\nexec < {begin}\n: > {flag}\nset +n\ntouch {flag}\n"
    assert shell_syntax(script) == ()
    assert not flag.exists()


def test_a_long_line_is_cut() -> None:
    """bash repeats it."""
    (problem,) = shell_syntax("(" + "x" * 100_000 + "\n;;\n" + ")" * 9)
    assert len(problem.description) <= 1_000


def test_what_bash_cannot_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """So deep that it breaks, so slow that it is ended, not there: none of it reads as right."""
    core = resource.getrlimit(resource.RLIMIT_CORE)
    assert core
    with pytest.raises(SyntaxUnknown, match=r"gave up|has not read"):
        shell_syntax("$(" * 200_000)
    monkeypatch.setattr(module, "SECONDS", 0.0)
    with pytest.raises(SyntaxUnknown, match="has not read it in"):
        shell_syntax("true")
    monkeypatch.setattr(module, "SECONDS", 5)
    monkeypatch.setattr(module, "_QUIET", ("no-such-shell",))
    with pytest.raises(SyntaxUnknown, match="cannot be started: No such file"):
        shell_syntax("true")


def test_other_words_are_no_problem() -> None:
    """Only lines that name a line."""
    said = "bash: warning: setlocale: nothing\nbash: line 7: a\nbash: line 3: b: line 4: c\nbash: line 7: d\n"
    assert syntax_problems(said) == (
        SyntaxProblem(line=3, description="b: line 4: c"),
        SyntaxProblem(line=7, description="a\nd"),
    )
