"""`adapter serve`: the HTTP service, and the worker unless another process is."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import click
import structlog
import uvicorn

from adapter.bootstrap import Adapter, build
from adapter.cli.stores import CANNOT_OPEN, in_one_line
from adapter.config import Settings, seconds
from adapter.engine.worker import AlreadyRunning

log = structlog.get_logger(__name__)


def _seconds(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[float, ...] | None:
    try:
        return None if text is None else seconds(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("serve", context_settings={"auto_envvar_prefix": "ADAPTER"})
@click.option("--host", help="Address to listen on. [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 picks one. [default: 8000]")
@click.option("--data-dir", type=click.Path(path_type=Path), help="All that must last. [default: .run]")
@click.option("--inventory", type=click.Path(path_type=Path), help="An Ansible inventory. [default: local]")
@click.option("--database-url", help="postgresql://… [default: SQLite in the data directory]")
@click.option(
    "--no-worker", is_flag=True, default=None, help="Serve the API only; another process runs jobs."
)
@click.option("--default-biz", help="Business of hosts in no biz_ group. [default: 2]")
@click.option("--inventory-ttl", type=int, help="Seconds until an inventory is read again. [default: 300]")
@click.option(
    "--forks", type=click.IntRange(1), help="Hosts Ansible talks to at once in a step. [default: 50]"
)
@click.option("--no-warm-ansible", is_flag=True, default=None, help="Start Ansible anew for each run.")
@click.option("--max-running-steps", type=click.IntRange(1), help="Steps run at once. [default: 16]")
@click.option("--max-body-bytes", type=click.IntRange(1), help="Largest request. [default: 64 MiB]")
@click.option("--max-log-bytes", type=click.IntRange(0), help="Output kept of one host. [default: 5 MiB]")
@click.option("--drain-seconds", type=click.IntRange(0), help="What SIGTERM waits for steps. [default: 30]")
@click.option("--callback-timeout", type=click.IntRange(1), help="Seconds for one callback. [default: 10]")
@click.option(
    "--callback-retry-pauses",
    callback=_seconds,
    help="Seconds between attempts at a callback. [default: 5,30,120,600,1800]",
)
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="[default: info]")
def serve(**options: Any) -> None:
    """Serve the API. Every option is also ADAPTER_<NAME> in the environment. SIGTERM drains."""
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
        adapter = build(settings)
    except (*CANNOT_OPEN, OSError) as error:
        raise click.ClickException(f"cannot open {settings.data_dir}: {in_one_line(error)}") from error
    _serve(adapter)


def _serve(adapter: Adapter) -> None:
    settings = adapter.settings
    config = uvicorn.Config(
        adapter.app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=10,
    )
    listener = _bound(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    try:
        adapter.start()
    except AlreadyRunning as error:
        raise click.ClickException(str(error)) from error
    server = uvicorn.Server(config)
    _stop_on_signals(server)
    log.info("serving", url=f"http://{host}:{port}", data_dir=str(settings.data_dir), pid=os.getpid())
    server.run(sockets=[listener])
    log.info("draining", seconds=settings.drain_seconds)
    _hand_over_on_signals(adapter)
    adapter.stop()
    log.info("stopped")
    # Steps that were handed over sit in threads that never return; there is nothing left to wait for.
    sys.stderr.flush()
    os._exit(0)


def _bound(host: str, port: int) -> socket.socket:
    """A socket at that address; before anything runs, so that a second service does no harm."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return listener


def _stop_on_signals(server: uvicorn.Server) -> None:
    """uvicorn raises the signal that ended it once more, to whatever handled it before: that must not kill us."""

    def stop(_number: int, _frame: object) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def _hand_over_on_signals(adapter: Adapter) -> None:
    """A second signal, while the service drains, ends the waiting."""

    def hand_over(_number: int, _frame: object) -> None:
        adapter.hand_over()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, hand_over)


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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
