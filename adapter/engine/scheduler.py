"""The thread that launches crons beside a worker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa
import structlog

from adapter.service.cron_firing import PAUSE

log = structlog.get_logger(__name__)

#: Crons that are launched at once: hosts may come from far away, and one that waits for them delays few others.
LAUNCHERS = 4


def launchers() -> ThreadPoolExecutor:
    """The threads that launch. They begin with the first cron."""
    return ThreadPoolExecutor(LAUNCHERS, thread_name_prefix="cron")


class Scheduler:
    """Calls `look`, which says when it wants to be called again, until stop()."""

    def __init__(self, look: Callable[[], float], executor: ThreadPoolExecutor) -> None:
        self._look = look
        self._executor = executor
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="crons", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Launch nothing more; what is being launched is launched."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._executor.shutdown()

    def _go_on(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            try:
                pause = self._look()
            except (sa.exc.SQLAlchemyError, OSError) as error:  # a database that is away comes back
                log.warning("crons_not_looked_for", error=" ".join(str(error).split())[:300])
                pause = PAUSE
            except Exception as error:
                log.exception("crons_not_looked_for", error=repr(error))
                pause = PAUSE
