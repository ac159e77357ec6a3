"""`adapter script | push | plan`: run a job from the shell of the machine the service is on.

If the service works on this data directory, it gets the job; if not, this process runs it itself.
"""

from __future__ import annotations

import getpass
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from adapter.bootstrap import Adapter, build
from adapter.cli.processes import set_up_logging
from adapter.cli.reports import print_job
from adapter.cli.stores import CANNOT_OPEN, in_one_line, store_options
from adapter.cli.targets import Known, parse_target, split_source
from adapter.config import SettingError, Settings
from adapter.engine.locks import AlreadyRunning
from adapter.errors import AccountUnknown, JobError
from adapter.hosts.inventory import InventoryHosts
from adapter.hosts.loader import InventoryError
from adapter.job.commands import (
    AccountRef,
    Caller,
    ExecutePlan,
    ExecuteScript,
    Launched,
    ScriptRef,
    SourceSpec,
    TransferFile,
)
from adapter.job.model import Scope
from adapter.job.status import RunStatus, ScriptLanguage

_LANGUAGES = {".py": ScriptLanguage.PYTHON, ".pl": ScriptLanguage.PERL}


def _scope(_context: click.Context, _option: click.Parameter, text: str | None) -> Scope | None:
    if text is None:
        return None
    kind, _, scope_id = text.partition(":")
    if kind not in ("biz", "biz_set") or not scope_id:
        raise click.BadParameter(f"{text!r} is no scope; write biz:ID")
    return Scope(kind, scope_id)


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    inventory = click.option("--inventory", type=click.Path(path_type=Path), help="[default: local]")
    scope = click.option("--scope", callback=_scope, help="biz:ID [default: the target's business]")
    account = click.option("--account", help="Alias of an account. [default: the user you are]")
    return inventory(scope(account(store_options(command))))


@click.command("script")
@click.option("--file", "path", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--target", required=True, help="Hosts: name, bk_host_id, ip, module:ID, group:ID; with commas."
)
@click.option("--param", default="", help="Parameters, as one text.")
@click.option("--timeout", default=7200, type=click.IntRange(1, 259200), help="Seconds.")
@_options
def script(*, path: Path, target: str, param: str, timeout: int, account: str | None, **options: Any) -> None:
    """Run the script in FILE on TARGET, follow it, print every host's log."""
    with _running(**options) as (adapter, scope):
        where = parse_target(target, _known(adapter), scope)
        command = ExecuteScript(
            caller=_caller(),
            scope=where.scope,
            script=ScriptRef(
                content=path.read_text(), language=_LANGUAGES.get(path.suffix, ScriptLanguage.SHELL)
            ),
            account=_account(adapter, where.scope, account),
            target=where.server,
            param=param,
            timeout=timeout,
            task_name=path.name,
        )
        _follow(adapter, adapter.services.launch.execute_script(command))


@click.command("push")
@click.option(
    "--src", required=True, help="HOST:/path, where HOST is as in TARGET; path may end with / (directory)."
)
@click.option("--dest", required=True, help="Directory on the targets.")
@click.option(
    "--target", required=True, help="Hosts: name, bk_host_id, ip, module:ID, group:ID; with commas."
)
@_options
def push(*, src: str, dest: str, target: str, account: str | None, **options: Any) -> None:
    """Copy SRC (HOST:/path, or /path on the host `localhost`) into the directory DEST of TARGET."""
    with _running(**options) as (adapter, scope):
        where = parse_target(target, _known(adapter), scope)
        host, path = split_source(src)
        source = parse_target(host, _known(adapter), where.scope)
        who = _account(adapter, where.scope, account)
        command = TransferFile(
            caller=_caller(),
            scope=where.scope,
            target_path=dest,
            account=who,
            target=where.server,
            sources=(SourceSpec(files=(path,), account=who, server=source.server),),
        )
        _follow(adapter, adapter.services.launch.transfer_file(command))


@click.command("plan")
@click.option("--id", "plan_id", required=True, type=int, help="Job plan id, as get_job_plan_list tells it.")
@_options
def plan(*, plan_id: int, account: str | None, **options: Any) -> None:
    """Run a stored job plan and follow it."""
    if account is not None:
        raise click.BadParameter("a plan's steps name their accounts", param_hint="--account")
    with _running(**options) as (adapter, scope):
        where = scope or adapter.services.catalog.plan(plan_id).scope
        command = ExecutePlan(caller=_caller(), scope=where, plan_id=plan_id)
        _follow(adapter, adapter.services.launch.execute_plan(command))


def _known(adapter: Adapter) -> Known:
    return adapter.hosts.index if isinstance(adapter.hosts, InventoryHosts) else adapter.hosts


def _caller() -> Caller:
    return Caller(app_code="adapter-cli", user=getpass.getuser(), verified_by="cli")


def _account(adapter: Adapter, scope: Scope, alias: str | None) -> AccountRef:
    """The account of that alias; the one of the user you are is made if it is not there."""
    ref = AccountRef(alias=alias or getpass.getuser())
    try:
        adapter.services.catalog.account(scope, ref)
    except AccountUnknown:
        if alias is not None:
            raise
        user = getpass.getuser()
        adapter.services.catalog.create_account(scope, user=user, account=user, category=1, type=1)
        click.echo(f"created account [{user}] in {scope}", err=True)
    return ref


@contextmanager
def _running(
    *, data_dir: Path | None, database_url: str | None, inventory: Path | None, scope: Scope | None
) -> Iterator[tuple[Adapter, Scope | None]]:
    """The service: as a worker of its own, or beside the one that works on this data directory."""
    set_up_logging("error")
    try:
        options = {"data_dir": data_dir, "database_url": database_url, "inventory": inventory}
        # A warm Ansible would be ready when the one run that it could serve has ended.
        settings = replace(Settings.load(options), no_warm_ansible=True)
        try:
            adapter = _started(settings)
        except AlreadyRunning:
            adapter = _started(replace(settings, no_worker=True))
        try:
            yield adapter, scope
        finally:
            adapter.stop()
    except JobError as error:
        raise click.ClickException(f"{error.message} (code {error.code})") from error
    except (InventoryError, SettingError, *CANNOT_OPEN, OSError) as error:
        raise click.ClickException(in_one_line(error)) from error


def _started(settings: Settings) -> Adapter:
    """The service, with the inventory read first: what is wrong with it is said before anything runs."""
    adapter = build(settings)
    try:
        adapter.hosts.reload()
        adapter.start()
    except BaseException:
        adapter.stores.close()
        raise
    return adapter


def _follow(adapter: Adapter, launched: Launched) -> None:
    """Wait for the end, print everything, exit 0 only if it went well. Ctrl-C terminates the job."""
    job_id = launched.job_instance_id
    click.echo(f"job {job_id}: {launched.job_instance_name}", err=True)
    query = adapter.services.query
    try:
        while not (job := query.job(None, job_id)).status.is_finished:
            time.sleep(0.2)
    except KeyboardInterrupt:
        click.echo("terminating the job; Ctrl-C again leaves it running", err=True)
        adapter.services.operate.terminate(_caller(), query.job(None, job_id).scope, job_id)
        while not (job := query.job(None, job_id)).status.is_finished:
            time.sleep(0.2)
    print_job(job, query, adapter.settings)
    if job.status is not RunStatus.SUCCESS:
        sys.exit(1)
