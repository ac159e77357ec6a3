"""Servers that files are downloaded from: a real S3 one (moto), a real HTTP one (Apache), and a scripted stand-in.

The stand-in is BlueKing's artifactory, as its documentation has downloads of generic files (HTTP basic, Range, the
sums of the whole file in X-Checksum-Sha256 and X-Checksum-Md5, ETag the SHA-256). It also does whatever else a test
wants of it.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

APACHE = shutil.which("apache2") or "/usr/sbin/apache2"
_MODULES = Path("/usr/lib/apache2/modules")
_PIECE = 16 * 1024


@dataclass
class Behaviour:
    """What the stand-in does with one request, instead of answering it well."""

    status: int = 0  #: answers this and no file
    location: str = ""  #: of a redirect
    cut_after: int = -1  #: bytes of the body, then the connection is gone
    stall_after: int = -1  #: bytes of the body, then nothing more comes until it `breaks_off`
    pause: float = 0  #: seconds between pieces
    sha256: str = ""  #: said instead of the real one
    changed: bytes | None = None  #: the file from now on
    without: tuple[str, ...] = ()  #: headers that are not sent
    ignores_if_range: bool = False
    headers: dict[str, str] = field(default_factory=dict)


class StandIn:
    """`files` by path. Each request takes the next of `behaves`; when there is none, it is answered well."""

    def __init__(self, user: str = "", password: str = "") -> None:
        self.files: dict[str, bytes] = {}
        self.behaves: list[Behaviour] = []
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.sent = 0  #: bytes of bodies
        self.closing = threading.Event()
        self.breaks_off = threading.Event()  #: to be set: what stalls ends
        both = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.authorization = f"Basic {both}" if user else ""
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

            def do_GET(self) -> None:
                with contextlib.suppress(OSError):
                    stand_in.answer(self)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def ranges(self) -> list[str]:
        """What was asked for of files, request by request: "" is all of it."""
        return [headers.get("Range", "") for _, headers in self.asked]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """One request."""
        handler.close_connection = True
        path, headers = handler.path, dict(handler.headers.items())
        self.asked.append((path, headers))
        does = self.behaves.pop(0) if self.behaves else Behaviour()
        if does.changed is not None:
            self.files[path] = does.changed
        if does.status:
            more = {"Location": does.location} if does.location else {}
            _head(handler, does.status, {"Content-Length": "0", **more, **does.headers})
        elif self.authorization and headers.get("Authorization") != self.authorization:
            _head(handler, 401, {"Content-Length": "0", "WWW-Authenticate": "Basic"})
        elif path not in self.files:
            _head(handler, 404, {"Content-Length": "0"})
        else:
            self._file(handler, self.files[path], headers, does)

    def _file(
        self, handler: BaseHTTPRequestHandler, content: bytes, asked: dict[str, str], does: Behaviour
    ) -> None:
        sha256 = hashlib.sha256(content).hexdigest()
        etag = f'"{sha256}"'
        if asked.get("If-None-Match") == etag:
            _head(handler, 304, {"ETag": etag})
            return
        first = 0
        if "Range" in asked and (does.ignores_if_range or asked.get("If-Range", etag) == etag):
            first = int(asked["Range"].removeprefix("bytes=").removesuffix("-"))
        if first >= len(content) > 0:
            _head(handler, 416, {"Content-Length": "0"})
            return
        headers = {
            "ETag": etag,
            "Content-Length": str(len(content) - first),
            "X-Checksum-Sha256": does.sha256 or sha256,
            "X-Checksum-Md5": hashlib.md5(content).hexdigest(),
            **does.headers,
        }
        if first:
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        kept = {name: text for name, text in headers.items() if name not in does.without}
        _head(handler, 206 if first else 200, kept)
        self._body(handler, content[first:], does)

    def _body(self, handler: BaseHTTPRequestHandler, body: bytes, does: Behaviour) -> None:
        for start in range(0, len(body), _PIECE):
            piece = body[start : start + _PIECE]
            for limit in (does.cut_after, does.stall_after):
                if 0 <= limit < start + len(piece):
                    piece = piece[: max(0, limit - start)]
            handler.wfile.write(piece)
            self.sent += len(piece)
            if 0 <= does.cut_after <= start + len(piece):
                handler.connection.shutdown(socket.SHUT_RDWR)
                return
            if 0 <= does.stall_after <= start + len(piece):
                while not (self.closing.wait(0.05) or self.breaks_off.is_set()):
                    pass
                return
            if does.pause and self.closing.wait(does.pause):
                return


def _head(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
    handler.send_response(status)
    for name, text in headers.items():
        handler.send_header(name, text)
    handler.send_header("Connection", "close")
    handler.end_headers()


@contextlib.contextmanager
def stand_in(user: str = "", password: str = "") -> Iterator[StandIn]:
    """One that ends with the block."""
    server = StandIn(user, password)
    try:
        yield server
    finally:
        server.close()


def free_port() -> int:
    """One that nobody has at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def has_apache() -> bool:
    """True if it is installed."""
    return Path(APACHE).exists() and _MODULES.is_dir()


@contextlib.contextmanager
def apache(place: Path, user: str, password: str) -> Iterator[tuple[str, Path]]:
    """A real HTTP server with HTTP basic and ranges: its URL, and the directory that it serves."""
    port, root = free_port(), place / "htdocs"
    root.mkdir(parents=True)
    digest = base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()
    (place / "passwords").write_text(f"{user}:{{SHA}}{digest}\n")
    modules = ("mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "dir")
    load = "".join(f"LoadModule {name}_module {_MODULES}/mod_{name}.so\n" for name in modules)
    conf = place / "apache.conf"
    conf.write_text(
        f"""{load}{"User www-data" if os.getuid() == 0 else ""}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {place}/pid
ErrorLog {place}/error.log
DocumentRoot {root}
FileETag MTime Size
<Directory {root}>
    AuthType Basic
    AuthName files
    AuthUserFile {place}/passwords
    Require valid-user
</Directory>
"""
    )
    temporary = Path(tempfile.gettempdir())
    for directory in (place, *place.parents):
        if temporary in directory.parents:
            directory.chmod(
                directory.stat().st_mode | 0o011
            )  # its workers are another user, who must get through
    with _started([APACHE, "-f", str(conf), "-DFOREGROUND"], port):
        yield f"http://127.0.0.1:{port}", root


@contextlib.contextmanager
def moto() -> Iterator[tuple[str, Any, str, str]]:
    """A real S3-compatible server that verifies signatures: its URL, a client of AWS's, and a key that may read."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with _started([sys.executable, "-m", "moto.server", "-p", str(port)], port):
        yield _keys(url)


def _keys(url: str) -> tuple[str, Any, str, str]:
    """Whoever asks may do everything until there is a user with a key; from then on signatures are verified."""
    import boto3

    def client(service: str, access: str = "test", secret: str = "test") -> Any:
        return boto3.client(
            service,
            endpoint_url=url,
            region_name="us-east-1",
            aws_access_key_id=access,
            aws_secret_access_key=secret,
        )

    iam = client("iam")
    iam.create_user(UserName="reader")
    allow = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
    iam.put_user_policy(UserName="reader", PolicyName="all", PolicyDocument=allow)
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    plain = {"Content-Type": "text/plain"}
    count = urllib.request.Request(f"{url}/moto-api/reset-auth", data=b"0", headers=plain, method="POST")
    with urllib.request.urlopen(count) as answer:
        assert answer.status == 200
    access, secret = key["AccessKeyId"], key["SecretAccessKey"]
    return url, client("s3", access, secret), access, secret


@contextlib.contextmanager
def _started(argv: list[str], port: int) -> Iterator[None]:
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 30
            while not _answers(port):
                assert process.poll() is None, f"{argv[0]} has ended with {process.returncode}"
                assert time.monotonic() < until, f"{argv[0]} does not answer"
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
