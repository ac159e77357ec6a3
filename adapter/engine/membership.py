"""A worker among others: its row, its beats, its executor of workflows, and what it does about the dead."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSConfig

from adapter.config import Settings
from adapter.engine import workflows
from adapter.engine.guard import Guard
from adapter.engine.lease import FENCE, Lease, Watch
from adapter.engine.locks import Locks
from adapter.ports import Clock
from adapter.store.database import open_database
from adapter.store.workers import WorkerRow, WorkerStore

log = structlog.get_logger(__name__)

#: Later attempts at callbacks under way at once.
_MAX_CALLBACKS = 16


class Membership:
    """This process as a worker. It may be several in its life, one after the other: see begin_again()."""

    def __init__(self, settings: Settings, lease: Lease, clock: Clock, max_threads: int) -> None:
        self._settings = settings
        self._lease = lease
        self._clock = clock
        self._max_threads = max_threads + _MAX_CALLBACKS
        self._locks = Locks(settings)
        self._guard = Guard(settings.data_dir / "artifacts", FENCE) if lease.is_shared else None
        self._watch = Watch()
        self._row: WorkerRow | None = None

    @property
    def worker_id(self) -> str | None:
        """Its id while it may act, else None."""
        row = self._row
        return None if row is None or self._lease.is_over() else row.id

    def open(self) -> sa.Engine:
        """Take the locks and open the database; answers it. Raises AlreadyRunning."""
        self._locks.take()
        # Connections of its own: a beat waits for no step that uses up the others.
        self._engine = open_database(self._settings.database)
        self._workflow_engine = open_database(self._settings.workflow_database)
        self._workers = WorkerStore(self._engine)
        return self._engine

    def close(self) -> None:
        """Give everything back that open() took."""
        if self._guard is not None:
            self._guard.stop()
        self._workflow_engine.dispose()
        self._engine.dispose()
        self._locks.give_back()

    def begin(self) -> None:
        """Be a new worker, and take up what an earlier one of this data directory left."""
        began = self._lease.now()
        row = self._workers.register(
            platform.node(), os.getpid(), self._settings.max_running_jobs, self._clock.now_ms()
        )
        DBOS(config=self._config(row.executor))
        try:
            DBOS.launch()
            DBOS.register_queue(workflows.CALLBACK_QUEUE, worker_concurrency=_MAX_CALLBACKS)
        except BaseException:
            DBOS.destroy(workflow_completion_timeout_sec=0)
            raise
        self._lease.begin(began)
        self._row = row
        earlier = self._locks.earlier_worker(row.id)
        for other in self._workers.not_ended():
            if other.id != row.id and (other.id == earlier or not self._lease.is_shared):
                self._take_over(other, row)
        log.info("worker_began", worker=row.id)

    def end(self) -> None:
        """Be that worker no longer: what it still has is anybody's."""
        row, self._row = self._row, None
        if row is None:
            return
        DBOS.destroy(workflow_completion_timeout_sec=0)
        try:
            self._workers.leave(row.id)
        except sa.exc.SQLAlchemyError as error:  # others, or the next start, will find it dead
            log.warning("could_not_leave", worker=row.id, error=repr(error))

    def drain(self) -> None:
        """Take no more jobs; go on beating."""
        row = self._row
        if row is None:
            return
        try:
            self._workers.drain(row.id)
        except sa.exc.SQLAlchemyError as error:  # it only helps the others to share
            log.warning("could_not_say_that_it_drains", worker=row.id, error=repr(error))

    def live(self, begin_again: Callable[[], None], found_work: Callable[[], None]) -> None:
        """One beat, and a look at the others. To be called every BEAT seconds; raises what the database does.

        `begin_again` is called if others may have taken this worker for dead, `found_work` after a takeover.
        """
        row = self._row
        if row is None or self._lease.is_over():
            begin_again()
        elif not self.beat():
            log.warning("taken_for_dead", worker=row.id)
            self._lease.end()
        elif self._lease.is_shared:
            for dead in self._watch.dead(self._workers.not_ended(), row.id, self._lease.now()):
                self._take_over(dead, row)
                found_work()

    def beat(self) -> bool:
        """Say that it lives; False if others took it for dead."""
        row = self._row
        began = self._lease.now()
        if row is None or not self._workers.beat(row.id):
            return False
        self._lease.renew(began)
        if self._guard is not None:
            self._guard.beat()
        return True

    def _take_over(self, dead: WorkerRow, row: WorkerRow) -> None:
        """Its callbacks go back to the queue; its jobs are anybody's."""
        DBOS._recover_pending_workflows([dead.executor])
        jobs = self._workers.take_over(dead, row.id)
        if jobs is not None:
            log.info("took_over", worker=dead.id, host_name=dead.host_name, state=dead.state, jobs=jobs)

    def _config(self, executor: str) -> DBOSConfig:
        return {
            "name": "ansible-job-adapter",
            "system_database_url": self._settings.workflow_database,
            "system_database_engine": self._workflow_engine,
            "application_version": "1",
            "executor_id": executor,
            "max_executor_threads": self._max_threads,
            "log_level": "WARNING",
            "console_log_level": "WARNING",
            "enable_otlp": False,
        }
