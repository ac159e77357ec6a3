"""Downloads, from real servers (S3 that verifies signatures, Apache) and from one that does what a test wants."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapter.engine import download_part
from adapter.engine.downloads import Downloaded, Downloads
from adapter.engine.file_servers import FileServer, server_of
from adapter.engine.providing import Unavailable
from adapter.job.egress import EgressRule
from adapter.job.file_source import FileSourceDefinition, FileSourceType
from adapter.job.model import Scope
from adapter.store.upload_files import RESERVE
from tests.support.certificates import certified
from tests.support.file_servers import Behaviour, StandIn, apache, free_port, has_apache, moto, stand_in
from tests.support.raw_receiver import RawReceiver, answer

USER, PASSWORD = "reader", "hunter2 ü:/"
CONTENT = bytes(range(256)) * 4_000  #: about a MiB
PATH = "project/repo/dir/a b.tar"
ASKED = "/generic/project/repo/dir/a%20b.tar"

Fetch = Callable[..., Downloaded]


@pytest.fixture
def server() -> Iterator[StandIn]:
    """An artifactory with one file."""
    with stand_in(USER, PASSWORD) as found:
        found.files[ASKED] = CONTENT
        yield found


def definition(url: str, kind: FileSourceType) -> FileSourceDefinition:
    """A file source there."""
    return FileSourceDefinition(scope=Scope("biz", "2"), code="c", alias="c", type=kind, base_url=url)


def asked(
    url: str,
    kind: FileSourceType = FileSourceType.BLUEKING_ARTIFACTORY,
    credential: Mapping[str, str] | None = None,
) -> FileServer:
    """How it is asked."""
    who = {"username": USER, "password": PASSWORD} if credential is None else credential
    return server_of(definition(url, kind), who, lambda: int(time.time() * 1000))


def downloads(cache: Path, **more: Any) -> Downloads:
    """That may go to this machine, and do not wait long."""
    given = {"rule": EgressRule.of(["127.0.0.0/8"]), "pauses": (0.0, 0.0, 0.0), "stall": 2.0, **more}
    return Downloads(cache=cache, **given)


def going_on(_done: int, _size: int | None) -> None:
    """Nothing is to end the download."""


def fetch(cache: Path, server: StandIn, **more: Any) -> Downloaded:
    """Brings the file of the stand-in."""
    return downloads(cache, **more).fetch(asked(server.url), PATH, "1", going_on)


def content(cache: Path, found: Downloaded) -> bytes:
    """What the cache has, which is all that there is but notes."""
    place = cache / found.sha256[:2] / found.sha256
    assert hashlib.sha256(place.read_bytes()).hexdigest() == found.sha256
    return place.read_bytes()


def parts(cache: Path) -> list[Path]:
    """What is left of downloads that did not end well."""
    return [path for path in cache.glob("??/*.part") if not path.name.endswith(".known.part")]


def problem(cache: Path, server: StandIn, **more: Any) -> str:
    """Why it cannot be had."""
    with pytest.raises(Unavailable) as found:
        fetch(cache, server, **more)
    assert PASSWORD not in str(found.value)
    return str(found.value)


def broken_off(cache: Path, server: StandIn) -> Path:
    """The part that is left of a download."""
    server.behaves = [Behaviour(cut_after=300_000), Behaviour(status=403)]
    problem(cache, server)
    (part,) = parts(cache)
    return part


def test_an_artifactorys_file(tmp_path: Path, server: StandIn) -> None:
    """One GET with who asks; asked for again, it is only asked whether it has changed."""
    found = fetch(tmp_path, server)
    assert (content(tmp_path, found), found.size) == (CONTENT, len(CONTENT))
    assert fetch(tmp_path, server) == found
    (first, headers), (again, conditions) = server.asked
    assert first == again == ASKED
    assert headers["Authorization"] == server.authorization
    assert headers["Accept-Encoding"] == "identity"
    assert conditions["If-None-Match"] == f'"{found.sha256}"'
    assert server.sent == len(CONTENT)
    assert parts(tmp_path) == []


def test_a_file_that_has_changed_or_left_the_cache(tmp_path: Path, server: StandIn) -> None:
    """Is brought again."""
    found = fetch(tmp_path, server)
    server.files[ASKED] = b"new"
    assert content(tmp_path, fetch(tmp_path, server)) == b"new"
    server.files[ASKED] = CONTENT
    shutil.rmtree(tmp_path / found.sha256[:2])
    assert content(tmp_path, fetch(tmp_path, server)) == CONTENT


@pytest.mark.parametrize("size", [0, 1, 64 * 1024, 64 * 1024 + 1])
def test_sizes(tmp_path: Path, server: StandIn, size: int) -> None:
    """Of an empty file, too."""
    server.files[ASKED] = CONTENT[:size]
    assert content(tmp_path, fetch(tmp_path, server)) == CONTENT[:size]


def test_a_cut_download_goes_on(tmp_path: Path, server: StandIn) -> None:
    """From the byte where it was cut, for the same file only."""
    server.behaves = [Behaviour(cut_after=300_000), Behaviour(cut_after=100_000)]
    assert content(tmp_path, fetch(tmp_path, server)) == CONTENT
    first, second, third = (headers for _, headers in server.asked)
    assert "Range" not in first
    begins = [int(headers["Range"].removeprefix("bytes=").removesuffix("-")) for headers in (second, third)]
    assert 0 < begins[0] <= 300_000
    assert begins[0] < begins[1] <= 400_000
    assert second["If-Range"] == third["If-Range"] == f'"{hashlib.sha256(CONTENT).hexdigest()}"'


def test_what_a_killed_service_left_is_gone_on_with(tmp_path: Path, server: StandIn) -> None:
    """By another process: all that it needs lies beside the part."""
    begun = broken_off(tmp_path, server).stat().st_size
    assert 0 < begun <= 300_000
    assert content(tmp_path, fetch(tmp_path, server)) == CONTENT
    assert server.ranges()[-1] == f"bytes={begun}-"
    assert parts(tmp_path) == []


@pytest.mark.parametrize("ignores", [False, True], ids=["If-Range is understood", "If-Range is ignored"])
def test_a_file_that_changed_meanwhile_begins_anew(tmp_path: Path, server: StandIn, ignores: bool) -> None:
    """The rest of another file is never appended."""
    new = bytes(reversed(CONTENT))
    server.behaves = [Behaviour(cut_after=300_000), Behaviour(changed=new, ignores_if_range=ignores)]
    assert content(tmp_path, fetch(tmp_path, server)) == new


def test_without_an_etag_nothing_is_appended(tmp_path: Path, server: StandIn) -> None:
    """Nobody says that it is the same file."""
    bare = ("ETag",)
    server.behaves = [
        Behaviour(cut_after=300_000, without=bare),
        Behaviour(without=bare),
        Behaviour(without=bare),
    ]
    found = fetch(tmp_path, server)
    assert content(tmp_path, found) == CONTENT
    assert fetch(tmp_path, server) == found
    assert server.ranges() == ["", "", ""]


def test_a_weak_etag_is_none(tmp_path: Path, server: StandIn) -> None:
    """It says that files mean the same, not that their bytes are."""
    server.behaves = [Behaviour(cut_after=300_000, headers={"ETag": 'W/"1"'})]
    assert content(tmp_path, fetch(tmp_path, server)) == CONTENT
    assert server.ranges() == ["", ""]


def test_an_etag_that_cannot_be_sent_back_is_none(tmp_path: Path, server: StandIn) -> None:
    """Bytes that no request may have."""
    server.behaves = [Behaviour(cut_after=300_000, headers={"ETag": '"\xfc"'})]
    assert content(tmp_path, fetch(tmp_path, server)) == CONTENT
    assert server.ranges() == ["", ""]


@pytest.mark.parametrize("url", ["http://xn--/", "http://a..b.example", "http://h:99999"])
def test_urls_that_are_none(tmp_path: Path, url: str) -> None:
    """They are told, and tried at most again."""
    with pytest.raises(Unavailable):
        downloads(tmp_path, pauses=()).fetch(asked(url), PATH, "1", going_on)


def test_a_part_that_is_longer_than_the_file(tmp_path: Path, server: StandIn) -> None:
    """416, or a range that does not fit: it begins anew."""
    part = broken_off(tmp_path, server)
    part.write_bytes(b"x" * (len(CONTENT) + 1))
    assert content(tmp_path, fetch(tmp_path, server)) == CONTENT


def test_a_part_that_was_spoilt_is_found_out(tmp_path: Path, server: StandIn) -> None:
    """By the sum of the whole; then all of it is brought again."""
    part = broken_off(tmp_path, server)
    part.write_bytes(b"\0" * part.stat().st_size)
    server.asked.clear()
    assert content(tmp_path, fetch(tmp_path, server)) == CONTENT
    assert ["bytes" in asked for asked in server.ranges()] == [True, False]


def test_a_sum_that_differs(tmp_path: Path, server: StandIn) -> None:
    """Both are told, it is not tried again, and nothing is left."""
    server.behaves = [Behaviour(sha256="0" * 64)]
    told = problem(tmp_path, server)
    assert f"{server.url}{ASKED.replace('%20', ' ')}: the sha256 of what came is " in told
    assert hashlib.sha256(CONTENT).hexdigest() in told
    assert "0" * 64 in told
    assert (len(server.asked), parts(tmp_path)) == (1, [])


@pytest.mark.parametrize(
    ("headers", "is_wrong"),
    [
        ({"X-Checksum-Md5": "0" * 32}, True),
        ({"Repr-Digest": "sha-256=:" + "A" * 43 + "=:"}, True),
        ({"Digest": "SHA-256=" + "A" * 43 + "="}, True),
        ({"X-Checksum-Md5": "unknown", "Digest": "sha-512=abc"}, False),
        ({"X-Checksum-Md5": hashlib.md5(CONTENT).hexdigest().upper()}, False),
    ],
)
def test_other_sums(tmp_path: Path, server: StandIn, headers: dict[str, str], is_wrong: bool) -> None:
    """An MD5, digests as RFC 9530 and RFC 3230 have them; what is no sum is nothing to go by."""
    server.behaves = [Behaviour(headers=headers, without=("X-Checksum-Sha256",))]
    if is_wrong:
        assert "the server says" in problem(tmp_path, server)
    else:
        assert content(tmp_path, fetch(tmp_path, server)) == CONTENT


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 429])
def test_what_passes_is_tried_again(tmp_path: Path, server: StandIn, status: int) -> None:
    """After a pause; not for ever."""
    server.behaves = [Behaviour(status=status)] * 3
    assert content(tmp_path, fetch(tmp_path, server)) == CONTENT
    server.files[ASKED] = b"another"
    server.behaves = [Behaviour(status=status)] * 4
    told = problem(tmp_path, server)
    assert told == f"{server.url}{ASKED.replace('%20', ' ')} answered {status}; tried 4 times"


def test_pauses_grow(tmp_path: Path, server: StandIn) -> None:
    """As they are set."""
    server.behaves = [Behaviour(status=503)] * 2
    began = time.monotonic()
    fetch(tmp_path, server, pauses=(0.1, 0.4))
    assert 0.5 <= time.monotonic() - began < 5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_what_does_not_pass_is_not_tried_again(tmp_path: Path, server: StandIn, status: int) -> None:
    """The status is told; what is not there is told as that."""
    server.behaves = [Behaviour(status=status)]
    with pytest.raises(Unavailable) as found:
        fetch(tmp_path, server)
    assert str(found.value).endswith(f"answered {status}")
    assert found.value.state == ("missing" if status in (404, 410) else "failed")
    assert len(server.asked) == 1


def test_a_password_that_is_wrong(tmp_path: Path, server: StandIn) -> None:
    """401, once."""
    wrong = asked(server.url, credential={"username": USER, "password": "wrong-password"})
    with pytest.raises(Unavailable, match="answered 401") as found:
        downloads(tmp_path).fetch(wrong, PATH, "1", going_on)
    assert "wrong-password" not in str(found.value)
    assert len(server.asked) == 1


def test_nobody_there(tmp_path: Path) -> None:
    """It is tried again, and told."""
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(Unavailable, match=r"ConnectError .* after 0 bytes; tried 4 times"):
        downloads(tmp_path).fetch(asked(url), PATH, "1", going_on)
    with pytest.raises(Unavailable, match=r"no-such-host\.invalid cannot be looked up.*tried 2 times"):
        downloads(tmp_path, pauses=(0.0,)).fetch(asked("http://no-such-host.invalid"), PATH, "1", going_on)


def test_a_server_that_stalls_is_left(tmp_path: Path, server: StandIn) -> None:
    """After the time without a byte; what came is kept."""
    server.behaves = [Behaviour(stall_after=300_000)]
    began = time.monotonic()
    assert content(tmp_path, fetch(tmp_path, server, stall=0.3)) == CONTENT
    assert 0.3 <= time.monotonic() - began < 5
    assert server.ranges()[1] > "bytes=1"


def test_a_slow_server_is_waited_for(tmp_path: Path, server: StandIn) -> None:
    """As long as something comes, and `look` is told how far it is."""
    server.behaves = [Behaviour(pause=0.02)]
    seen: list[tuple[int, int | None]] = []
    found = downloads(tmp_path, stall=0.3).fetch(
        asked(server.url), PATH, "1", lambda done, size: seen.append((done, size))
    )
    assert content(tmp_path, found) == CONTENT
    dones = [done for done, _ in seen]
    assert dones == sorted(dones)
    assert len(set(dones)) >= 3
    assert {size for done, size in seen if done} == {len(CONTENT)}


@pytest.mark.parametrize("behaviour", [Behaviour(stall_after=0), Behaviour(stall_after=300_000)])
def test_a_download_is_ended_at_once(tmp_path: Path, server: StandIn, behaviour: Behaviour) -> None:
    """Whatever it waits for; what came is kept."""

    class Ended(BaseException):
        pass

    server.behaves = [behaviour]
    began = time.monotonic()

    def look(done: int, _size: int | None) -> None:
        if done >= min(1, behaviour.stall_after) and time.monotonic() - began > 0.3:
            raise Ended

    with pytest.raises(Ended):
        downloads(tmp_path, stall=30).fetch(asked(server.url), PATH, "1", look)
    assert time.monotonic() - began < 3
    assert bool(parts(tmp_path)) == (behaviour.stall_after > 0)
    assert content(tmp_path, fetch(tmp_path, server)) == CONTENT


def test_two_at_once(tmp_path: Path, server: StandIn) -> None:
    """One brings the file, the other waits for it and asks only whether it has changed."""
    server.behaves = [Behaviour(pause=0.005)]
    found: list[Downloaded] = []
    threads = [threading.Thread(target=lambda: found.append(fetch(tmp_path, server))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len(set(found)) == 1
    assert content(tmp_path, found[0]) == CONTENT
    assert server.sent == len(CONTENT)


def test_two_file_sources_of_one_url(tmp_path: Path, server: StandIn) -> None:
    """Each asks in its own name: what one may read the other may not."""
    fetch(tmp_path, server)
    with pytest.raises(Unavailable, match="401"):
        downloads(tmp_path).fetch(asked(server.url, credential={}), PATH, "2", going_on)


@pytest.mark.parametrize("host", ["169.254.169.254", "[::1]", "0xa9fea9fe", "metadata.google.internal"])
def test_redirects_go_only_where_they_may(
    tmp_path: Path, server: StandIn, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule is asked again at each place; it is not tried again."""
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("169.254.169.254", 0))])
    server.behaves = [Behaviour(status=302, location=f"http://{host}/latest/meta-data/")]
    assert "refused: the " in (told := problem(tmp_path, server))
    assert "ADAPTER_FILE_SOURCE_ALLOW does not name it" in told
    assert len(server.asked) == 1


def test_a_name_is_looked_up_once(tmp_path: Path, server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the connection goes to what it was; another answer a moment later changes nothing."""
    answers = iter(["127.0.0.1", "169.254.169.254"])
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (next(answers), 0))])
    url = f"http://files.example.com:{server.port}"
    assert downloads(tmp_path).fetch(asked(url), PATH, "1", going_on).size == len(CONTENT)
    assert server.asked[0][1]["Host"] == f"files.example.com:{server.port}"
    with pytest.raises(Unavailable, match=r"the metadata address 169\.254\.169\.254"):
        downloads(tmp_path).fetch(asked(url), PATH, "1", going_on)


def test_a_redirect_elsewhere_does_not_tell_who_asks(tmp_path: Path, server: StandIn) -> None:
    """Its own place is told, another is not; the query of where it leads is told to nobody."""
    with stand_in() as other:
        other.files["/signed?token=hunter4"] = CONTENT
        server.behaves = [
            Behaviour(status=307, location=ASKED),
            Behaviour(status=302, location=f"{other.url}/signed?token=hunter4"),
        ]
        assert content(tmp_path, fetch(tmp_path, server)) == CONTENT
        assert [headers.get("Authorization") for _, headers in server.asked] == [server.authorization] * 2
        ((path, headers),) = other.asked
        assert (path, "Authorization" in headers) == ("/signed?token=hunter4", False)
        other.files.clear()
        server.behaves = [Behaviour(status=302, location=f"{other.url}/signed?token=hunter4")]
        assert problem(tmp_path, server) == f"{other.url}/signed answered 404"


@pytest.mark.parametrize(
    ("location", "word"),
    [
        (ASKED, "more than 5 times"),
        ("", "more than 5 times"),
        ("ftp://files/", "leads nowhere"),
        ("http://a:99999/", "leads nowhere"),
        (f"{ASKED}/", "is a directory"),
    ],
)
def test_redirects_that_lead_nowhere(tmp_path: Path, server: StandIn, location: str, word: str) -> None:
    """Each is told."""
    server.behaves = [Behaviour(status=301, location=location)] * 6
    assert word in problem(tmp_path, server)


def test_who_signed_a_certificate_counts(tmp_path: Path) -> None:
    """One that nobody trusts is the end at once; from https no redirect leads to http."""
    place = b"Location: http://127.0.0.1:1/\r\n"
    server_side, client_side = certified("127.0.0.1", tmp_path)
    receiver = RawReceiver(
        answer(b""),  # to the handshake that fails
        answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        answer(b"HTTP/1.1 302 X\r\nContent-Length: 0\r\n" + place + b"\r\n"),
        tls=server_side,
    )
    url = f"https://127.0.0.1:{receiver.port}"
    try:
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            downloads(tmp_path / "a").fetch(asked(url), PATH, "1", going_on)
        assert receiver.got == []
        trusting = downloads(tmp_path / "b", tls=client_side)
        assert content(tmp_path / "b", trusting.fetch(asked(url), PATH, "1", going_on)) == b"ok"
        with pytest.raises(Unavailable, match=r"leads from https to http://127\.0\.0\.1:1/"):
            trusting.fetch(asked(url), "project/repo/other", "1", going_on)
    finally:
        receiver.close()


def test_an_answer_that_never_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A head that comes byte by byte, a name server that says nothing: each is left, and tried again."""
    receiver = RawReceiver()
    receiver.behave(receiver.drips(b"HTTP/1.1 200 OK\r\nX-Long: "))
    hurried = downloads(tmp_path, pauses=(0.0,), connect=0.3, stall=0.3)
    try:
        url = f"http://127.0.0.1:{receiver.port}"
        with pytest.raises(Unavailable, match=r"no answer in 0\.6 s; tried 2 times"):
            hurried.fetch(asked(url), PATH, "1", going_on)
    finally:
        receiver.close()
    let_go = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: let_go.wait(30) and [])
    with pytest.raises(Unavailable, match=r"no answer in 0\.6 s; tried 2 times"):
        hurried.fetch(asked("http://slow.example"), PATH, "1", going_on)
    let_go.set()


Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize("without", [(), ("Content-Length",)], ids=["size known", "size unknown"])
def test_a_full_disk(
    tmp_path: Path, server: StandIn, without: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told before it is full, and nothing is left of the download."""
    free = iter([RESERVE + len(CONTENT) - 1] if not without else [RESERVE, 0])
    monkeypatch.setattr(download_part, "_LOOK_EVERY", 100_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(1 << 40, 0, next(free)))
    server.behaves = [Behaviour(without=without)]
    with pytest.raises(OSError, match="no room"):
        fetch(tmp_path, server)
    assert parts(tmp_path) == []


def test_a_size_that_is_not_known(tmp_path: Path, server: StandIn) -> None:
    """The body ends with the connection; its sum is what tells that it is whole."""
    server.behaves = [Behaviour(without=("Content-Length",))]
    assert content(tmp_path, fetch(tmp_path, server)) == CONTENT
    server.files[ASKED] = CONTENT[::-1]
    server.behaves = [Behaviour(without=("Content-Length",), cut_after=300_000)]
    assert "the server says" in problem(tmp_path, server)


def test_memory_is_bounded(tmp_path: Path, server: StandIn) -> None:
    """By no part of the file's size."""
    import tracemalloc

    server.files[ASKED] = bytes(64 * 1024 * 1024)
    tracemalloc.start()
    try:
        fetch(tmp_path, server)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * 1024 * 1024


def test_an_s3_server(tmp_path: Path) -> None:
    """A real one, which verifies signatures: any key, a range that goes on, an MD5 for the sum, and who may not."""
    with moto() as (url, client, access, secret):
        client.create_bucket(Bucket="bucket")
        key = "dir/ü 中 +%&=~!*'()[x].tar"
        client.put_object(Bucket="bucket", Key=key, Body=CONTENT)
        credential = {"access_key": access, "secret_key": secret}
        one = asked(url, FileSourceType.S3, credential)
        found = downloads(tmp_path).fetch(one, f"bucket/{key}", "1", going_on)
        assert content(tmp_path, found) == CONTENT
        assert downloads(tmp_path).fetch(one, f"bucket/{key}", "1", going_on) == found
        for path, who, status, state in (
            ("bucket/none", credential, 404, "missing"),
            (f"bucket/{key}", {**credential, "secret_key": "wrong"}, 403, "failed"),
        ):
            with pytest.raises(Unavailable, match=f"answered {status}") as refused:
                downloads(tmp_path).fetch(asked(url, FileSourceType.S3, who), path, "2", going_on)
            assert refused.value.state == state


def test_s3s_sums() -> None:
    """The checksum of a whole object; an ETag that is an MD5, and none that is not."""
    one = asked("http://s3", FileSourceType.S3, {"access_key": "a", "secret_key": "b"})
    md5, sha256 = "0" * 32, "A" * 43 + "="
    assert one.sums(httpx.Headers({"ETag": f'"{md5}"'})) == {"md5": md5}
    assert one.sums(httpx.Headers({"ETag": f'"{md5}-3"'})) == {}
    encrypted = {"ETag": f'"{md5}"', "x-amz-server-side-encryption": "aws:kms"}
    assert one.sums(httpx.Headers(encrypted)) == {}
    assert one.sums(httpx.Headers({"x-amz-checksum-sha256": sha256})) == {"sha256": "0" * 64}
    composite = {"x-amz-checksum-sha256": sha256, "x-amz-checksum-type": "COMPOSITE"}
    assert one.sums(httpx.Headers(composite)) == {}


@pytest.mark.skipif(not has_apache(), reason="needs apache2-bin")
def test_an_http_server(tmp_path: Path) -> None:
    """A real one, with HTTP basic: a file, the rest of one, and what cannot be had."""
    with apache(tmp_path / "apache", USER, PASSWORD) as (url, root):
        (root / "a b.tar").write_bytes(CONTENT)
        (root / "directory").mkdir()
        one, cache = asked(url, FileSourceType.HTTP), tmp_path / "cache"

        class Ended(Exception):
            pass

        def look(done: int, _size: int | None) -> None:
            raise Ended

        with pytest.raises(Ended):
            downloads(cache).fetch(one, "a b.tar", "1", look)
        assert content(cache, downloads(cache).fetch(one, "a b.tar", "1", going_on)) == CONTENT
        for path, word in (("none", "404"), ("directory", "is a directory")):
            with pytest.raises(Unavailable, match=word):
                downloads(cache).fetch(one, path, "1", going_on)
        with pytest.raises(Unavailable, match="401"):
            downloads(cache).fetch(asked(url, FileSourceType.HTTP, {}), "a b.tar", "2", going_on)
