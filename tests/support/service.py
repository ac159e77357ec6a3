"""The real service in a process of its own, and a client that calls it as JOB's clients do."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.support.last_words import last_words, logs_to

_ADAPTER = [sys.executable, "-m", "adapter"]
#: Receivers of callbacks and file sources are on this machine.
OF_TESTS = {
    "ADAPTER_LANGUAGE": "en",
    "ADAPTER_CALLBACK_ALLOW": "127.0.0.0/8",
    "ADAPTER_FILE_SOURCE_ALLOW": "127.0.0.0/8",
    "ADAPTER_FILE_SOURCE_RETRY_PAUSES": "0.2,0.5",
}
#: Host keys are the lab's; connections are not kept, so that no process outlives a test.
_ENVIRONMENT = {"ANSIBLE_SSH_ARGS": "-o ControlMaster=no -o ConnectTimeout=4"}
_UNFINISHED = (1, 2, 7, 10, 15)


@dataclass(frozen=True)
class Credentials:
    """An application and a user's token, as JOB's clients send them."""

    app_code: str
    app_secret: str
    token: str

    def in_body(self) -> dict[str, str]:
        """The keys of the request body."""
        return {"bk_app_code": self.app_code, "bk_app_secret": self.app_secret, "bk_token": self.token}

    def in_header(self) -> dict[str, str]:
        """The X-Bkapi-Authorization header."""
        return {"X-Bkapi-Authorization": json.dumps(self.in_body())}


@dataclass
class Service:
    """`adapter serve` on a free port, over a data directory that outlives it."""

    data_dir: Path
    inventory: Path
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    own_ssh_settings: bool = False  #: the product's, which keep connections for a minute
    url: str = ""
    credentials: Credentials | None = None
    process: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = 60, *, healthy: bool = True) -> Service:
        """Start it and wait until it answers, or only until it serves if not `healthy`; returns itself."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        log = self.log_file
        began = log.stat().st_size if log.exists() else 0
        command = [*_ADAPTER, "serve", "--port", "0", "--data-dir", str(self.data_dir)]
        command += ["--inventory", str(self.inventory), *self.options]
        logs_to(log)
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=self._env()
            )
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise AssertionError(
                    f"the service ended with {self.process.returncode}: {self.log()[-3000:]}"
                )
            self.url = self.url_in(log.read_text()[began:])
            if self.url and (not healthy or self.is_healthy()):
                return self
            time.sleep(0.05)
        raise AssertionError(f"the service did not get ready: {self.log()[-3000:]}")

    @staticmethod
    def url_in(text: str) -> str:
        """Where it serves, from what it logged; "" if it did not say yet."""
        for line in text.splitlines():
            if '"event": "serving"' in line:
                return str(json.loads(line)["url"])
        return ""

    def is_healthy(self) -> bool:
        """True once /healthz says so."""
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    @property
    def log_file(self) -> Path:
        """Where its output goes."""
        return self.data_dir / "service.log"

    def log(self) -> str:
        """All it has logged."""
        return self.log_file.read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL, and its ansible-playbook processes are left alone, as when a service is killed."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, timeout: float = 60) -> int:
        """SIGTERM and wait; returns the exit code."""
        if self.process is None or self.process.poll() is not None:
            return 0 if self.process is None else self.process.returncode
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"SIGTERM did not end the service: {self.log()[-3000:]}") from None

    def _env(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ADAPTER_")}
        ssh = {} if self.own_ssh_settings else _ENVIRONMENT
        return {**clean, **OF_TESTS, **ssh, **self.environment}

    # --- the command line ------------------------------------------------------------------------------

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`adapter WORDS --data-dir …`."""
        done = subprocess.run(
            [*_ADAPTER, *words, "--data-dir", str(self.data_dir)],
            capture_output=True,
            text=True,
            check=False,
            env=self._env(),
            timeout=120,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"adapter {' '.join(words)}: {done.stderr or done.stdout}")
        return done

    def apply(self, text: str) -> str:
        """`adapter apply -f` of a YAML text; what it printed."""
        path = self.data_dir / "apply.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return self.command("apply", "-f", str(path)).stdout

    def new_credentials(self, code: str = "esb_test", *options: str, user: str = "admin") -> Credentials:
        """An application and a token; the first made is what call() uses."""
        app = json.loads(self.command("app", "create", code, *options).stdout)
        token = json.loads(self.command("token", "create", "--app", code, "--user", user).stdout)
        made = Credentials(code, app["bk_app_secret"], token["access_token"])
        self.credentials = self.credentials or made
        return made

    # --- the API ---------------------------------------------------------------------------------------

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """POST JSON to a path; the envelope."""
        reply = httpx.post(f"{self.url}{path}", json=body, headers=headers, timeout=60, trust_env=False)
        value: dict[str, Any] = reply.json()
        return value

    def call(self, name: str, dialect: str = "jobv3", **fields: Any) -> dict[str, Any]:
        """The envelope of an ESB call with the service's credentials in the header."""
        assert self.credentials is not None
        return self.post(f"/api/c/compapi/v2/{dialect}/{name}/", fields, self.credentials.in_header())

    def data(self, name: str, dialect: str = "jobv3", **fields: Any) -> Any:
        """The data of a call that must succeed."""
        envelope = self.call(name, dialect, **fields)
        assert envelope["result"] is True, envelope
        return envelope["data"]

    def status(self, biz: int, job_id: int) -> dict[str, Any]:
        """get_job_instance_status with every host."""
        value: dict[str, Any] = self.data(
            "get_job_instance_status", bk_biz_id=biz, job_instance_id=job_id, return_ip_result=True
        )
        return value

    def finished(self, biz: int, job_id: int, timeout: float = 120) -> dict[str, Any]:
        """Poll until the job has finished; its status."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            status = self.status(biz, job_id)
            if status["finished"]:
                return status
            time.sleep(0.2)
        raise AssertionError(
            f"in vain waited {timeout} s for the end of job {job_id}: {status}\n{last_words()}"
        )

    def log_of(self, biz: int, job_id: int, step_id: int, host_id: int) -> str:
        """A host's script log."""
        data = self.data(
            "get_job_instance_ip_log",
            bk_biz_id=biz,
            job_instance_id=job_id,
            step_instance_id=step_id,
            bk_host_id=host_id,
        )
        return data["log_content"] or ""

    def file_logs_of(self, biz: int, job_id: int, step_id: int, host_id: int) -> list[dict[str, Any]]:
        """A host's file log entries."""
        data = self.data(
            "get_job_instance_ip_log",
            bk_biz_id=biz,
            job_instance_id=job_id,
            step_instance_id=step_id,
            bk_host_id=host_id,
        )
        return data["file_logs"] or []


def b64(text: str) -> str:
    """Base64 as JOB's clients send scripts and parameters."""
    return base64.b64encode(text.encode()).decode()
