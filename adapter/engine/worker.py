"""The worker: starts the workflow of every job that should run, and lets go of them in good order."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import IO

import structlog
from dbos import DBOS, DBOSConfig, SetWorkflowID, WorkflowHandle

from adapter.config import Settings
from adapter.engine import workflows
from adapter.engine.warm import WarmAnsible
from adapter.engine.workflows import Parts, job_workflow_id, run_job
from adapter.job.status import RunStatus
from adapter.store.database import open_database

log = structlog.get_logger(__name__)

#: Seconds between looks for jobs that another process submitted, or that a crash kept from being started.
_SWEEP = 1.0
#: Workflows in hand at once; each costs a thread that mostly waits. More stay in the store.
_MAX_WORKFLOWS = 400
#: Later attempts at callbacks under way at once.
_MAX_CALLBACKS = 16
#: Seconds for steps to let go of their ansible-playbook when they are handed over.
_HANDOVER_SECONDS = 15
_ENDED_BADLY = ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


class AlreadyRunning(Exception):
    """Another process is the worker of this data directory."""


class Worker:
    """At most one in a data directory; `handover` is set when steps are to be left to the next start."""

    def __init__(
        self,
        settings: Settings,
        parts: Parts,
        handover: threading.Event,
        runtime: Path,
        warm: WarmAnsible | None = None,
    ) -> None:
        self._warm = warm
        self._settings = settings
        self._parts = parts
        self._handover = handover
        self._runtime = runtime
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._handles: dict[int, WorkflowHandle[int]] = {}
        self._thread = threading.Thread(target=self._sweep_on, name="worker-sweep", daemon=True)
        self._lock: IO[str] | None = None

    def start(self) -> None:
        """Recover what a crash left, and begin. Raises AlreadyRunning."""
        self._lock = _take(self._settings.data_dir / "worker.lock")
        url = self._settings.workflow_database
        self._engine = open_database(url)
        config: DBOSConfig = {
            "name": "ansible-job-adapter",
            "system_database_url": url,
            "system_database_engine": self._engine,
            "application_version": "1",
            "executor_id": "local",
            "max_executor_threads": _MAX_WORKFLOWS + _MAX_CALLBACKS + 16,
            "log_level": "WARNING",
            "console_log_level": "WARNING",
            "enable_otlp": False,
        }
        workflows.bind(self._parts)
        DBOS(config=config)
        DBOS.launch()
        DBOS.register_queue(workflows.CALLBACK_QUEUE, worker_concurrency=_MAX_CALLBACKS)
        self._thread.start()

    def wake(self) -> None:
        """There may be a new job: look now."""
        self._wake.set()

    def hand_over(self) -> None:
        """Leave what runs to the next start; stop() need not wait for it any longer."""
        self._handover.set()

    def stop(self, drain_seconds: float) -> None:
        """Start nothing more; wait for what runs, then hand the rest to the next start; let connections go."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()
        _wait_for_workflows(drain_seconds)
        if left := workflows.active():
            log.info("handing_over", workflows=left)
        self._handover.set()
        _wait_for_workflows(_HANDOVER_SECONDS)
        DBOS.destroy(workflow_completion_timeout_sec=0)
        if self._warm is not None:
            self._warm.stop()
        self._engine.dispose()
        close_connections(self._runtime / "cp")
        shutil.rmtree(self._runtime, ignore_errors=True)  # sockets, all closed by now
        if self._lock is not None:
            self._lock.close()

    def _sweep_on(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(_SWEEP)
            self._wake.clear()
            try:
                self._sweep()
            except Exception as error:  # a database that is away comes back; the sweep goes on
                log.exception("sweep_failed", error=repr(error))
                time.sleep(_SWEEP)

    def _sweep(self) -> None:
        self._handles = {job_id: handle for job_id, handle in self._handles.items() if not _has_left(handle)}
        for job_id in self._parts.jobs.to_start(_MAX_WORKFLOWS):
            if self._stopping.is_set() or len(self._handles) >= _MAX_WORKFLOWS:
                return
            if job_id not in self._handles:
                self._start(job_id)

    def _start(self, job_id: int) -> None:
        """Start the job's workflow, or take up the one that recovery has started already."""
        with SetWorkflowID(job_workflow_id(job_id)):
            handle: WorkflowHandle[int] = DBOS.start_workflow(run_job, job_id)
        status = handle.get_status().status
        if status in _ENDED_BADLY:
            log.error("workflow_ended_badly", job_instance_id=job_id, status=status)
            self._parts.jobs.finish_job(job_id, RunStatus.ABNORMAL, self._parts.clock.now_ms())
            return
        self._handles[job_id] = handle


def _wait_for_workflows(seconds: float) -> None:
    until = time.monotonic() + seconds
    while workflows.active() and time.monotonic() < until:
        time.sleep(0.1)


def _has_left(handle: WorkflowHandle[int]) -> bool:
    future = getattr(handle, "future", None)
    if future is not None:
        return bool(future.done())
    return handle.get_status().status not in ("PENDING", "ENQUEUED")


def _take(path: Path) -> IO[str]:
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise AlreadyRunning(
            f"another process works on {path.parent} (it holds {path.name}); stop it, or use --no-worker"
        ) from None
    return file


def close_connections(directory: Path) -> None:
    """End the SSH connections that were kept for later steps."""
    for socket in directory.rglob("*"):
        if socket.is_socket():
            command = ["ssh", "-O", "exit", "-o", f"ControlPath={socket}", "kept"]
            subprocess.run(command, capture_output=True, timeout=10, check=False)
