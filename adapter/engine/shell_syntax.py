"""bash reads a script to its end without running any of it (`bash -n`), as JOB does.

It gets the script on its standard input, an environment of its own, and little memory and time: what it reads comes
from strangers.
"""

from __future__ import annotations

import subprocess
import tempfile

from adapter.job.script_check import SyntaxProblem, SyntaxUnknown, syntax_problems

SECONDS = 5  #: as in JOB
_QUIET = ("bash", "--noprofile", "--norc")
#: Seconds of processor time, KiB of memory, no files, no core.
_LIMITED = f"ulimit -t {SECONDS} -v 524288 -f 0 -c 0 && exec {' '.join(_QUIET)} -n"
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


def shell_syntax(content: str) -> tuple[SyntaxProblem, ...]:
    """What is wrong with a shell script, by line. Raises SyntaxUnknown."""
    with tempfile.TemporaryFile() as script:  # without a name; a pipe would be read byte by byte
        script.write(content.replace("\r\n", "\n").encode("utf-8", "replace"))
        script.seek(0)
        try:
            done = subprocess.run(
                [*_QUIET, "-c", _LIMITED],
                stdin=script,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=_ENVIRONMENT,
                cwd="/",
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SyntaxUnknown(f"bash has not read it in {SECONDS} seconds") from None
        except OSError as error:
            raise SyntaxUnknown(f"bash cannot be started: {error.strerror}") from error
    found = syntax_problems(done.stderr.decode("utf-8", "replace"))
    if done.returncode and not found:
        raise SyntaxUnknown(f"bash gave up on it ({done.returncode})")
    return found
