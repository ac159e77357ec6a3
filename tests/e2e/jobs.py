"""Jobs as a client of JOB starts and follows them, in few words."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.support.last_words import last_words
from tests.support.service import Service, b64

#: (status, exit_code, error_code) of a host that did what it was asked.
SUCCESS = (9, 0, 0)


@dataclass(frozen=True)
class Job:
    """A job instance of one step; what is asked about it waits for its end first."""

    service: Service
    biz: int
    id: int
    step_id: int

    @cached_property
    def end(self) -> dict[str, Any]:
        """get_job_instance_status once it has finished."""
        return self.service.finished(self.biz, self.id)

    @property
    def status(self) -> int:
        """Of the job."""
        return int(self.end["job_instance"]["status"])

    @cached_property
    def hosts(self) -> dict[int, dict[str, Any]]:
        """The step's results by host id."""
        (step,) = self.end["step_instance_list"]
        return {result["bk_host_id"]: result for result in step["step_ip_result_list"]}

    @property
    def states(self) -> dict[int, tuple[int, int | None, int]]:
        """(status, exit_code, error_code) by host id."""
        return {
            host_id: (result["status"], result["exit_code"], result["error_code"])
            for host_id, result in self.hosts.items()
        }

    @property
    def statuses(self) -> dict[int, int]:
        """Status by host id."""
        return {host_id: int(result["status"]) for host_id, result in self.hosts.items()}

    def log(self, host_id: int) -> str:
        """A host's whole script log."""
        assert self.end["finished"]
        return self.log_now(host_id)

    def log_now(self, host_id: int) -> str:
        """A host's script log as it is, without waiting."""
        return self.service.log_of(self.biz, self.id, self.step_id, host_id)

    def files(self, host_id: int) -> list[dict[str, Any]]:
        """What is told of a host's files: downloads of its own and uploads of the sources."""
        assert self.end["finished"]
        return self.service.file_logs_of(self.biz, self.id, self.step_id, host_id)

    def why(self) -> str:
        """What went wrong where, for an assertion's message."""
        lines = [f"job {self.id}: status {self.status}, hosts {self.states}"]
        for host_id in self.hosts:
            log = self.log(host_id)
            told = [entry["log_content"] for entry in self.files(host_id) if entry["status"] == 5]
            lines.append(f"{host_id}: {log[-500:]!r} {told}")
        return "\n".join(lines)

    def succeeded(self) -> Job:
        """Itself, or an AssertionError with everything that is known."""
        assert self.status == 3, self.why()
        return self


@dataclass(frozen=True)
class Source:
    """Files on hosts, read as an account."""

    hosts: Iterable[int]
    files: Iterable[str]
    account: str = "root"

    def as_json(self) -> dict[str, Any]:
        """An item of file_source_list."""
        return {
            "file_list": list(self.files),
            "account": {"alias": self.account},
            "server": {"host_id_list": list(self.hosts)},
        }


@dataclass(frozen=True)
class Jobs:
    """Starts jobs of one business on hosts by id."""

    service: Service
    biz: int = 1
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def script(
        self,
        text: str,
        *hosts: int,
        account: str = "root",
        param: str | None = None,
        language: int = 1,
        **fields: Any,
    ) -> Job:
        """fast_execute_script."""
        body: dict[str, Any] = {
            "script_content": b64(text),
            "script_language": language,
            "account_alias": account,
            "target_server": {"host_id_list": list(hosts)},
            **fields,
        }
        if param is not None:
            body["script_param"] = b64(param)
        return self._launched("fast_execute_script", body)

    def files(
        self, sources: Iterable[Source], target: str, *hosts: int, account: str = "root", **fields: Any
    ) -> Job:
        """fast_transfer_file."""
        body = {
            "file_source_list": [source.as_json() for source in sources],
            "file_target_path": target,
            "account_alias": account,
            "target_server": {"host_id_list": list(hosts)},
            **fields,
        }
        return self._launched("fast_transfer_file", body)

    def _launched(self, name: str, body: dict[str, Any]) -> Job:
        data = self.service.data(name, bk_biz_id=self.biz, **{**self.defaults, **body})
        return Job(self.service, self.biz, data["job_instance_id"], data["step_instance_id"])


def wait_until(condition: Any, what: str, timeout: float = 60) -> Any:
    """What the condition returns once that is true; else fails saying `what`, and what was logged last.

    For what stays true: a moment that passes may lie between two looks.
    """
    until = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < until, f"in vain waited {timeout} s for {what}\n{last_words()}"
        time.sleep(0.1)
    return found
