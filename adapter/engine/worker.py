"""The worker: claims jobs, starts their workflows, and lets go of them in good order.

Two threads: one claims, one beats (engine.membership). A worker that others may have taken for dead lets go of
everything it has and begins again as a new one.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
import structlog
from dbos import DBOS, SetWorkflowID

from adapter.config import Settings
from adapter.engine import workflows
from adapter.engine.cleaning import Cleaning
from adapter.engine.lease import BEAT, Lease
from adapter.engine.membership import Membership
from adapter.engine.retention import Retention
from adapter.engine.runner import wait_for_artifacts
from adapter.engine.runtime import leave
from adapter.engine.warm import WarmAnsible
from adapter.engine.workflows import Parts, run_job, workflow_id
from adapter.store.claims import Claim, ClaimStore, Limits

log = structlog.get_logger(__name__)

#: Seconds between looks for jobs that another process submitted or let go of.
_SWEEP = 0.25
#: The same while there are jobs, but none that may begin now.
_LONG_SWEEP = 1.0
#: Seconds for steps to let go of their ansible-playbook when they are handed over.
_HANDOVER_SECONDS = 15


class Worker:
    """At most one in a data directory. `lease` is what its steps ask whether they may go on."""

    def __init__(
        self,
        settings: Settings,
        parts: Parts,
        lease: Lease,
        runtime: Path,
        warm: WarmAnsible | None = None,
        cleaning: Cleaning | None = None,
        retention: Retention | None = None,
    ) -> None:
        self._retention = retention
        self._cleaning = cleaning
        self._parts = parts
        self._lease = lease
        self._runtime = runtime
        self._warm = warm
        self._limits = Limits(
            per_worker=settings.max_running_jobs,
            total=settings.max_running_jobs_total,
            per_scope=settings.max_running_jobs_per_scope,
        )
        threads = self._limits.in_hand + 16
        self._membership = Membership(settings, lease, parts.clock, threads)
        self._in_hand: set[Claim] = set()
        self._to_release: set[Claim] = set()
        self._is_in_doubt = False  #: a claim failed, which may have been after it was committed
        self._pause = _SWEEP
        self._claiming = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._quiet = threading.Event()
        self._claimer = threading.Thread(target=self._claim_on, name="worker-claims", daemon=True)
        self._beater = threading.Thread(target=self._beat_on, name="worker-beats", daemon=True)
        self._cleaner = threading.Thread(target=self._clean_on, name="worker-cleaning", daemon=True)
        self._pruner = threading.Thread(target=self._prune_on, name="worker-pruning", daemon=True)

    # --- what others call ------------------------------------------------------------------------------

    def start(self) -> None:
        """Take up what an earlier process of this data directory left, and begin. Raises AlreadyRunning."""
        self._claims = ClaimStore(self._membership.open())
        workflows.bind(self._parts, self)
        self._membership.begin()
        self._membership.beat()
        self._beater.start()
        self._claimer.start()
        self._cleaner.start()
        self._pruner.start()

    def wake(self) -> None:
        """There may be a new job: look now."""
        self._wake.set()

    def hand_over(self) -> None:
        """Leave what runs to another worker or the next start; stop() need not wait for it any longer."""
        self._lease.end()

    def stop(self, drain_seconds: float) -> None:
        """Start nothing more; wait for what runs, then hand the rest over; let connections go."""
        self._stopping.set()
        self._wake.set()
        self._claimer.join()
        self._membership.drain()
        self._wait_for_workflows(drain_seconds)
        if left := workflows.active():
            log.info("handing_over", workflows=left)
        self._lease.end()
        self._wait_for_workflows(_HANDOVER_SECONDS)
        self._cleaner.join()
        self._pruner.join()
        wait_for_artifacts(_HANDOVER_SECONDS)
        self._quiet.set()
        self._beater.join()
        self._membership.end()
        if self._warm is not None:
            self._warm.stop()
        self._membership.close()
        close_connections(self._runtime / "cp")
        leave(self._runtime)  # its sockets are all closed by now

    # --- what its workflows call (workflows.Owner) -----------------------------------------------------------

    def has(self, claim: Claim) -> bool:
        """True if the claim is this worker's, and in hand."""
        return claim in self._in_hand

    def must_let_go(self) -> bool:
        """True once it may act no more."""
        return self._lease.is_over()

    def let_go(self, claim: Claim, *, closed: bool) -> None:
        """Its workflow has ended: there is room for another job, or the job is for another worker."""
        self._in_hand.discard(claim)
        if not closed:
            self._to_release.add(claim)
        self._wake.set()

    # --- cleaning --------------------------------------------------------------------------------------

    def _clean_on(self) -> None:
        if self._cleaning is not None:
            self._cleaning.go_on(self._stopping)

    def _prune_on(self) -> None:
        if self._retention is not None:
            self._retention.go_on(self._stopping)

    # --- beats -----------------------------------------------------------------------------------------

    def _beat_on(self) -> None:
        pause = BEAT if self._lease.is_shared else 5 * BEAT
        while not self._quiet.wait(pause):
            _survives("beat_failed", lambda: self._membership.live(self._begin_again, self.wake))

    def _begin_again(self) -> None:
        """Others may have taken what this worker had: let go of all of it, then be a new one."""
        if self._stopping.is_set():
            return
        if left := workflows.active():
            log.info("letting_go", workflows=left)
            return
        with self._claiming:
            self._membership.end()
            self._in_hand.clear()
            self._to_release.clear()
            self._membership.begin()
            self._membership.beat()
        self.wake()

    # --- claims ----------------------------------------------------------------------------------------

    def _claim_on(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(self._pause)
            self._wake.clear()
            self._pause = _LONG_SWEEP
            with self._claiming:
                _survives("sweep_failed", self._sweep)

    def _sweep(self) -> None:
        """Claim what may begin and start it."""
        self._release()
        worker_id = self._membership.worker_id
        if worker_id is None:
            return
        if self._is_in_doubt:
            self._to_release.update(set(self._claims.of(worker_id)) - self._in_hand)
        elif not self._claims.is_any_left():
            self._pause = _SWEEP
            return
        self._is_in_doubt = True
        claims = self._claims.claim(worker_id, self._limits, len(self._in_hand))
        self._in_hand.update(claims)
        self._is_in_doubt = False
        for claim in claims:
            self._start(claim)
        if claims:
            self._pause = _SWEEP

    def _start(self, claim: Claim) -> None:
        try:
            with SetWorkflowID(workflow_id(claim)):
                DBOS.start_workflow(run_job, claim.job_instance_id, claim.number, claim.worker_id)
        except Exception as error:
            log.exception("could_not_start", job_instance_id=claim.job_instance_id, error=repr(error))
            self.let_go(claim, closed=False)

    def _release(self) -> None:
        for claim in list(self._to_release):
            self._claims.release(claim)
            self._to_release.discard(claim)

    def _wait_for_workflows(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while workflows.active() and time.monotonic() < until:
            time.sleep(0.1)
            _survives("could_not_release", self._release)  # what is left is released at the very end


def _survives(name: str, what: Callable[[], None]) -> bool:
    """False if `what` failed, which is logged: a database that is away comes back, and a thread must go on."""
    try:
        what()
    except (sa.exc.SQLAlchemyError, OSError) as error:
        log.warning(name, error=" ".join(str(error).split())[:300])
    except Exception as error:
        log.exception(name, error=repr(error))
    else:
        return True
    return False


def close_connections(directory: Path) -> None:
    """End the SSH connections that were kept for later steps."""
    for socket in directory.rglob("*"):
        if socket.is_socket():
            command = ["ssh", "-O", "exit", "-o", f"ControlPath={socket}", "kept"]
            subprocess.run(command, capture_output=True, timeout=10, check=False)
