"""Every secret there is, in a service that works: while jobs run and after, none is anywhere it could be read.

A service with hosts of CMDB runs one job of each kind at once, each with secrets of its own. What can be read is
taken while they run and after: files, processes here and on the hosts, every reply, what commands print, a backup.
Each of these places also has something that is no secret, and it must be found there: a place that nobody looks at
fails.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e import databases
from tests.e2e.conftest import Prepared, no_step_failed
from tests.e2e.jobs import wait_until
from tests.e2e.secret_jobs import SEEN, Planted, SecretJobs
from tests.e2e.secret_replies import everything_asked
from tests.lab import Lab
from tests.support.cmdb import APP, Cmdb, Place, running_cmdb
from tests.support.markers import cores_of, found_in, words_of
from tests.support.overheard import Overheard
from tests.support.processes import controller_processes, host_processes
from tests.support.raw_receiver import RawReceiver

#: `adapter WORDS`: everything that is printed of what is stored.
_COMMANDS = """
    audit-log; audit-log --json; audit; audit --json; crons; crons --json; workers; dangerous-records; token list;
    permission list; status --job {job}; logs --job {job}; artifacts --job {job}; callbacks --job {job}
"""


#: Bytes of a file: nothing here is so large, but other tests share the temporary directory.
_MOST = 1 << 24


@dataclass
class Evidence:
    """What could be read, by where: of each place its contents by what they are of."""

    words: dict[str, bytes]
    places: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def add(self, place: str, what: str, content: bytes) -> None:
        """Also what does not matter by itself: it shows that the place was looked at."""
        self.places.setdefault(place, {})[what] = content

    def add_files(self, place: str, *directories: Path) -> None:
        """Each file below, or the file itself; what goes meanwhile is not there."""
        for directory in directories:
            for path in (directory, *directory.rglob("*")):
                with contextlib.suppress(FileNotFoundError):
                    if path.is_file() and not path.is_symlink() and path.stat().st_size < _MOST:
                        self.add(place, str(path), path.read_bytes())

    def leaks(self, place: str) -> list[str]:
        """Which secret is in what; AssertionError if what is no secret is not found there either."""
        contents = self.places[place]
        assert any(SEEN.encode() in content for content in contents.values()), f"{place}: nobody looked at it"
        return [
            f"{name} in {what}"
            for what, content in contents.items()
            for name in found_in(content, self.words)
        ]


_ARGUMENTS = "arguments of scripts"
#: Where nothing may be found.
PLACES = {
    "processes while jobs run",
    "processes of hosts while jobs run",
    "files while jobs run",
    "replies while jobs run",
    "replies",
    "callbacks",
    "commands",
    "backup",
    "files afterwards",
    "hosts afterwards",
}
#: Kinds of secrets: the issue's, and what has come since.
KINDS = (
    "account's password", "account's key", "database account's password", "credential's", "parameter of",
    "cipher of a plan", "cipher of a launch", "cipher of a cron", "callback's secret", "host's password",
    "application's secret", "token", "token of an upload", "CMDB's secret", "environment's", "inventory's",
)  # fmt: skip


@pytest.mark.timeout(300)
def test_no_secret_is_anywhere(lab: Lab, prepared: Prepared, tmp_path: Path) -> None:
    """In no form; what is no secret is found in each place. On hosts a script's parameters are its arguments.

    That is so in JOB, too (decision 51): it is the place where secrets must be found, and no others than those.
    """
    if not lab.isolated:
        pytest.skip("hosts of this kind have no processes of their own")
    with ExitStack() as up:
        up.enter_context(databases.running(lab))
        receiver = RawReceiver()
        up.callback(receiver.close)
        cmdb = up.enter_context(running_cmdb(cmdb=_cmdb_of(lab)))
        planted = Planted(tmp_path, lab)
        service = Overheard(
            data_dir=tmp_path / SEEN,
            inventory=_inventory_of(lab, planted, tmp_path / "inventory"),
            options=("--cmdb-url", cmdb.url, "--cmdb-app-code", APP, "--cmdb-ttl", "0"),
            environment=planted.environment,
        )
        up.callback(service.stop)
        prepared.started(service)
        found = _gathered(lab, service, planted, receiver, tmp_path)
    no_step_failed(service)
    assert all(any(name.startswith(kind) for name in planted.of) for kind in KINDS)
    assert found.places.keys() == PLACES | {_ARGUMENTS}
    assert {place: leaks for place in PLACES if (leaks := found.leaks(place))} == {}
    assert {name.split(" ")[0] for name in found.leaks(_ARGUMENTS)} == {"parameter"}


def _inventory_of(lab: Lab, planted: Planted, directory: Path) -> Path:
    """The lab's, and a secret that all its hosts have."""
    shutil.copytree(lab.inventory, directory)
    variables = {"api_token": planted("inventory's secret"), "of_all": SEEN}
    (directory / "more.yml").write_text(json.dumps({"all": {"vars": variables}}))
    return directory


def _cmdb_of(lab: Lab) -> Cmdb:
    cmdb = Cmdb()
    for host in (*lab.hosts, lab.down):
        cmdb.add(host.bk_host_id, host.ip, Place(host.biz, 10 + host.biz, 20 + host.biz))
    return cmdb


def _gathered(
    lab: Lab, service: Overheard, planted: Planted, receiver: RawReceiver, directory: Path
) -> Evidence:
    began = time.time()
    jobs = SecretJobs(service, planted, receiver)
    jobs.give()
    jobs.start()
    jobs.have_begun()
    assert service.credentials is not None
    planted.of["application's secret"] = service.credentials.app_secret
    planted.of["token"] = service.credentials.token
    found = Evidence(words_of(planted.of) | cores_of(planted.of))
    _while_jobs_run(found, lab, service, jobs)
    jobs.end()
    wait_until(lambda: len(receiver.got) >= 2, "the callbacks")
    silent = everything_asked(service, jobs, with_streams=True)
    assert silent == [], f"nothing was learned of what these answer: {silent}"
    _refused(service)
    found.places["replies"] = service.replies
    assert any(b"ustar" in reply and SEEN.encode() in reply for reply in service.replies.values()), "bundles"
    found.places["callbacks"] = {str(number): got for number, got in enumerate(receiver.got)}
    for words in _COMMANDS.format(job=jobs.steps[0].job_id).split(";"):
        done = service.command(*words.split())
        found.add("commands", words, (done.stdout + done.stderr).encode())
    service.command("backup", str(directory / "backup"))
    found.add_files("backup", directory / "backup")
    _afterwards(found, lab, service, began)
    return found


def _while_jobs_run(found: Evidence, lab: Lab, service: Overheard, jobs: SecretJobs) -> None:
    assert service.process is not None
    runs = 0
    for pid, command, environment in controller_processes():
        found.add("processes while jobs run", f"the command line of {pid}: {command!r}", command)
        if int(pid) != service.process.pid:  # which is told its secrets by it
            found.add("processes while jobs run", f"the environment of {pid}: {command!r}", environment)
        runs += b"ADAPTER_SPOOL=" in environment and SEEN.encode() in environment
    assert runs >= len(jobs.steps) - 2, "not every run was looked at"
    for number in (101, 102, 103):
        for pid, command, environment in host_processes(lab, lab.host(number)):
            words = command.split(b"\0")
            program = 2 if len(words) > 1 and words[1].startswith(b"/tmp/bkjob.") else len(words)
            what = f"{pid} on {number}: {words[:program]}"
            found.add(
                "processes of hosts while jobs run", f"the command line of {what}", b" ".join(words[:program])
            )
            found.add("processes of hosts while jobs run", f"the environment of {what}", environment)
            found.add(_ARGUMENTS, what, b"\0".join(words[program:]))
    found.add_files("files while jobs run", service.data_dir, _runtime_of(service))
    everything_asked(service, jobs, with_streams=False)
    found.places["replies while jobs run"], service.replies = service.replies, {}


def _runtime_of(service: Overheard) -> Path:
    digest = hashlib.sha256(str(service.data_dir).encode()).hexdigest()[:8]
    found = (
        Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"adapter-{os.getuid()}-{digest}"
    )
    return found if found.is_dir() else Path(tempfile.gettempdir()) / found.name


def _refused(service: Overheard) -> None:
    """What is wrong is said, and credentials are where logs of requests would have them."""
    assert service.credentials is not None
    right = service.credentials.in_body()
    path = "/api/c/compapi/v2/jobv3/get_job_instance_list/"
    wrong = {name: value[:-1] for name, value in right.items()}
    for query in (
        right,
        wrong,
        {**right, "bk_app_code": SEEN},
        {**right, "bk_token": right["bk_app_secret"]},
    ):
        service.ask("GET", path, params={**query, "bk_biz_id": 1})
        service.ask("POST", path, json={**query, "bk_biz_id": 1})
        service.ask("POST", path, headers={"X-Bkapi-Authorization": str(query)}, json={})
    service.ask("POST", path, headers={"X-Bkapi-JWT": right["bk_token"]}, json={})
    service.ask("POST", path, content=json.dumps(right)[:-1])


def _afterwards(found: Evidence, lab: Lab, service: Overheard, began: float) -> None:
    look = "find /tmp /home /root /run /var/tmp -type f -size -4M -print -exec cat {} +"
    for number in (101, 102, 103):
        found.add("hosts afterwards", str(number), lab.exec(lab.host(number), look).stdout.encode())
    runtime = _runtime_of(service)
    service.stop()
    assert not runtime.exists()
    found.add_files("files afterwards", service.data_dir)
    for path in (*Path(tempfile.gettempdir()).iterdir(), Path.home() / ".ansible"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime >= began and not path.name.startswith("pytest-of-"):
                found.add_files("files afterwards", path)
