"""`adapter serve`: the HTTP service, and the worker unless another process is."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import Any

import click
import structlog
import uvicorn

from adapter.bootstrap import Adapter
from adapter.cli.http_server import server_config
from adapter.cli.processes import built, drained, started, texts, worker_options
from adapter.config import words

log = structlog.get_logger(__name__)


def _paths(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[Path, ...] | None:
    return None if text is None else tuple(map(Path, words(text)))


@click.command("serve", context_settings={"auto_envvar_prefix": "ADAPTER"})
@click.option("--host", help="Address to listen on. [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 picks one. [default: 8000]")
@click.option("--no-worker", is_flag=True, default=None, help="Serve the API only; other processes run jobs.")
@click.option(
    "--max-unfinished-jobs",
    type=click.IntRange(0),
    help="Jobs that may be unfinished; 0: no limit. [default: 100000]",
)
@click.option(
    "--max-unfinished-jobs-per-scope",
    type=click.IntRange(0),
    help="The same of one business. [default: no limit]",
)
@click.option(
    "--max-unfinished-jobs-per-app",
    type=click.IntRange(0),
    help="The same of one application. [default: no limit]",
)
@click.option("--max-body-bytes", type=click.IntRange(1), help="Largest request. [default: 64 MiB]")
@click.option("--max-upload-bytes", type=click.IntRange(1), help="Largest uploaded file. [default: 5 GiB]")
@click.option(
    "--upload-url-seconds", type=click.IntRange(1), help="How long an upload URL is good. [default: 86400]"
)
@click.option("--public-url", help="Of the service, for upload URLs. [default: as each client has asked]")
@click.option("--max-streams", type=click.IntRange(1), help="Event streams open at once. [default: 200]")
@click.option(
    "--language",
    type=click.Choice(["zh-cn", "en"]),
    help="Of replies to who sends no Blueking-Language. [default: zh-cn]",
)
@click.option(
    "--jwt-public-keys",
    callback=_paths,
    help="PEM files of gateways whose X-Bkapi-JWT is believed, with commas. [default: none]",
)
@click.option("--jwt-audience", help="Whom a JWT must name as its audience. [default: none may be named]")
@click.option("--jwt-issuer", help="Whom a JWT must name as its issuer. [default: anybody]")
@click.option(
    "--audit-log-days",
    type=click.IntRange(0),
    help="How long it is remembered who did what; 0 is for ever. [default: 365]",
)
@click.option(
    "--internal-networks",
    callback=texts,
    help="Networks whose X-AppCode and X-Username are believed on /esb/api, without proof. [default: none]",
)
@worker_options
def serve(**options: Any) -> None:
    """Serve the API. Every option is also ADAPTER_<NAME> in the environment. SIGTERM drains."""
    adapter = built(options)
    settings = adapter.settings
    config = server_config(adapter.app)
    listener = _bound(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    started(adapter)
    server = _Server(config, adapter)
    _stop_on_signals(server)
    listener.listen(config.backlog)  # whoever reads the next line may connect at once
    log.info("serving", url=f"http://{host}:{port}", data_dir=str(settings.data_dir), pid=os.getpid())
    server.run(sockets=[listener])
    drained(adapter)


class _Server(uvicorn.Server):
    """uvicorn waits for open responses when it ends; event streams are told to end."""

    def __init__(self, config: uvicorn.Config, adapter: Adapter) -> None:
        super().__init__(config)
        self._streams = adapter.services.streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then everything else."""
        self._streams.close()
        await super().shutdown(sockets)


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
