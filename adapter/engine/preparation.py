"""From a stored step to the input of its run: accounts, variables, inventory, plays."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from adapter.ansible import windows
from adapter.ansible.database import NoClient, told
from adapter.ansible.inventory import RunInventory, run_inventory
from adapter.ansible.playbook import (
    TARGETS,
    Play,
    SourceHost,
    clean_plays,
    file_plays,
    look_plays,
    script_plays,
    secret_name,
    source_group,
    stop_plays,
)
from adapter.ansible.run_input import RunInput
from adapter.ansible.runner_events import HostEvent
from adapter.ansible.variables import NAMESPACE_VARIABLE, ScriptVariables
from adapter.config import Settings
from adapter.engine.variables import hosts_before
from adapter.job.model import Account, FileTask, Host, HostResult, ScriptTask, StepInstance
from adapter.job.paths import expand_param, expand_target_path, path_problem
from adapter.job.status import HostStatus
from adapter.job.variables import StepVariables, is_shell
from adapter.ports import Hosts
from adapter.store.accounts import AccountStore
from adapter.store.jobs import JobStore

SCRIPT_DIRECTORY = "files"
SCRIPT_FILE = f"{SCRIPT_DIRECTORY}/script"
VARIABLES_FILE = "files/variables.json"
STEP_PLAYBOOK = "step.yml"
STOP_PLAYBOOK = "stop.yml"
CLEAN_PLAYBOOK = "clean.yml"
LOOK_PLAYBOOK = "look.yml"
#: Stands where a step's id will stand.
UNKNOWN_ID = "STEP_INSTANCE_ID"


class CannotRun(Exception):
    """Why a step cannot be run as it is stored, in words for its hosts' logs."""


class AccountGone(CannotRun):
    """The account of a step was deleted after the job was submitted, or changed so that it cannot be used."""


class PathUnusable(CannotRun):
    """A path is none any more with what a script made of its variables."""


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """Makes run inputs. `installation` keeps two services apart on the same hosts."""

    jobs: JobStore
    accounts: AccountStore
    hosts: Hosts
    settings: Settings
    installation: str
    timezone: tzinfo | None = None  #: of dates in target paths; None is the service's own

    def run_input(
        self, step: StepInstance, targets: Sequence[Host], variables: StepVariables | None = None
    ) -> RunInput:
        """The input of the step's run on `targets`, which present() has looked up. Raises CannotRun.

        `variables` are those of a plan's step, as variables_of() has them, and the step is as they resolve it.
        """
        key = self._key(step.id, step.execute_count)
        if step.script is not None:
            param = self.jobs.script_param(step.id)
            last = () if variables is None else hosts_before(self.jobs, step)
            return self._script(step, replace(step.script, param=param), targets, key, variables, last)
        assert step.file is not None
        if variables is not None:
            _require_paths(step.file)
        return self._file(step, step.file, targets, key)

    def planned_input(
        self, step: StepInstance, targets: Sequence[Host], variables: StepVariables | None = None
    ) -> RunInput:
        """The same of a step that is not stored: its parameter is in clear, its key says that there is no id.

        Its variables are as the job would be launched with them: what scripts leave of them is not known.
        """
        if variables is not None:
            step = variables.resolved(step)
        key = f"{self.installation}.{UNKNOWN_ID}.{step.execute_count}"
        if step.script is not None:
            return self._script(step, step.script, targets, key, variables)
        assert step.file is not None
        return self._file(step, step.file, targets, key)

    def clean_input(
        self, account_id: int, runs: Sequence[tuple[int, int]], targets: Sequence[Host]
    ) -> RunInput:
        """The input of the run that removes runs (step instance, execute count) from hosts. Raises AccountGone."""
        account = self._account(account_id)
        inventory = self._of_targets(account, targets)
        plays = clean_plays(account, inventory, [self._key(*run) for run in runs])
        return self._of_account(account, inventory, {CLEAN_PLAYBOOK: plays}, targets)

    def look_input(self, account_id: int, targets: Sequence[Host]) -> RunInput:
        """The input of the run that tells how runs stand on hosts. Raises AccountGone."""
        account = self._account(account_id)
        inventory = self._of_targets(account, targets)
        plays = look_plays(account, inventory, self.installation)
        return self._of_account(account, inventory, {LOOK_PLAYBOOK: plays}, targets)

    def _of_account(
        self, account: Account, inventory: RunInventory, plays: dict[str, list[Play]], targets: Sequence[Host]
    ) -> RunInput:
        return RunInput.of(inventory, plays, forks=self._forks(targets), secrets=self._credential(account))

    def _key(self, step_instance_id: int, execute_count: int) -> str:
        return f"{self.installation}.{step_instance_id}.{execute_count}"

    def _script(
        self,
        step: StepInstance,
        task: ScriptTask,
        targets: Sequence[Host],
        key: str,
        variables: StepVariables | None,
        last: Sequence[HostResult] = (),
    ) -> RunInput:
        account = self._account(task.account_id)
        secrets = self._credential(account)
        at = datetime.fromtimestamp((step.create_time or 0) / 1000, self.timezone)
        param = expand_param(task.param, at)
        if variables is not None:
            param = variables.text(param)
        if task.db_account_id is not None:
            param = self._database(task.db_account_id)
            task = replace(task, param_sensitive=True)
        if task.param_sensitive:
            secrets["param"] = param
        else:
            task = replace(task, param=param)
        passwords = self.jobs.host_passwords(step.id)
        secrets |= {windows.host_password_name(host_id): text for host_id, text in passwords.items()}
        inventory = self._of_targets(account, targets, frozenset(passwords))
        max_log = self.settings.max_log_bytes
        files, on_windows = {SCRIPT_FILE: task.content.encode()}, None
        if inventory.windows and windows.can_run(task.language):
            on_windows = windows.arguments(task, SCRIPT_DIRECTORY)
            files[on_windows["windows_script"]] = windows.script_bytes(task)
        variables_file = None
        if variables is not None and is_shell(step):
            given = ScriptVariables.of(variables, task.content, last)
            variables_file, files[VARIABLES_FILE] = VARIABLES_FILE, given.text.encode()
            secrets |= given.secrets
            for host in targets:
                if own := variables.hosts.get(host.bk_host_id):
                    inventory.give(host.name, NAMESPACE_VARIABLE, own)
        plays = {
            STEP_PLAYBOOK: script_plays(
                task, account, inventory, key, SCRIPT_FILE, max_log, on_windows, variables_file
            ),
            STOP_PLAYBOOK: stop_plays(task, account, inventory, key),
        }
        return RunInput.of(
            inventory,
            plays,
            forks=self._forks(targets),
            files=files,
            secrets=secrets,
        )

    def _file(self, step: StepInstance, task: FileTask, targets: Sequence[Host], key: str) -> RunInput:
        account = self._account(task.account_id)
        source_accounts = [self._account(source.account_id) for source in task.sources]
        secrets: dict[str, str] = {}
        for each in (account, *source_accounts):
            secrets.update(self._credential(each))
        groups: dict[str, Sequence[Host]] = {TARGETS: targets}
        for number, source in enumerate(task.sources):
            if source.is_on_hosts:
                groups[source_group(number)] = self.present(source.hosts)[0]
        sources = [
            SourceHost(source=number, host=host, directory=self._directory(step, task, host))
            for number, source in enumerate(task.sources)
            for host in source.hosts
        ]
        inventory = self._inventory(groups)
        plays = file_plays(task, account, source_accounts, sources, inventory, key)
        everyone = [host for members in groups.values() for host in members]
        forks = self._forks(everyone)
        return RunInput.of(inventory, {STEP_PLAYBOOK: plays}, forks=forks, secrets=secrets)

    def _directory(self, step: StepInstance, task: FileTask, source: Host) -> str:
        at_ms = step.create_time or 0
        return expand_target_path(task.target_path, source, at_ms, self.timezone)

    def present(self, hosts: Sequence[Host]) -> tuple[list[Host], list[Host]]:
        """Hosts that there still are, under the name that Ansible now knows them by, and the others."""
        there = self.hosts.present(host for host in hosts if not host.is_invalid)
        present = [there[host.bk_host_id] for host in hosts if _is_in(there, host)]
        return present, [host for host in hosts if not _is_in(there, host)]

    def absence(self, host: Host) -> HostEvent:
        """The end of a host that is not present."""
        if host.is_invalid:
            reason = "it was unknown, or not in the job's business, when the cron launched the job"
            return HostEvent(name=host.name, status=HostStatus.INVALID_HOST, message=reason)
        status, reason = self.hosts.absence(host)
        return HostEvent(name=host.name, status=status, message=reason)

    def _inventory(self, groups: dict[str, Sequence[Host]]) -> RunInventory:
        everyone = {host.name: host for members in groups.values() for host in members}
        return run_inventory(groups, self.hosts.variables(everyone.values()), getpass.getuser())

    def _of_targets(
        self, account: Account, targets: Sequence[Host], host_passwords: frozenset[int] = frozenset()
    ) -> RunInventory:
        """The inventory of a run of one account."""
        return windows.with_logins(self._inventory({TARGETS: targets}), account, host_passwords)

    def _forks(self, hosts: Sequence[Host]) -> int:
        return max(1, min(self.settings.forks, len(hosts)))

    def _account(self, account_id: int) -> Account:
        account = self.accounts.get(account_id)
        if account is None:
            raise AccountGone(f"account ID={account_id} was deleted after the job was submitted")
        return account

    def _database(self, account_id: int) -> str:
        """What the client of a database is told, its password too."""
        account = self._account(account_id)
        try:
            return told(account, self.accounts.credential(account_id).password or "")
        except NoClient as error:
            raise AccountGone(str(error)) from error

    def _credential(self, account: Account) -> dict[str, str]:
        if not (account.has_private_key or account.has_password):
            return {}
        credential = self.accounts.credential(account.id)
        found = {"private_key": credential.private_key, "password": credential.password}
        return {secret_name(account, kind): value for kind, value in found.items() if value is not None}


def _is_in(there: Mapping[int, Host], host: Host) -> bool:
    return not host.is_invalid and host.bk_host_id in there


def _require_paths(task: FileTask) -> None:
    on_hosts = (source for source in task.sources if source.is_on_hosts)
    for path in (task.target_path, *(path for source in on_hosts for path in source.files)):
        if problem := path_problem(path):
            raise PathUnusable(problem)
