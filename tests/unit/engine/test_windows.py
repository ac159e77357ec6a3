"""Scripts on Windows hosts, as far as a machine without Windows can show: a stand-in takes PowerShell's place."""

from __future__ import annotations

import base64
import getpass
import json
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from adapter.engine.file_cache import FileCache
from adapter.engine.step_run import StepRuns
from adapter.engine.surroundings import HandedOver
from adapter.job.model import FileSource, FileTask, HostResult, JobInstance, ScriptTask, StepInstance
from adapter.job.status import HostStatus, RunStatus, StepType
from adapter.store.collected import CollectedRuns
from adapter.testing.hosts import MemoryHosts
from tests.support import powershell

from .conftest import ONE, SCOPE, TWO, Bench

USER = getpass.getuser()
#: `cmd`, for what Ansible appends to commands of a local connection would hide their exit codes with the other.
WINDOWS = {"ansible_connection": "local", "ansible_shell_type": "cmd", "ansible_user": USER}
POSIX = {"ansible_connection": "local"}


@dataclass(kw_only=True)
class Windows:
    """A bench whose host `one` is taken for one of Windows, and `two` is not."""

    bench: Bench
    stand_in: Path
    runtime: Path
    windows: dict[str, Any]
    installation: str = field(
        default_factory=lambda: secrets.token_hex(4)
    )  # else earlier tests' runs are found

    def __post_init__(self) -> None:
        self.handover = threading.Event()
        self.account_id = self.bench.accounts.create(
            SCOPE, operator="a", now_ms=1, alias="w", account=USER, type=2
        ).id

    def job(self, content: str, *, hosts: int = 1, **task: Any) -> JobInstance:
        script = ScriptTask(**{"language": 5, "content": content, "account_id": self.account_id, **task})
        step = StepInstance(name="s", script=script, create_time=self.bench.now)
        job = JobInstance(scope=SCOPE, steps=(step,), create_time=1)
        return self.bench.jobs.add(job, [(ONE, TWO)[:hosts]])

    def run(self, job: JobInstance) -> tuple[RunStatus, list[HostResult]]:
        variables = {"one": self.windows, "two": POSIX}
        self.bench.hosts = MemoryHosts([ONE, TWO], {"biz_2": ["one", "two"]}, variables=variables)
        runs = StepRuns(
            jobs=self.bench.jobs,
            logs=self.bench.logs,
            collected=CollectedRuns(self.bench.engine),
            preparation=replace(self.bench.preparation(), installation=self.installation),
            clock=self.bench,
            artifacts=self.bench.directory / "artifacts",
            file_cache=FileCache(self.bench.directory / "cache", 2**30),
            placing=self.bench.placing(),
            providing=self.bench.providing(),
            runtime=self.runtime,
            handover=self.handover.is_set,
        )
        status = runs.run(job.steps[0].id)
        return status, list(self.bench.jobs.hosts(job.steps[0].id, 0))

    def log(self, job: JobInstance, host_id: int = 1) -> str:
        return self.bench.logs.read(job.steps[0].id, 0, host_id, 0).decode()

    def told(self) -> list[dict[str, Any]]:
        """What the stand-in ran."""
        log = self.stand_in / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [told for told in map(json.loads, lines) if "text" in told]


@pytest.fixture
def windows(bench: Bench, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Windows]:
    stand_in = bench.directory / "bin"
    stand_in.mkdir()
    shutil.copy(powershell.__file__, stand_in / "PowerShell")
    (stand_in / "PowerShell").chmod(0o755)
    monkeypatch.setenv("PATH", f"{stand_in}:{os.environ['PATH']}")
    made = Windows(bench=bench, stand_in=stand_in, runtime=runtime, windows=dict(WINDOWS))
    yield made
    for run in Path("/tmp").glob(f"bkjob.*/{made.installation}.*"):
        shutil.rmtree(run) if run.is_dir() else run.unlink()


def test_one_step_on_hosts_of_both_kinds(windows: Windows) -> None:
    """Each host in its own way, with its own log and exit code; windows_interpreter is for one alone."""
    program = "D:\\py\\python.exe"
    job = windows.job('print("héllo")\nraise SystemExit(3)', hosts=2, language=4, windows_interpreter=program)
    status, (one, two) = windows.run(job)
    assert status is RunStatus.FAILED
    assert (two.status, two.exit_code, windows.log(job, 2)) == (HostStatus.NON_ZERO_EXIT, 3, "héllo\n")
    (told,) = windows.told()
    assert (told["program"], told["arguments"]) == ([program], [])
    assert told["name"].endswith("\\script.py")
    assert one.status is HostStatus.NON_ZERO_EXIT  # sh cannot run it
    assert not list((windows.bench.directory / "artifacts").rglob("C:*"))


def test_no_parameter_is_no_argument(windows: Windows) -> None:
    """On hosts of either kind."""
    job = windows.job('echo "$#"', hosts=2, language=1)
    assert windows.run(job)[0] is RunStatus.SUCCESS
    assert (windows.log(job, 1), windows.log(job, 2)) == ("0\n", "0\n")


@pytest.mark.parametrize(
    ("task", "program", "name", "content"),
    [
        ({"language": 1}, ["bash.exe"], "script.sh", b"echo $1 $2\nexit 7"),
        ({"language": 2}, [], "script.bat", b"echo $1 $2\r\nexit 7"),
        ({"language": 3}, ["perl.exe"], "script.pl", b"echo $1 $2\nexit 7"),
        ({"language": 5}, [], "script.ps1", b"\xef\xbb\xbfecho $1 $2\nexit 7"),
        (
            {"language": 4, "windows_interpreter": "D:\\Program Files\\py'3\\python.exe"},
            ["D:\\Program Files\\py'3\\python.exe"],
            "script.py",
            b"echo $1 $2\nexit 7",
        ),
    ],
    ids=["shell", "bat", "perl", "powershell", "interpreter"],
)
def test_what_the_host_is_told(
    windows: Windows, task: dict[str, Any], program: list[str], name: str, content: bytes
) -> None:
    """The program, the file as that program reads it, and each word of the parameter as it is."""
    param = 'C:\\a\\b "it\'s; $x `n" ’'
    job = windows.job("echo $1 $2\nexit 7", param=param, **task)
    status, (one,) = windows.run(job)
    assert (status, one.status, one.exit_code) == (RunStatus.FAILED, HostStatus.NON_ZERO_EXIT, 7)
    (told,) = windows.told()
    assert told["program"] == program
    assert told["name"].endswith(f"\\{name}")
    assert base64.b64decode(told["content"]) == content
    assert told["arguments"] == ["C:\\a\\b", "it's; $x `n", "’’"]  # to PowerShell that is one mark
    assert one.log_bytes == one.log_kept == len(windows.log(job).encode()) > 0


def test_a_long_output_is_kept_as_far_as_it_may(windows: Windows) -> None:
    """And counted whole."""
    windows.bench.settings = type(windows.bench.settings)(
        data_dir=windows.bench.settings.data_dir, max_log_bytes=10
    )
    job = windows.job("echo 0123456789abcdef; echo '<SOPS_VAR>'")
    status, (one,) = windows.run(job)
    assert (status, one.status, one.log_kept, one.log_bytes) == (
        RunStatus.SUCCESS,
        HostStatus.SUCCESS,
        10,
        28,
    )
    assert windows.log(job).startswith("0123456789\n")


def test_a_sensitive_parameter_is_in_no_file(windows: Windows) -> None:
    """Other than in what the host is told."""
    job = windows.job("true", param="s3cr3t", param_sensitive=True)
    assert windows.run(job)[0] is RunStatus.SUCCESS
    assert windows.told()[0]["arguments"] == ["s3cr3t"]
    files = (path for path in (windows.bench.directory / "artifacts").rglob("*") if path.is_file())
    assert not [path for path in files if b"s3cr3t" in path.read_bytes()]


def test_time_is_up(windows: Windows) -> None:
    """The host ends 13, which says that the script may go on: nobody there could stop it."""
    status, (one,) = windows.run(job := windows.job("sleep 4", timeout=1))
    assert (status, one.status) == (RunStatus.FAILED, HostStatus.TIMEOUT)
    assert "it may go on" in windows.log(job)


def test_terminate_says_that_the_script_may_go_on(windows: Windows) -> None:
    """404, never 403."""
    job = windows.job("sleep 3")
    _when(windows.told, lambda: windows.bench.jobs.request_stop(job.id, 1))
    status, (one,) = windows.run(job)
    assert (status, one.status) == (RunStatus.STOPPED, HostStatus.TERMINATE_FAILED)
    assert "cannot be stopped" in windows.log(job)


def test_a_script_is_started_at_most_once(windows: Windows) -> None:
    """Who goes on with the step cannot know what became of it, and says so."""
    job = windows.job("sleep 3")
    _when(windows.told, windows.handover.set)
    with pytest.raises(HandedOver):
        windows.run(job)
    assert windows.bench.jobs.hosts(job.steps[0].id, 0)[0].status is HostStatus.RUNNING
    windows.handover.clear()
    shutil.rmtree(windows.bench.directory / "artifacts")  # another node, which has no spool of it
    status, (one,) = windows.run(job)
    assert (status, one.status) == (RunStatus.FAILED, HostStatus.LOG_ERROR)
    assert "not started again" in windows.log(job)
    assert len(windows.told()) == 1


def test_an_account_without_a_password_runs_nothing(windows: Windows) -> None:
    """Unless the inventory logs in as it; in Windows' own way of writing users."""
    windows.windows["ansible_user"] = "Somebody"
    status, (one,) = windows.run(job := windows.job("true"))
    assert (status, one.status, one.error_code) == (RunStatus.FAILED, HostStatus.BAD_PASSWORD, 1326)
    assert "no password of the account" in windows.log(job)
    assert windows.told() == []
    windows.windows["ansible_user"] = f"DOMAIN\\{USER.upper()}"
    assert windows.run(windows.job("true"))[0] is RunStatus.SUCCESS


@pytest.mark.parametrize("language", [2, 5])
def test_a_script_of_windows_is_refused_elsewhere(windows: Windows, language: int) -> None:
    """On its own host it runs, on the other it ends 12 and says why."""
    status, (one, two) = windows.run(job := windows.job("true", hosts=2, language=language))
    assert (status, one.status, two.status) == (
        RunStatus.FAILED,
        HostStatus.SUCCESS,
        HostStatus.SUBMIT_FAILED,
    )
    assert "Windows hosts only" in windows.log(job, 2)


def test_files_do_not_move_to_windows_hosts(windows: Windows) -> None:
    """The host ends 399 and says why; the other target has its file."""
    source = windows.bench.directory / "a.txt"
    source.write_text("a")
    account = windows.bench.accounts.create(SCOPE, operator="a", now_ms=1, alias="p", account=USER).id
    files = FileTask(
        sources=(FileSource(files=(str(source),), account_id=account, hosts=(TWO,)),),
        target_path=f"{windows.bench.directory}/in/",
        account_id=account,
    )
    step = StepInstance(name="s", type=StepType.FILE, file=files, create_time=1)
    job = windows.bench.jobs.add(JobInstance(scope=SCOPE, steps=(step,), create_time=1), [(ONE, TWO)])
    status, (one, two) = windows.run(job)
    assert (status, one.status, two.status) == (RunStatus.FAILED, HostStatus.TASK_ERROR, HostStatus.SUCCESS)
    (entry,) = windows.bench.logs.file_logs(job.steps[0].id, 0, [1])
    assert "only scripts run on Windows hosts" in entry.content
    assert (windows.bench.directory / "in" / "a.txt").read_text() == "a"


def _when(is_so: Callable[[], object], do: Callable[[], object]) -> None:
    """Beside what follows: once it is so, do it."""

    def wait() -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until and not is_so():
            time.sleep(0.05)
        do()

    threading.Thread(target=wait, daemon=True).start()
