"""Jobs of which it is known how they must end, whatever happens meanwhile."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from tests.e2e.jobs import Job, Jobs, Source
from tests.e2e.restarts import ONCE, marking, marks, whole_log
from tests.lab import Lab, LabHost

#: States of a host whose cable was cut, or whose sshd was restarted, when it was to be spoken to.
_NOT_REACHED = (310, 12, 320)
_TERMINATED, _NOT_CONFIRMED = 403, 404


@dataclass
class Task:
    """One job and what must become of it."""

    lab: Lab
    job: Job
    name: str
    hosts: list[LabHost]
    is_stopped: bool = False
    shaken: set[int] = field(default_factory=set)

    def wrong(self, shaken: set[int]) -> list[str]:
        """What is not as it must be, once the job has ended. `shaken`: hosts whose connection was broken."""
        self.shaken = shaken
        found = [f"{self.what}, {host.name}: {words}" for host in self.hosts for words in self._wrong(host)]
        statuses = set(self.job.statuses.values())
        expected = {11} | ({3} if statuses == {9} else set()) if self.is_stopped else {self._end(statuses)}
        if self.job.status not in expected:
            found.append(f"{self.what}: job {self.job.status}, hosts {statuses}")
        return found

    @property
    def what(self) -> str:
        """For messages."""
        return f"job {self.job.id} ({type(self).__name__} {self.name})"

    def _end(self, statuses: set[int]) -> int:
        return 3 if statuses == {9} else 4

    def _wrong(self, host: LabHost) -> list[str]:
        raise NotImplementedError


@dataclass
class ScriptTask(Task):
    """A script that marks its host at its begin and end, and prints numbered lines between."""

    seconds: float = 1
    exit_code: int = 0

    def _wrong(self, host: LabHost) -> list[str]:
        status, code, _ = self.job.states[host.bk_host_id]
        log, marked = self.job.log(host.bk_host_id), marks(self.lab, host, self.name)
        if (status, code) == (104 if self.exit_code else 9, self.exit_code):
            whole = marked == ONCE and log == whole_log(self.seconds)
            return [] if whole else [f"ended, marks {marked}, log {log[-200:]!r}"]
        if self.is_stopped and status in (_TERMINATED, _NOT_CONFIRMED):
            return self._wrong_of_stopped(host, status, log, marked)
        if host.bk_host_id in self.shaken and status in _NOT_REACHED:
            return [] if len(marked) <= len(ONCE) else [f"{status}, marks {marked}"]
        return [f"status {status}, exit code {code}, marks {marked}, log {log[-200:]!r}"]

    def _wrong_of_stopped(self, host: LabHost, status: int, log: str, marked: list[str]) -> list[str]:
        if status == _NOT_CONFIRMED and host.bk_host_id not in self.shaken:
            return [f"the stop was not confirmed: {log[-200:]!r}"]
        if marked not in ([], ONCE[:1], ONCE) or not whole_log(self.seconds).startswith(_lines(log)):
            return [f"terminated, marks {marked}, log {log[-200:]!r}"]
        return []


def _lines(log: str) -> str:
    """What the script printed, without the service's own words, and a last line that was cut off."""
    return "".join(
        line for line in log.splitlines(keepends=True) if line.startswith("line ") and line[-1] == "\n"
    )


@dataclass
class FileTask(Task):
    """A file that must arrive whole on every target, and leave nothing beside it."""

    sha256: str = ""
    directory: str = ""

    def _wrong(self, host: LabHost) -> list[str]:
        status = self.job.statuses[host.bk_host_id]
        if status == 9:
            there = self.lab.exec(host, f"ls -A {self.directory}").stdout.split()
            content = self.lab.read(host, f"{self.directory}/{self.name}")
            arrived = hashlib.sha256(content).hexdigest() == self.sha256
            return [] if arrived and there == [self.name] else [f"arrived {arrived}, there is {there}"]
        if self.shaken and status in _NOT_REACHED:
            return []
        return [f"status {status}: {self.job.files(host.bk_host_id)}"]


@dataclass(frozen=True)
class Work:
    """Starts such jobs."""

    lab: Lab
    jobs: Jobs

    def script(self, name: str, hosts: list[LabHost], seconds: float, exit_code: int = 0) -> ScriptTask:
        """On these hosts."""
        text = marking(name, seconds) + f"exit {exit_code}\n"
        job = self.jobs.script(text, *(host.bk_host_id for host in hosts))
        return ScriptTask(self.lab, job, name, hosts, seconds=seconds, exit_code=exit_code)

    def stop(self, task: Task) -> None:
        """Terminate its job, if it has not ended."""
        service, job_id = self.jobs.service, task.job.id
        reply = service.call("operate_job_instance", bk_biz_id=1, job_instance_id=job_id, operation_code=1)
        task.is_stopped = bool(reply["result"])

    def files(self, name: str, source: LabHost, targets: list[LabHost], size: int) -> FileTask:
        """A file of random bytes, slowly enough to be interrupted."""
        path, directory = f"{source.home or '/root'}/{name}", f"{source.home or '/root'}/to-{name}"
        self.lab.exec(source, f"head -c {size} /dev/urandom > {path}")
        sha256 = hashlib.sha256(self.lab.read(source, path)).hexdigest()
        ids = [host.bk_host_id for host in targets]
        sources = [Source([source.bk_host_id], [path])]
        job = self.jobs.files(sources, f"{directory}/", *ids, download_speed_limit=1)
        return FileTask(self.lab, job, name, targets, sha256=sha256, directory=directory)
