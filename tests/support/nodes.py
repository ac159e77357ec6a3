"""Several API processes and workers over one PostgreSQL, as on several machines: each with its own directory."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from cryptography.fernet import Fernet

from adapter.store.database import open_database
from adapter.store.tables import job_instance, worker
from tests.support.audits import agrees
from tests.support.last_words import logs_to
from tests.support.service import OF_TESTS, Credentials, Service


@dataclass
class WorkerNode:
    """`adapter worker` with a data directory of its own."""

    data_dir: Path
    inventory: Path
    options: tuple[str, ...]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = 90) -> WorkerNode:
        """Start it and wait until it works; returns itself."""
        began = self.log().count('"event": "working"')
        command = [sys.executable, "-m", "adapter", "worker", "--data-dir", str(self.data_dir)]
        command += ["--inventory", str(self.inventory), *self.options]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ADAPTER_")}
        logs_to(self.log_file)
        with self.log_file.open("ab") as out:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**environment, **OF_TESTS, **self.environment},
            )
        until = time.monotonic() + timeout
        while self.log().count('"event": "working"') == began:
            assert self.process.poll() is None, self.log()[-3000:]
            assert time.monotonic() < until, self.log()[-3000:]
            time.sleep(0.05)
        return self

    @property
    def log_file(self) -> Path:
        """Where its output goes."""
        return self.data_dir / "worker.log"

    def log(self) -> str:
        """All it has logged."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def events(self, name: str) -> list[dict[str, object]]:
        """What it logged under that name."""
        lines = [line for line in self.log().splitlines() if line.startswith("{")]
        # Another library may have written the end of a line.
        events = [json.JSONDecoder().raw_decode(line)[0] for line in lines]
        return [event for event in events if event.get("event") == name]

    @property
    def pid(self) -> int:
        """Its process."""
        assert self.process is not None
        return self.process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send it one."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL; its ansible-playbook processes are left alone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, timeout: float = 90) -> int:
        """SIGTERM and wait; returns the exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"SIGTERM did not end the worker: {self.log()[-3000:]}") from None
        return self.process.returncode


@dataclass
class Nodes:
    """Everything that shares one database and one key."""

    url: str
    directory: Path
    inventory: Path
    credentials: Credentials
    environment: Mapping[str, str] = field(default_factory=dict)
    apis: list[Service] = field(default_factory=list)
    workers: list[WorkerNode] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._engine = open_database(self.url)
        self._key = Fernet.generate_key()
        self._numbers = itertools.count(1)

    def api(self, *options: str) -> Service:
        """An API process that runs no jobs, started."""
        api = Service(
            data_dir=self._data_dir("api"),
            inventory=self.inventory,
            options=("--database-url", self.url, "--no-worker", *options),
            environment=self.environment,
        )
        api.credentials = self.credentials
        self.apis.append(api)
        return api.start()

    def worker(self, *options: str) -> WorkerNode:
        """A worker, started."""
        node = WorkerNode(
            data_dir=self._data_dir("worker"),
            inventory=self.inventory,
            options=("--database-url", self.url, *options),
            environment=self.environment,
        )
        self.workers.append(node)
        return node.start()

    def has(self, job_id: int) -> WorkerNode | None:
        """The worker that has the job, None for nobody."""
        owner = sa.select(worker.c.pid).where(
            worker.c.id
            == sa.select(job_instance.c.worker_id).where(job_instance.c.id == job_id).scalar_subquery()
        )
        with self._engine.connect() as connection:
            pid = connection.scalar(owner)
        return next((node for node in self.workers if node.process and node.pid == pid), None)

    def count(self, *conditions: sa.ColumnElement[bool]) -> int:
        """How many jobs are like this."""
        with self._engine.connect() as connection:
            return connection.execute(
                sa.select(sa.func.count()).select_from(job_instance).where(*conditions)
            ).scalar_one()

    def agree(self) -> None:
        """Fail unless the database agrees with the artifacts of every worker, and with the hosts."""
        for number, node in enumerate(self.workers, start=1):
            agrees(node.data_dir, self.inventory, self.url, with_hosts=number == len(self.workers))

    def stop(self) -> None:
        """End everything that runs."""
        try:
            for node in self.workers:
                node.stop()
            for api in self.apis:
                api.stop()
        finally:
            self._engine.dispose()

    def _data_dir(self, kind: str) -> Path:
        path = self.directory / f"{kind}{next(self._numbers)}"
        path.mkdir(parents=True, mode=0o700)
        (path / "secret.key").write_bytes(self._key)
        (path / "secret.key").chmod(0o600)
        return path
