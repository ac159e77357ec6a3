"""`adapter status | logs | artifacts`: what became of a job, read from the store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from adapter.api.use_cases import Query as QueryPort
from adapter.cli.stores import opened, store_options
from adapter.config import Settings
from adapter.job.model import HostResult, JobInstance, StepInstance
from adapter.service.query import Query
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore

_job = click.option("--job", "job_id", required=True, type=int, help="Job instance id.")


@click.command("status")
@_job
@store_options
def status(*, job_id: int, data_dir: Path | None, database_url: str | None) -> None:
    """States of a job, its steps and hosts."""
    with _query(data_dir, database_url) as query:
        job = query.job(None, job_id)
        click.echo(_job_line(job))
        for step in job.steps:
            click.echo(_step_line(step))
            for result in query.hosts(step):
                click.echo(_host_line(result))


@click.command("logs")
@_job
@store_options
def logs(*, job_id: int, data_dir: Path | None, database_url: str | None) -> None:
    """Every host's log of a job."""
    with _query(data_dir, database_url) as query:
        for step in query.job(None, job_id).steps:
            click.echo(_step_line(step))
            for result in query.hosts(step):
                click.echo(_host_line(result))
                _print_log(step, result, query)


@click.command("artifacts")
@_job
@store_options
def artifacts(*, job_id: int, data_dir: Path | None, database_url: str | None) -> None:
    """Where the ansible-runner private data directories of a job are, and how to run one again."""
    with _query(data_dir, database_url) as query:
        print_artifacts(query.job(None, job_id), Settings.load({"data_dir": data_dir}))


@contextmanager
def _query(data_dir: Path | None, database_url: str | None) -> Iterator[Query]:
    with opened(data_dir, database_url) as stores:
        yield Query(JobStore(stores.engine, stores.box), LogStore(stores.engine))


def print_job(job: JobInstance, query: QueryPort, settings: Settings) -> None:
    """The job, its steps, every host with its log, and where the artifacts are."""
    click.echo(_job_line(job))
    for step in job.steps:
        click.echo(_step_line(step))
        for result in query.hosts(step):
            click.echo(_host_line(result))
            _print_log(step, result, query)
    print_artifacts(job, settings)


def print_artifacts(job: JobInstance, settings: Settings) -> None:
    """One line a step run."""
    directory = settings.data_dir / "artifacts" / str(job.id)
    for path in sorted(directory.glob("*/*")):
        click.echo(f"artifacts: {path}")
        beside = Path(sys.executable).parent  # ansible-runner looks for ansible-playbook on PATH
        click.echo(f"    again: PATH={beside}:$PATH ansible-runner run {path} -p step.yml")


def _job_line(job: JobInstance) -> str:
    return f"job {job.id}  {job.name}  {job.status.name} ({job.status:d})"


def _step_line(step: StepInstance) -> str:
    return f"  step {step.id}  {step.name}  {step.status.name} ({step.status:d})"


def _host_line(result: HostResult) -> str:
    code = "-" if result.exit_code is None else result.exit_code
    return f"    {result.host.label}  {result.status.name} ({result.status:d})  exit code {code}"


def _print_log(step: StepInstance, result: HostResult, query: QueryPort) -> None:
    host_id = result.host.bk_host_id
    if step.file is not None:
        for entry in query.file_logs(step, [host_id]):
            words = f"{entry.src_path} -> {entry.dest_path}  {entry.status_desc} {entry.progress}%"
            click.echo(f"      | {words}  {entry.content}".rstrip())
        return
    for line in query.script_logs(step, [host_id]).get(host_id, "").splitlines():
        click.echo(f"      | {line}")
