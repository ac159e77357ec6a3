"""BlueKing CMDB as it is on bad days: what a launch is told then, and that it never gets wrong hosts."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapter.errors import (
    CmdbFailed,
    CmdbGroupFailed,
    CmdbUnreachable,
    HostsNotInScope,
    HostsUnknown,
    InvalidParameter,
    NotSupported,
)
from adapter.hosts import cmdb as module
from adapter.hosts import connections
from adapter.hosts.cmdb import CmdbHosts
from adapter.hosts.cmdb_client import CmdbClient, Credentials
from adapter.hosts.inventory import InventoryHosts
from adapter.hosts.loader import Reading
from adapter.job.model import Host, IpRef, Scope, Server, TopoNode
from adapter.job.status import HostStatus
from adapter.messages import Language
from tests.support.cmdb import APP, SECRET, Cmdb, Place, closed_port, running_cmdb

from .builders import listing

BIZ_2, BIZ_3 = Scope("biz", "2"), Scope("biz", "3")
SET_11 = Server(topo_nodes=(TopoNode(id=11, node_type="set"),))
BUSINESS = Server(topo_nodes=(TopoNode(id=2, node_type="biz"),))
WEB = Server(dynamic_groups=("web",))
HOST_1 = Host(bk_host_id=1, bk_cloud_id=0, ip="10.0.0.1", name="cmdb-1")

Make = Callable[..., CmdbHosts]


@pytest.fixture
def cmdb() -> Iterator[Cmdb]:
    """Two hosts in business 2, one in 3, one in the pool."""
    with running_cmdb() as running:
        running.add(1, "10.0.0.1", Place(2, 11, 21))
        running.add(2, "10.0.0.2", Place(2, 11, 21), Place(2, 11, 22))
        running.add(3, "10.0.0.3", Place(3, 13, 31))
        running.add(4, "10.0.0.4")
        running.groups[2, "web"] = lambda: [1, 2]
        yield running


def inventory_of(
    hosts: dict[str, dict[str, Any]], groups: dict[str, list[str]] | None = None
) -> InventoryHosts:
    """An inventory with these hosts, read."""
    inventory = InventoryHosts(
        Path("/inventory"),
        ids_for=connections.no_ids,
        read=lambda path, *, cancelled: Reading(data=listing(hosts, groups)),
    )
    inventory.reload()
    return inventory


@pytest.fixture
def make(cmdb: Cmdb) -> Iterator[Make]:
    """Hosts from it; nothing is kept unless a test says so."""
    clients = []

    def made(
        url: str = "", ttl: float = 0, timeout: float = 5, secret: str = SECRET, **hosts: dict[str, Any]
    ) -> CmdbHosts:
        client = CmdbClient(url or cmdb.url, Credentials(app_code=APP, app_secret=secret, user="admin"))
        clients.append(client)
        return CmdbHosts(client, inventory_of(hosts), ttl=ttl, timeout=timeout)

    yield made
    for client in clients:
        client.close()


def ids(hosts: CmdbHosts, server: Server, scope: Scope = BIZ_2) -> list[int]:
    """The ids of the hosts found."""
    return [host.bk_host_id for host in hosts.resolve(scope, server)]


def test_cmdb_is_not_there(make: Make) -> None:
    """1211001, at once, in both languages; also for a name that nobody knows."""
    for url in (f"http://127.0.0.1:{closed_port()}", "http://nobody.invalid"):
        began = time.monotonic()
        with pytest.raises(CmdbUnreachable) as caught:
            make(url).resolve(BIZ_2, BUSINESS)
        assert caught.value.code == 1211001
        assert (
            "CMDB does not answer; try again later, or ask who runs it: API search_business"
            in caught.value.message
        )
        assert "CMDB服务状态不可达" in caught.value.message_in(Language.ZH)
        assert time.monotonic() - began < 4


def test_cmdb_hangs(cmdb: Cmdb, make: Make) -> None:
    """All that a launch needs of it has one time; a slow answer to each of many requests does not add up."""
    cmdb.delay = 0.4
    began = time.monotonic()
    with pytest.raises(CmdbUnreachable, match=r"timed out|no answer within 0\.6 s"):
        make(timeout=0.6).resolve(BIZ_2, SET_11)
    assert time.monotonic() - began < 1.5
    assert len(cmdb.asked) == 2


def test_an_answer_that_drips(make: Make) -> None:
    """A byte now and then keeps no time-out away."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
                while not stop.wait(0.05):
                    try:
                        connection.sendall(b" ")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        with pytest.raises(CmdbUnreachable, match=r"no answer within 0\.5 s"):
            make(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.5).has_scope(BIZ_2)
        assert time.monotonic() - began < 1.5
        stop.set()
        thread.join()


def test_a_cmdb_that_hangs_keeps_few_threads(cmdb: Cmdb, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever finds 16 requests waiting waits 2 s (here 0.1) for a place, and is told so."""
    monkeypatch.setattr("adapter.hosts.cmdb_client._WAIT_FOR_A_PLACE", 0.1)
    cmdb.delay = 30
    hosts = make(timeout=1.5)
    told: list[str] = []

    def ask() -> None:
        try:
            hosts.has_scope(BIZ_2)
        except CmdbUnreachable as error:
            told.append(error.message)

    threads = [threading.Thread(target=ask) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 24
    assert sum("16 requests wait for its answers already" in message for message in told) == 8


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (500, None, "HTTP 500"),
        (502, b"<html>bad gateway</html>", "HTTP 502"),
        (429, b"{}", "HTTP 429"),
        (200, b"<html>login</html>", "HTTP 200, and no JSON as CMDB writes it"),
        (302, b"", "HTTP 302, and no JSON"),
        (200, b"[]", "no JSON as CMDB writes it"),
        (200, b"[" * 100_000, "no JSON as CMDB writes it"),
        (200, b'{"code": "0", "result": true}', "no JSON as CMDB writes it"),
        (200, b'{"code": 0, "result": true, "data": null}', "data has no count, or no rows"),
        (
            200,
            b'{"code": 0, "result": true, "data": {"count": 1, "info": [7]}}',
            "data has no count, or no rows",
        ),
        (200, b'{"code": 0, "result": true, "data": {"count": 1, "info": [{}]}}', "a row has no bk_biz_id"),
        (
            200,
            b'{"code": 0, "result": true, "data": {"count": 1, "info": [{"bk_biz_id": true}]}}',
            "a row has no",
        ),
        (
            200,
            b'{"code": 0, "result": true, "data": {"count": 9999999, "info": []}}',
            "9999999 rows are too many",
        ),
        (200, b'{"code": 1199000, "result": false, "message": "panic"}', "search_business: [1199000] panic"),
        (200, b'{"code": 9900403, "result": false, "message": "no permission"}', "[9900403] no permission"),
        (
            403,
            b'{"code": 1640301, "result": false, "message": "App has no permission"}',
            "[1640301] App has no",
        ),
    ],
)
def test_what_is_no_answer(cmdb: Cmdb, make: Make, status: int, body: bytes | None, said: str) -> None:
    """1211002 with what came; nothing of it is kept, so that the next launch finds CMDB well again."""
    hosts = make(ttl=60)
    cmdb.status = status
    cmdb.fault = None if body is None else lambda _name, _body: body
    with pytest.raises(CmdbFailed) as caught:
        hosts.resolve(BIZ_2, BUSINESS)
    assert caught.value.code == 1211002
    assert said in caught.value.message
    cmdb.status, cmdb.fault = 200, None
    assert ids(hosts, BUSINESS) == [1, 2]


def test_wrong_credentials(make: Make) -> None:
    """CMDB says so, and nobody repeats the secret."""
    with pytest.raises(CmdbFailed, match="app authentication failed") as caught:
        make(secret="marker-9d1").has_scope(BIZ_2)
    assert "marker-9d1" not in caught.value.message
    assert "marker-9d1" not in repr(Credentials(app_code="a", app_secret="marker-9d1", user="b"))


@pytest.mark.parametrize("times", [1, 2])
def test_a_connection_that_breaks(cmdb: Cmdb, make: Make, times: int) -> None:
    """Is made once more: everything asked only reads."""
    cmdb.disconnects = times
    hosts = make()
    if times == 1:
        assert ids(hosts, BUSINESS) == [1, 2]
    else:
        with pytest.raises(CmdbUnreachable):
            ids(hosts, BUSINESS)
    assert cmdb.names()[:2] == ["search_business"] * 2


def test_a_page_that_is_cut_short(cmdb: Cmdb, make: Make) -> None:
    """One of 600 hosts that is missing would be left out of a job in silence: 1211002 instead."""
    for number in range(100, 700):
        cmdb.add(number, f"10.2.{number >> 8}.{number & 255}", Place(2, 11, 21))

    def cut(name: str, body: dict[str, Any]) -> bytes | None:
        if name != "list_biz_hosts" or body["page"]["start"] != 500:
            return None
        data = cmdb.answer(name, body)
        return json.dumps({"result": True, "code": 0, "data": {**data, "info": data["info"][:-1]}}).encode()

    cmdb.fault = cut
    with pytest.raises(CmdbFailed, match=r"list_biz_hosts: 601 different rows came of 602, 3 times"):
        ids(make(), BUSINESS)


def test_hosts_that_come_and_go_between_pages(cmdb: Cmdb, make: Make) -> None:
    """What is read is one state of CMDB: pages are read again until they fit together."""
    for number in range(100, 700):
        cmdb.add(number, f"10.2.{number >> 8}.{number & 255}", Place(2, 11, 21))
    seen = 0

    def change(name: str, body: dict[str, Any]) -> bytes | None:
        nonlocal seen
        if name == "list_biz_hosts" and body["page"]["start"] == 0:
            seen += 1
            if seen == 1:  # after this page host 1 goes, and every other moves up
                data = cmdb.answer(name, body)
                del cmdb.hosts[1], cmdb.places[1]
                return json.dumps({"result": True, "code": 0, "data": data}).encode()
        return None

    cmdb.fault = change
    assert ids(make(), BUSINESS) == [2, *range(100, 700)]
    assert seen == 2


@pytest.mark.parametrize(
    "server", [Server(host_ids=(1,)), Server(ips=(IpRef(bk_cloud_id=0, ip="10.0.0.1"),))], ids=["ids", "ips"]
)
def test_a_filter_that_was_not_understood(cmdb: Cmdb, make: Make, server: Server) -> None:
    """An answer with other hosts than were asked for is none."""
    rows = list(cmdb.hosts.values())
    body = {"result": True, "code": 0, "data": {"count": len(rows), "info": rows}}
    cmdb.fault = lambda name, _: json.dumps(body).encode() if name == "list_hosts_without_biz" else None
    with pytest.raises(CmdbFailed, match="answers with what was not asked for"):
        make().resolve(BIZ_2, server)


def test_a_business_that_was_not_asked_for(cmdb: Cmdb, make: Make) -> None:
    """The same of scopes: else every business would exist."""
    body = {"result": True, "code": 0, "data": {"count": 1, "info": [{"bk_biz_id": 2}]}}
    cmdb.fault = lambda name, _: json.dumps(body).encode() if name == "search_business" else None
    with pytest.raises(CmdbFailed, match="answers with what was not asked for"):
        make().has_scope(Scope("biz", "404"))


def test_a_group_that_cmdb_refuses(cmdb: Cmdb, make: Make) -> None:
    """1211003 with CMDB's reason; what is no answer at all is not the group's fault."""
    hosts = make()
    with pytest.raises(CmdbGroupFailed) as caught:
        hosts.resolve(BIZ_2, Server(dynamic_groups=("other",)))
    assert (caught.value.code, "[1199014] dynamic group not found" in caught.value.message) == (1211003, True)
    cmdb.fault = lambda name, _: b"{}" if name == "execute_dynamic_group" else None
    with pytest.raises(CmdbFailed):
        hosts.resolve(BIZ_2, WEB)


def test_a_group_of_sets_is_none_of_hosts(cmdb: Cmdb, make: Make) -> None:
    """CMDB has both kinds; the rows of this one have no host."""
    body = {"result": True, "code": 0, "data": {"count": 1, "info": [{"bk_set_id": 1, "bk_biz_id": 2}]}}
    cmdb.fault = lambda name, _: json.dumps(body).encode() if name == "execute_dynamic_group" else None
    with pytest.raises(CmdbFailed, match="execute_dynamic_group: a row has no bk_"):
        make().resolve(BIZ_2, WEB)


def test_groups_of_a_very_large_business_set(cmdb: Cmdb, make: Make) -> None:
    """Are refused (1241011): each member would have to be asked."""
    cmdb.sets[9] = list(range(1, 52))
    with pytest.raises(NotSupported, match="more than 50 businesses"):
        make().resolve(Scope("biz_set", "9"), WEB)


def test_an_address_of_two_hosts(cmdb: Cmdb, make: Make) -> None:
    """The one of the business is meant; if both are, nobody guesses."""
    cmdb.add(5, "10.0.0.1", Place(3, 13, 31))
    server = Server(ips=(IpRef(bk_cloud_id=0, ip="10.0.0.1"),))
    hosts = make()
    assert (ids(hosts, server), ids(hosts, server, BIZ_3)) == ([1], [5])
    cmdb.add(6, "10.0.0.1", Place(2, 11, 21))
    with pytest.raises(InvalidParameter, match=r"0:10\.0\.0\.1 is the address of hosts 1, 6"):
        ids(hosts, server)


def test_a_host_with_several_addresses(cmdb: Cmdb, make: Make) -> None:
    """Is found by each, once, and shown by the first."""
    cmdb.add(7, "10.0.0.7,10.0.0.8", Place(2, 11, 21), v6="2001:0db8:0000:0000:0000:0000:0000:0007")
    hosts = make(ttl=60)
    refs = tuple(IpRef(bk_cloud_id=0, ip=ip) for ip in ("10.0.0.8", "10.0.0.7", "2001:db8::7"))
    for _ in range(2):
        (found,) = hosts.resolve(BIZ_2, Server(ips=refs))
        assert (found.bk_host_id, found.ip) == (7, "10.0.0.7")


def test_answers_count_for_a_while(cmdb: Cmdb, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the time nobody is asked again, whichever way hosts are listed, nor missed; then all is asked."""
    now = 1000.0
    monkeypatch.setattr("adapter.hosts.kept.monotonic", lambda: now)
    hosts = make(ttl=30)
    servers = [
        WEB,
        BUSINESS,
        SET_11,
        Server(host_ids=(1, 2)),
        Server(ips=(IpRef(bk_cloud_id=0, ip="10.0.0.1"),)),
    ]
    before = [ids(hosts, server) for server in servers]
    asked = len(cmdb.asked)
    now += 29.9
    cmdb.fault = lambda *_: b"down"
    assert [ids(hosts, server) for server in servers] == before
    assert len(cmdb.asked) == asked
    now += 0.2
    for server in servers:
        with pytest.raises(CmdbFailed):
            ids(hosts, server)


def test_a_host_that_moves_to_another_business(
    cmdb: Cmdb, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two launches: believed where it was while the answer counts, then refused there and taken here."""
    now = 1000.0
    monkeypatch.setattr("adapter.hosts.kept.monotonic", lambda: now)
    fresh = make(ttl=60)
    one = Server(host_ids=(1,))
    assert ids(fresh, one) == ids(fresh, BUSINESS)[:1] == ids(fresh, SET_11)[:1] == [1]
    cmdb.places[1] = [Place(3, 13, 31)]
    assert ids(fresh, one) == [1]
    now += 61
    with pytest.raises(HostsNotInScope):
        ids(fresh, one)
    assert (ids(fresh, one, BIZ_3), ids(fresh, BUSINESS), ids(fresh, SET_11)) == ([1], [2], [2])
    assert ids(fresh, Server(topo_nodes=(TopoNode(id=2, node_type="biz"),)), BIZ_3) == []


def test_what_is_not_there_is_asked_again(cmdb: Cmdb, make: Make) -> None:
    """A host, a business and a group that were added a moment ago are found, whatever is kept."""
    hosts = make(ttl=60)
    with pytest.raises(HostsUnknown):
        ids(hosts, Server(host_ids=(8,)))
    with pytest.raises(HostsUnknown):
        ids(hosts, Server(ips=(IpRef(bk_cloud_id=0, ip="10.0.0.8"),)))
    assert not hosts.has_scope(Scope("biz", "7"))
    cmdb.add(8, "10.0.0.8", Place(2, 11, 21))
    cmdb.businesses[7] = ""
    assert ids(hosts, Server(host_ids=(8,))) == [8]
    assert ids(hosts, Server(ips=(IpRef(bk_cloud_id=0, ip="10.0.0.8"),))) == [8]
    assert hosts.has_scope(Scope("biz", "7"))


def test_a_host_of_the_pool_is_in_no_business(make: Make) -> None:
    """It exists, so it is 1244002 rather than 1244030."""
    with pytest.raises(HostsNotInScope):
        ids(make(), Server(host_ids=(4,)))


def test_jobs_go_on_without_cmdb(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart, with nothing kept: hosts and variables are those of the launch, and the log says why."""
    monkeypatch.setattr(module, "_AGAIN_SECONDS", 0.5)
    hosts = make(f"http://127.0.0.1:{closed_port()}", cmdb_default={"ansible_user": "ops"})
    with capture_logs() as logs:
        assert hosts.present([HOST_1]) == {1: HOST_1}
    assert [entry["event"] for entry in logs] == ["hosts_are_taken_as_they_were_at_the_launch"]
    assert hosts.variables([HOST_1]) == {
        "cmdb-1": {"ansible_user": "ops", "ansible_host": "10.0.0.1", "bk_cloud_id": 0}
    }
    assert hosts.is_ready()


def test_a_job_that_waited_meets_its_hosts_where_they_are_now(cmdb: Cmdb, make: Make) -> None:
    """Its address may be another host's by now; and one that has gone ends 2."""
    cmdb.hosts[1]["bk_host_innerip"] = "10.0.0.77"
    cmdb.add(9, "10.0.0.1", Place(2, 11, 21))
    hosts = make()
    assert hosts.present([HOST_1])[1].ip == "10.0.0.77"
    del cmdb.hosts[1]
    assert hosts.present([HOST_1]) == {}
    assert hosts.absence(HOST_1) == (HostStatus.INVALID_HOST, "CMDB has it no longer")


def test_a_host_without_an_address(cmdb: Cmdb, make: Make) -> None:
    """f5: it is launched on with the rest, and ends 18; unless the inventory knows how to get there."""
    cmdb.add(5, "", Place(2, 11, 21))
    cmdb.add(6, None, Place(2, 11, 21))
    hosts = make(known={"bk_host_id": 6, "ansible_host": "six.example.com"})
    found = hosts.resolve(BIZ_2, Server(host_ids=(5, 6)))
    assert [host.name for host in found] == ["cmdb-5", "known"]
    assert list(hosts.present(found)) == [6]
    status, reason = hosts.absence(found[0])
    assert (status, "no host with bk_host_id 5" in reason) == (HostStatus.NO_AGENT, True)
    assert hosts.variables([found[1]])["known"]["ansible_host"] == "six.example.com"


def test_addresses_of_cmdb_are_addresses(cmdb: Cmdb, make: Make) -> None:
    """What is none never becomes a variable that Ansible would render, or a name that it would look up."""
    cmdb.add(5, "{{ lookup('pipe', 'id') }}", Place(2, 11, 21))
    cmdb.add(6, "-oProxyCommand=id", Place(2, 11, 21))
    hosts = make()
    found = hosts.resolve(BIZ_2, Server(host_ids=(5, 6)))
    assert [host.ip for host in found] == ["", ""]
    assert hosts.present(found) == {}


def test_how_hosts_are_reached(make: Make) -> None:
    """The inventory's own host, else the pattern of its cloud area, else that of all, else the address alone."""
    hosts = make(
        one={"bk_host_id": 1, "ansible_user": "one", "ansible_host": "bastion.example.com"},
        two={"ansible_host": "10.0.0.2", "ansible_user": "two"},
        other={"bk_host_id": 77, "ansible_host": "10.0.0.3", "ansible_user": "not three"},
        cmdb_cloud_5={"ansible_user": "five", "bk_host_id": 1005},
        cmdb_default={"ansible_user": "all", "ansible_host": "10.9.9.9"},
    )

    def told(bk_host_id: int, ip: str, cloud: int = 0) -> tuple[str, object, object]:
        host = Host(bk_host_id=bk_host_id, bk_cloud_id=cloud, ip=ip, name="")
        named = connections.named(hosts._inventory.index, host)
        (variables,) = hosts.variables([named]).values()
        return named.name, variables.get("ansible_user"), variables["ansible_host"]

    assert told(1, "10.0.0.1") == ("one", "one", "bastion.example.com")
    assert told(2, "10.0.0.2") == ("two", "two", "10.0.0.2")
    assert told(2, "10.0.0.2", 5) == ("cmdb-2", "five", "10.0.0.2")
    assert told(3, "10.0.0.3") == ("cmdb-3", "all", "10.0.0.3"), "the inventory says that it is another host"
    assert told(1005, "10.0.0.5") == ("cmdb-1005", "all", "10.0.0.5"), "a pattern is no host"
    assert make().variables([HOST_1]) == {"cmdb-1": {"ansible_host": "10.0.0.1", "bk_cloud_id": 0}}


@pytest.mark.parametrize(
    ("names", "is_told"), [(["web"], True), (["cmdb_cloud_5"], True), (["cmdb_default"], False), ([], True)]
)
def test_an_inventory_that_says_nothing_of_most_hosts(names: list[str], is_told: bool) -> None:
    """What follows and what to do is told when the inventory has been read, and once."""
    inventory = InventoryHosts(
        Path("/inventory"),
        ids_for=connections.no_ids,
        read=lambda path, *, cancelled: Reading(data=listing({name: {} for name in names})),
        advice=connections.advice,
    )
    with capture_logs() as logs:
        inventory.reload()
        inventory.reload()
    told = [entry["warning"] for entry in logs if entry["log_level"] == "warning"]
    assert len(told) == is_told
    for words in ("no host cmdb_default", "as the user this service runs as", "inventories/examples/cmdb"):
        assert all(words in text for text in told)


def test_a_host_without_an_id_is_no_host_of_the_inventory(make: Make) -> None:
    """A cron's job has hosts that were named by an address only; they have numbers below 0."""
    hosts = make(plain={"ansible_host": "10.0.0.9", "ansible_user": "x"})
    unknown = Host(bk_host_id=-1, bk_cloud_id=0, ip="10.0.0.1", name="invalid host 0:10.0.0.1")
    assert "ansible_user" not in hosts.variables([unknown])[unknown.name]


def test_names_that_are_made_stand_for_one_host(make: Make) -> None:
    """An inventory's `cmdb-5` is host 5, or nobody."""
    hosts = make(**{"cmdb-5": {"ansible_host": "10.0.0.1", "ansible_user": "x"}})
    assert connections.named(hosts._inventory.index, HOST_1).name == "cmdb-1"
    five = Host(bk_host_id=5, bk_cloud_id=0, ip="10.0.0.1", name="cmdb-5")
    assert hosts.variables([five])["cmdb-5"]["ansible_user"] == "x"


def test_what_a_person_names(cmdb: Cmdb, make: Make) -> None:
    """For the commands: a name in the inventory, an id, an address; the business follows from the host."""
    hosts = make(web={"bk_host_id": 1}, plain={"ansible_host": "10.0.0.2"})
    words = ["web", "plain", "3", "10.0.0.2", "99", "nobody", "10.9.9.9"]
    found = [hosts.named(word) for word in words]
    assert [host and host.bk_host_id for host in found] == [1, 2, 3, 2, None, None, None]
    assert (hosts.businesses_of(1), hosts.businesses_of(4), hosts.businesses_of(99)) == (("2",), (), ())
