"""What `adapter serve` and `adapter worker` have in common: options, how they begin and how they end."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import structlog

from adapter.bootstrap import Adapter, build
from adapter.cli.stores import CANNOT_OPEN, in_one_line
from adapter.config import SettingError, Settings, seconds, words
from adapter.engine.locks import AlreadyRunning
from adapter.service.gateway_jwt import GatewayKeyError

log = structlog.get_logger(__name__)

F = TypeVar("F", bound=Callable[..., Any])


def texts(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    """What stands between commas."""
    return None if text is None else words(text)


def _seconds(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[float, ...] | None:
    try:
        return None if text is None else seconds(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


_OPTIONS = (
    click.option("--data-dir", type=click.Path(path_type=Path), help="All that must last. [default: .run]"),
    click.option(
        "--inventory", type=click.Path(path_type=Path), help="An Ansible inventory. [default: local]"
    ),
    click.option("--database-url", help="postgresql://… [default: SQLite in the data directory]"),
    click.option("--default-biz", help="Business of hosts in no biz_ group. [default: 2]"),
    click.option(
        "--inventory-ttl", type=int, help="Seconds until an inventory is read again. [default: 300]"
    ),
    click.option("--cmdb-url", help="Hosts from BlueKing CMDB: its gateway's URL, or ESB's. [default: none]"),
    click.option(
        "--cmdb-app-code",
        help="The application that asks CMDB; its secret is in ADAPTER_CMDB_APP_SECRET or in a file.",
    ),
    click.option("--cmdb-app-secret-file", help="That file. [default: none]"),
    click.option("--cmdb-user", help="In whose name CMDB is asked. [default: admin]"),
    click.option("--cmdb-supplier-account", help="Of CMDB. [default: 0]"),
    click.option(
        "--cmdb-ttl", type=click.IntRange(0), help="Seconds that CMDB's answers count. [default: 30]"
    ),
    click.option(
        "--cmdb-timeout", type=click.IntRange(1), help="Seconds a launch waits for CMDB. [default: 20]"
    ),
    click.option(
        "--forks", type=click.IntRange(1), help="Hosts Ansible talks to at once in a step. [default: 100]"
    ),
    click.option("--no-warm-ansible", is_flag=True, default=None, help="Start Ansible anew for each run."),
    click.option("--max-running-jobs", type=click.IntRange(1), help="Jobs it runs at once. [default: 16]"),
    click.option(
        "--max-running-jobs-total",
        type=click.IntRange(0),
        help="The same over all workers. [default: no limit]",
    ),
    click.option(
        "--max-running-jobs-per-scope",
        type=click.IntRange(0),
        help="Of one business, over all workers. [default: 3/4 of what they may run]",
    ),
    click.option("--max-log-bytes", type=click.IntRange(0), help="Output kept of one host. [default: 5 MiB]"),
    click.option(
        "--clean-delay-seconds",
        type=click.IntRange(0),
        help="Until a script's files are removed from its hosts. [default: 60]",
    ),
    click.option(
        "--file-cache-bytes", type=click.IntRange(0), help="Files kept for later jobs. [default: 20 GiB]"
    ),
    click.option(
        "--upload-dir",
        help="Of uploaded files; one that all nodes share. [default: uploads in the data directory]",
    ),
    click.option(
        "--keep-uploads-days",
        type=click.IntRange(0),
        help="Then uploads that no job was launched with are removed; 0: never. [default: 7]",
    ),
    click.option("--keep-jobs-days", type=click.IntRange(0), help="Then jobs are removed. [default: never]"),
    click.option(
        "--keep-logs-days",
        type=click.IntRange(0),
        help="Then what scripts printed is removed. [default: never]",
    ),
    click.option(
        "--keep-artifacts-days",
        type=click.IntRange(0),
        help="Then this node's artifacts are removed. [default: never]",
    ),
    click.option(
        "--keep-artifacts-bytes",
        type=click.IntRange(0),
        help="Beyond which the oldest artifacts of this node are removed. [default: no limit]",
    ),
    click.option(
        "--drain-seconds", type=click.IntRange(0), help="What SIGTERM waits for jobs. [default: 30]"
    ),
    click.option(
        "--callback-timeout", type=click.IntRange(1), help="Seconds for one callback. [default: 10]"
    ),
    click.option(
        "--callback-allow",
        callback=texts,
        help="Networks and host names callbacks may go to though they are loopback, link-local or metadata, "
        "with commas. [default: none]",
    ),
    click.option(
        "--file-source-allow",
        callback=texts,
        help="Networks and host names file sources may be at though they are loopback, link-local or metadata, "
        "with commas. [default: none]",
    ),
    click.option(
        "--file-source-retry-pauses",
        callback=_seconds,
        help="Seconds between attempts at a download that bring nothing new. [default: 1,2,5,10,20]",
    ),
    click.option(
        "--callback-retry-pauses",
        callback=_seconds,
        help="Seconds between attempts at a callback. [default: 5,30,120,600,1800]",
    ),
    click.option(
        "--cron-missed",
        type=click.Choice(["skip", "run_once"]),
        help="What becomes of times at which nobody could launch a cron. [default: skip]",
    ),
    click.option(
        "--cron-late-seconds",
        type=click.IntRange(0),
        help="So late a cron is still launched; after that its time was missed. [default: 60]",
    ),
    click.option(
        "--cron-time-zone", help="IANA name, of crons that name none. [default: this machine's zone]"
    ),
    click.option(
        "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="[default: info]"
    ),
)


def worker_options(command: F) -> F:
    """Adds every option of a process that runs jobs."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def built(options: dict[str, Any]) -> Adapter:
    """The adapter these options ask for, not yet started; what is wrong with them is one line."""
    try:
        settings = Settings.load(options)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    set_up_logging(settings.log_level)
    if not settings.inventory.exists():
        raise click.ClickException(
            f"there is no inventory at {settings.inventory}; give one with --inventory"
        )
    try:
        return build(settings)
    except SettingError as error:
        raise click.ClickException(str(error)) from error
    except GatewayKeyError as error:
        raise click.ClickException(f"jwt_public_keys: {error}") from error
    except (*CANNOT_OPEN, OSError) as error:
        raise click.ClickException(f"cannot open {settings.data_dir}: {in_one_line(error)}") from error


def started(adapter: Adapter) -> None:
    """Start it; that another process works here is one line."""
    try:
        adapter.start()
    except AlreadyRunning as error:
        raise click.ClickException(str(error)) from error


def drained(adapter: Adapter) -> NoReturn:
    """Let what runs come to its end or hand it over, and end this process. A second signal ends the waiting."""

    def hand_over(_number: int, _frame: object) -> None:
        adapter.hand_over()

    log.info("draining", seconds=adapter.settings.drain_seconds)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, hand_over)
    adapter.stop()
    log.info("stopped")
    # Steps that were handed over may sit in threads that never return; there is nothing left to wait for.
    sys.stderr.flush()
    os._exit(0)


def set_up_logging(level: str) -> None:
    """Logs as one JSON object a line on standard error; libraries' warnings with them."""
    number = getattr(logging, level.upper())
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_Lines,
    )


class _Lines:
    """Standard error as structlog writes to it. A log that nobody takes keeps no job from running.

    A disk that is full, a pipe whose reader is gone: there is no other place to tell it.
    """

    def __init__(self, *_names: object) -> None:
        self._print = structlog.PrintLogger(sys.stderr)

    def msg(self, message: str) -> None:
        """Write a line, if that is possible."""
        with contextlib.suppress(OSError):
            self._print.msg(message)

    log = debug = info = warn = warning = error = critical = exception = fatal = failure = err = msg
