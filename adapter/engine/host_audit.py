"""What stands on the hosts, for an audit: asked through Ansible as the steps' accounts, and nothing is changed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from adapter.audit.finding import Finding, Place, at
from adapter.audit.runs import RunOnHost, of_run
from adapter.engine.errands import Errands
from adapter.engine.preparation import LOOK_PLAYBOOK, AccountGone, Preparation
from adapter.job.model import Host, HostResult
from adapter.store.audit import AuditStore
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore


@dataclass(frozen=True, kw_only=True)
class HostAudit:
    """Compares the runs on hosts with the store."""

    jobs: JobStore
    logs: LogStore
    store: AuditStore
    preparation: Preparation
    errands: Errands

    def findings(self, job_ids: Iterable[int], not_looked_at: Counter[str]) -> Iterator[Finding]:
        """Disagreements on every host that a script of these jobs went to."""
        for account_id, hosts in self._went_to(job_ids).items():
            present, gone = self.preparation.present(list(hosts.values()))
            if gone:
                not_looked_at["hosts that the inventory has no longer"] += len(gone)
            if present:
                yield from self._on_hosts(account_id, present, not_looked_at)

    def _went_to(self, job_ids: Iterable[int]) -> dict[int, dict[int, Host]]:
        """Hosts of script steps by account."""
        found: dict[int, dict[int, Host]] = {}
        for job_id in job_ids:
            job = self.jobs.get(job_id)
            for step in job.steps if job is not None else ():
                if step.script is not None:
                    for result in self.jobs.hosts(step.id, step.execute_count):
                        found.setdefault(step.script.account_id, {})[result.host.bk_host_id] = result.host
        return found

    def _on_hosts(
        self, account_id: int, hosts: Sequence[Host], not_looked_at: Counter[str]
    ) -> Iterator[Finding]:
        try:
            answers = self._look(account_id, hosts)
        except AccountGone:
            not_looked_at["hosts of accounts that were deleted"] += len(hosts)
            return
        for host in hosts:
            runs = answers.get(host.name)
            if runs is None:
                not_looked_at["hosts that did not answer"] += 1
            for run in runs or ():
                yield from self._of_run(host, run)

    def _of_run(self, host: Host, run: RunOnHost) -> Iterator[Finding]:
        # Read after the host was asked: what it says is stored by now or will be.
        result = self.jobs.host(run.step_instance_id, run.execute_count, host.bk_host_id)
        step = self.jobs.step(run.step_instance_id)
        waits = step is not None and not step.status.is_finished  # it counts as collected when its step ends
        is_to_be_cleaned = waits or self.store.has_to_be_cleaned(run.step_instance_id, run.execute_count)
        place = Place.of(None, step, run.execute_count, result or HostResult(host=host))

        def stored_sha256() -> str:
            assert result is not None
            at_step = (run.step_instance_id, run.execute_count, host.bk_host_id)
            return hashlib.sha256(self.logs.read(*at_step, 0, result.log_kept)).hexdigest()

        yield from at(place, of_run(run, result, is_to_be_cleaned, stored_sha256))

    def _look(self, account_id: int, hosts: Sequence[Host]) -> dict[str, list[RunOnHost]]:
        """Runs by inventory name; hosts that did not answer are absent. Raises AccountGone."""
        run_input = self.preparation.look_input(account_id, hosts)
        with self.errands.run(run_input, LOOK_PLAYBOOK) as run:
            answers = (_answer(raw) for batch in run.events(0.5) for raw in batch)
            return dict(answer for answer in answers if answer is not None)


def _answer(raw: dict[str, Any]) -> tuple[str, list[RunOnHost]] | None:
    """The host and its runs, if the event is a host's answer."""
    data = raw.get("event_data") or {}
    if raw.get("event") != "runner_on_ok" or data.get("task") != "look":
        return None
    runs = [
        RunOnHost(
            step_instance_id=item["step_instance_id"],
            execute_count=item["execute_count"],
            state=item["state"],
            exit_code=item["exit_code"],
            printed=item["printed"],
            sha256=item["sha256"],
        )
        for item in data["res"]["runs"]
    ]
    return str(data["host"]), runs
