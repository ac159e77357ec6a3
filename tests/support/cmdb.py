"""A stand-in for BlueKing CMDB: a real HTTP server with its open API as published, for as much as is asked here.

Both forms of URL, its envelope, its limits of a page and of a filter (a request over one is refused, as CMDB does),
credentials, archived businesses, and whatever can go wrong: see Fault.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

APP, SECRET = "adapter", f"secret-of-the-application-{secrets.token_hex(6)}"

#: name for ESB, path at the gateway, most rows of a page.
_APIS = {
    "search_business": (r"/api/v3/biz/search/(?P<bk_supplier_account>[^/]+)", 200),
    "list_business_set": (r"/api/v3/findmany/biz_set", 500),
    "list_business_in_business_set": (r"/api/v3/find/biz_set/biz_list", 500),
    "list_biz_hosts": (r"/api/v3/hosts/app/(?P<bk_biz_id>\d+)/list_hosts", 500),
    "list_hosts_without_biz": (r"/api/v3/hosts/list_hosts_without_app", 500),
    "find_host_biz_relations": (r"/api/v3/hosts/modules/read", 0),
    "find_host_relations_with_topo": (r"/api/v3/findmany/hosts/relation/with_topo", 500),
    "execute_dynamic_group": (r"/api/v3/dynamicgroup/data/(?P<bk_biz_id>\d+)/(?P<id>[^/]+)", 200),
}
_MOST_VALUES = 500

Row = dict[str, Any]


class Refusal(Exception):
    """CMDB's code and message; HTTP 200 as ever."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Place:
    """Where a host is: a business, a set, a module, and what is above the set."""

    biz: int
    set: int
    module: int
    above: tuple[tuple[str, int], ...] = ()

    def is_below(self, kind: str, number: int) -> bool:
        """Whether the node is one of those the host is in."""
        return (kind, number) in (("set", self.set), ("module", self.module), *self.above)


@dataclass
class Cmdb:
    """What CMDB knows, and how it behaves. `asked` has the name and the body of every request."""

    url: str = ""  #: of the gateway's form
    esb_url: str = ""
    businesses: dict[int, str] = field(default_factory=dict)  #: archived ones have the value "disabled"
    sets: dict[int, list[int]] = field(default_factory=dict)  #: members of business sets
    hosts: dict[int, Row] = field(default_factory=dict)
    places: dict[int, list[Place]] = field(default_factory=dict)
    groups: dict[tuple[int, str], Callable[[], list[int]]] = field(default_factory=dict)
    asked: list[tuple[str, Row]] = field(default_factory=list)
    fault: Callable[[str, Row], bytes | None] | None = None  #: an answer of its own, None for the usual one
    status: int = 200
    delay: float = 0
    disconnects: int = 0  #: of the next requests, so many are not answered
    stopping: threading.Event = field(default_factory=threading.Event)

    def add(self, host_id: int, ip: str | None, *places: Place, cloud: int = 0, v6: str = "") -> None:
        """A host; without a place it is in the pool of resources."""
        row = {"bk_host_id": host_id, "bk_cloud_id": cloud, "bk_host_innerip": ip, "bk_host_innerip_v6": v6}
        self.hosts[host_id] = row
        self.places[host_id] = list(places)
        for place in places:
            self.businesses.setdefault(place.biz, "")

    def names(self) -> list[str]:
        """Of the APIs that were asked."""
        return [name for name, _ in self.asked]

    def answer(self, name: str, body: Row) -> Any:
        """`data`."""
        return getattr(self, f"_{name}")(body)

    def _search_business(self, body: Row) -> Row:
        wanted = body.get("condition", {}).get("bk_biz_id")
        kept = [
            {"bk_biz_id": biz, "default": 0}
            for biz, state in self.businesses.items()
            if wanted in (biz, None) and not state
        ]
        return _paged(kept, body, 200)

    def _list_business_set(self, body: Row) -> Row:
        rows = [{"bk_biz_set_id": number} for number in self.sets]
        if "bk_biz_set_filter" in body:
            rows = _filtered(rows, body["bk_biz_set_filter"])
        return _paged(rows, body, 500, counts=False)

    def _list_business_in_business_set(self, body: Row) -> Row:
        members = self.sets[body["bk_biz_set_id"]]
        return _paged([{"bk_biz_id": biz} for biz in members], body, 500, counts=False)

    def _list_biz_hosts(self, body: Row) -> Row:
        biz = int(body["bk_biz_id"])
        if biz not in self.businesses:
            raise Refusal(1199006, "business does not exist")
        return _paged([self.hosts[number] for number in self._in(biz)], body, 500)

    def _in(self, biz: int) -> list[int]:
        return [number for number, places in self.places.items() if any(place.biz == biz for place in places)]

    def _list_hosts_without_biz(self, body: Row) -> Row:
        return _paged(_filtered(list(self.hosts.values()), body["host_property_filter"]), body, 500)

    def _find_host_biz_relations(self, body: Row) -> list[Row]:
        if len(body["bk_host_id"]) > _MOST_VALUES:
            raise Refusal(1199006, "bk_host_id exceeds maximum length")
        return [row for number in body["bk_host_id"] for row in self._relations(number)]

    def _relations(self, number: int) -> list[Row]:
        return [
            {
                "bk_biz_id": place.biz,
                "bk_host_id": number,
                "bk_module_id": place.module,
                "bk_set_id": place.set,
                "bk_supplier_account": "0",
            }
            for place in self.places.get(number, [])
        ]

    def _find_host_relations_with_topo(self, body: Row) -> Row:
        kind = body["bk_obj_id"]
        if kind == "biz" or len(body["bk_inst_ids"]) > 50:
            raise Refusal(1199006, "bk_obj_id or bk_inst_ids is invalid")
        rows = [
            row
            for number, places in self.places.items()
            for place, row in zip(places, self._relations(number), strict=True)
            if any(place.is_below(kind, wanted) for wanted in body["bk_inst_ids"])
        ]
        return _paged([{name: row[name] for name in body["fields"]} for row in rows], body, 500)

    def _execute_dynamic_group(self, body: Row) -> Row:
        found = self.groups.get((int(body["bk_biz_id"]), body["id"]))
        if found is None:
            raise Refusal(1199014, "dynamic group not found")
        inside = self._in(int(body["bk_biz_id"]))
        return _paged([self.hosts[number] for number in found() if number in inside], body, 200)


def _filtered(rows: list[Row], given: Mapping[str, Any]) -> list[Row]:
    assert given["condition"] == "AND"
    for rule in given["rules"]:
        name, operator, value = rule["field"], rule["operator"], rule["value"]
        if operator == "in":
            if len(value) > _MOST_VALUES:
                raise Refusal(1199006, "rules.value exceeds maximum length")
            rows = [row for row in rows if set(_values(row[name])).intersection(value)]
        else:
            assert operator == "equal"
            rows = [row for row in rows if row[name] == value]
    return rows


def _values(value: Any) -> list[Any]:
    return value.split(",") if isinstance(value, str) else [value]


def _paged(rows: list[Row], body: Row, most: int, *, counts: bool = True) -> Row:
    page = body["page"]
    if not counts and page["enable_count"]:
        if page["start"] or page["limit"] or page["sort"]:
            raise Refusal(1199006, "page is invalid with enable_count")
        return {"count": len(rows), "info": []}
    if not 0 < page["limit"] <= most:
        raise Refusal(1199036, f"page.limit exceeds maximum value {most}")
    keys = [key for key in page["sort"].split(",") if key]
    ordered = sorted(rows, key=lambda row: tuple(int(row[key]) for key in keys))
    info = ordered[page["start"] : page["start"] + page["limit"]]
    return {"count": len(rows) if counts else 0, "info": info}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cmdb: Cmdb

    def do_POST(self) -> None:
        cmdb = self.cmdb
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name, parts = self._name()
        body |= parts
        cmdb.asked.append((name, body))
        if cmdb.delay:
            cmdb.stopping.wait(cmdb.delay)
        if cmdb.disconnects:
            cmdb.disconnects -= 1
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        told = cmdb.fault(name, body) if cmdb.fault else None
        self._send(json.dumps(self._envelope(name, body)).encode() if told is None else told)

    def _name(self) -> tuple[str, Row]:
        path = self.path.partition("?")[0]
        if path.startswith("/api/c/compapi/v2/cc/"):
            return path.removeprefix("/api/c/compapi/v2/cc/").strip("/"), {}
        for name, (pattern, _) in _APIS.items():
            if found := re.fullmatch("/gateway" + pattern, path):
                return name, found.groupdict()
        return "", {}

    def _envelope(self, name: str, body: Row) -> Row:
        known = json.loads(self.headers.get("X-Bkapi-Authorization", "{}"))
        if (known.get("bk_app_code"), known.get("bk_app_secret")) != (APP, SECRET) or not known.get(
            "bk_username"
        ):
            return _failed(1640001, "app authentication failed")
        if name not in _APIS:
            return _failed(1640401, "API not found")
        try:
            data = self.cmdb.answer(name, body)
        except Refusal as refusal:
            return _failed(refusal.code, str(refusal))
        return {"result": True, "code": 0, "message": "success", "permission": None, "data": data}

    def _send(self, body: bytes) -> None:
        self.send_response(self.cmdb.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: tests are quiet."""


def _failed(code: int, message: str) -> Row:
    return {"result": False, "code": code, "message": message, "permission": None, "data": None}


class _Server(ThreadingHTTPServer):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._open: set[socket.socket] = set()

    def handle_error(self, *_: object) -> None:
        """A client that has gone is no error."""

    def process_request(self, request: Any, client_address: Any) -> None:
        """Connections are known: clients keep them, and one that goes away drops them."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """It has ended by itself."""
        self._open.discard(request)
        super().shutdown_request(request)

    def drop(self) -> None:
        """End every connection that a client keeps."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def running_cmdb(port: int = 0, cmdb: Cmdb | None = None) -> Iterator[Cmdb]:
    """A CMDB on loopback; it knows nothing yet. `port` and `cmdb`: one that comes back."""
    cmdb = Cmdb() if cmdb is None else cmdb
    cmdb.stopping.clear()
    server = _Server(("127.0.0.1", port), type("Handler", (_Handler,), {"cmdb": cmdb}))
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    cmdb.url, cmdb.esb_url = f"{base}/gateway", f"{base}/api/c/compapi/v2/cc"
    try:
        yield cmdb
    finally:
        cmdb.stopping.set()
        server.shutdown()
        thread.join()
        server.drop()
        server.server_close()


def closed_port() -> int:
    """One where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_until(what: Callable[[], bool], seconds: float = 10) -> None:
    """Until it is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "in vain"
        time.sleep(0.01)
