"""Launching crons when their time has come (decision 40): on every node that works, and each time once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa
import structlog

from adapter import errors
from adapter.job.actions import Action
from adapter.job.audit_log import AuditEntry
from adapter.job.cron import Cron, Firing, MissedPolicy, firing_of
from adapter.ports import Hosts
from adapter.service import access, schedule
from adapter.service.authentication import Authentication
from adapter.service.launch import Launch
from adapter.store.crons import AlreadySettled, CronStore

log = structlog.get_logger(__name__)

#: Seconds between looks: so late a cron is noticed that was saved on another node, or for a moment from now.
PAUSE = 0.5
#: Crons that are read at once.
_AT_ONCE = 100
#: Seconds until a launch is tried again that what will pass has kept from happening.
_RETRY_AFTER = 5.0
_PASSING = (errors.QuotaExceeded, errors.CmdbUnreachable, errors.CmdbFailed, errors.Internal)


@dataclass(frozen=True)
class _Held:
    """A cron whose launch is to be tried again, and why it was not done."""

    until: float
    why: str


class CronFiring:
    """Looks for crons whose time has come, by the database's clock. One thread calls look()."""

    def __init__(
        self,
        store: CronStore,
        launch: Launch,
        authentication: Authentication,
        hosts: Hosts,
        executor: Executor,
        *,
        late_after_ms: int,
        policy: MissedPolicy,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._launch = launch
        self._authentication = authentication
        self._hosts = hosts
        self._executor = executor
        self._late_after_ms = late_after_ms
        self._policy = policy
        self._steady = steady
        self._held: dict[int, _Held] = {}

    def look(self) -> float:
        """Launch what is due; seconds until the next look. Raises what the database does."""
        if not self._hosts.is_ready():
            return PAUSE
        now, following = self._store.moment()
        if following is None:
            return PAUSE
        if following > now:
            return min(PAUSE, (following - now) / 1000)
        return 0.0 if self._settle_due(now) else PAUSE

    def _settle_due(self, now: int) -> bool:
        """False if there was nothing to do, but for what is tried again later."""
        waiting = [cron_id for cron_id, held in self._held.items() if held.until > self._steady()]
        due = list(self._store.due(now, _AT_ONCE, waiting))
        random.shuffle(due)  # several nodes then seldom begin with the same one
        list(self._executor.map(partial(self._try_to_settle, now_ms=now), due))
        return bool(due)

    def _try_to_settle(self, cron: Cron, now_ms: int) -> None:
        """Whatever one cron meets, the others' turn comes."""
        try:
            self._settle(cron, now_ms)
        except AlreadySettled:
            pass
        except (errors.JobError, sa.exc.SQLAlchemyError, OSError) as error:
            self._hold(cron, " ".join(str(error).split())[:300])
            return
        except Exception as error:
            log.exception("cron_failed", cron=cron.id, error=repr(error))
            self._hold(cron, "Internal Server Error")
            return
        self._held.pop(cron.id, None)

    def _hold(self, cron: Cron, why: str) -> None:
        log.warning("cron_waits", cron=cron.id, name=cron.name, fire_time=cron.next_fire_time, error=why)
        self._held[cron.id] = _Held(self._steady() + _RETRY_AFTER, why)

    def _settle(self, cron: Cron, now_ms: int) -> None:
        if not self._store.is_due(cron):
            return  # another node was faster
        firing = firing_of(
            cron,
            now_ms,
            late_after_ms=self._late_after_ms,
            policy=self._policy,
            fire_after=lambda after_ms: _fire_after(cron, after_ms),
        )
        held = self._held.get(cron.id)
        why = "" if held is None else held.why
        if firing.fire_time is None:
            self._store.settle(firing, why=why)
        else:
            self._launch_at(cron, firing, firing.fire_time, why, now_ms)
        if firing.missed is not None:
            missed = firing.missed
            log.warning(
                "cron_missed", cron=cron.id, name=cron.name, scope=str(cron.scope), first=missed.first,
                last=missed.last, count=missed.count, policy=str(self._policy), error=why,
            )  # fmt: skip

    def _launch_at(self, cron: Cron, firing: Firing, fire_time: int, why: str, now_ms: int) -> None:
        """Raises what will pass; what will not is told as the end of this time, and in the audit log."""
        try:
            caller = self._authentication.acting_for(cron.app_code, cron.last_modify_user)
            access.require(caller, Action.LAUNCH, (cron.scope,), "execute_job_plan")
            launched = self._launch.execute_cron(caller, cron, self._store.launching(firing, why))
        except _PASSING:
            raise
        except errors.JobError as error:
            self._store.settle(firing, refusal=error, why=why, entry=_refused(cron, error, now_ms))
            log.warning(
                "cron_refused", cron=cron.id, name=cron.name, scope=str(cron.scope), fire_time=fire_time,
                code=error.code, error=error.message,
            )  # fmt: skip
        else:
            log.info(
                "cron_launched", cron=cron.id, name=cron.name, scope=str(cron.scope), fire_time=fire_time,
                job_instance_id=launched.job_instance_id,
            )  # fmt: skip


def _refused(cron: Cron, error: errors.JobError, now_ms: int) -> AuditEntry:
    """What the audit log has of it: the launch would have been in it as well."""
    return AuditEntry(
        create_time=now_ms,
        app_code=cron.app_code,
        user=cron.last_modify_user,
        verified_by="cron",
        api="launch",
        action=str(Action.LAUNCH),
        scope=cron.scope.text,
        objects={"cron_id": cron.id},
        end_time=now_ms,
        code=error.code,
    )


def _fire_after(cron: Cron, after_ms: int) -> int | None:
    """A cron's first time after that; one that runs once has no other."""
    if cron.expression is None:
        return None
    return schedule.fire_after(cron.expression, cron.time_zone, after_ms)
