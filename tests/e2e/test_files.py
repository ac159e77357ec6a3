"""Files between real hosts: what arrives, under which names, and that nothing else is left anywhere."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.e2e.jobs import Jobs, Source, wait_until
from tests.e2e.test_push_config import push
from tests.lab import Lab
from tests.support.service import Service

#: Names that a shell, a template, YAML or a program could take for something else.
NAMES = (
    "plain.txt", "with space", "quote'double\"", "{{ 7 * 7 }}", "{% raw %}", "-rf", "back\\slash\\n", "ünïcode 🚀",
    "$(touch evil)`touch evil`", ".hidden", "[a]", "~", "#no comment", "%s", "a;b&c|d", "!unsafe x", ": -",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_stays(lab: Lab) -> Iterator[None]:
    """Of a transfer only its files are left on any host."""
    if not lab.isolated:
        pytest.skip("source and target need file systems of their own")
    yield
    for host in lab.hosts:
        left = lab.exec(host, "ls -d /tmp/job-*; find /srv /tmp /home -name '.job-*'").stdout
        assert left == "", f"{host.name} keeps {left}"


@pytest.fixture
def place() -> str:
    """A directory for this test on every host; not made yet."""
    return f"/srv/t{secrets.token_hex(4)}"


def write(lab: Lab, host_id: int, path: str, content: str) -> None:
    """A file on a host, with its directory."""
    script = 'mkdir -p "${0%/*}" && cat > "$0"'
    done = lab.exec(lab.host(host_id), ["sh", "-c", script, path], input=content)
    assert done.returncode == 0, done.stderr


def tree(lab: Lab, host_id: int, directory: str) -> dict[str, str]:
    """Everything below: path to content, "-> target" of a link, "/" of a directory that is empty."""
    program = r"""cd "$0" && find . -mindepth 1 \( -type d -empty -printf '%P\0/\0' \
        -o -type l -printf '%P\0-> %l\0' -o -type f -printf '%P\0' -exec cat {} \; -printf '\0' \)"""
    done = lab.exec(lab.host(host_id), ["sh", "-c", program, directory])
    parts = done.stdout.split("\0")[:-1]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_names_modes_and_directories(lab: Lab, jobs: Jobs, place: str) -> None:
    """Names of every kind, modes, links, empty files and directories, onto another host and the source itself."""
    for name in NAMES:
        write(lab, 101, f"{place}/in/{name}", f"<{name}>")
    write(lab, 101, f"{place}/tree/sub/deep {{{{ x }}}}", "deep")
    prepare = f"""cd {place}; : > in/empty; chmod 4711 in/plain.txt; chmod 600 in/.hidden; mkdir -p tree/none
    ln -s sub/nowhere tree/link; ln -s plain.txt in/link; chmod 750 tree/sub"""
    assert lab.exec(lab.host(101), prepare).returncode == 0
    single = [f"{place}/in/{name}" for name in ("{{ 7 * 7 }}", "-rf", "quote'double\"", "[a]")]
    sources = [Source([101], [f"{place}/in/REGEX:.*", f"{place}/tree/", *single])]
    job = jobs.files(sources, f"{place}/out {{{{ 1 }}}} $(id) 'x'", 103, 101).succeeded()
    expected = {name: f"<{name}>" for name in NAMES}
    expected |= {"empty": "", "link": "<plain.txt>", "tree/none": "/", "tree/link": "-> sub/nowhere"}
    expected |= {"tree/sub/deep {{ x }}": "deep"}
    for host_id in (103, 101):
        assert tree(lab, host_id, f"{place}/out {{{{ 1 }}}} $(id) 'x'") == expected, job.why()
    modes = lab.exec(
        lab.host(103), f"cd {place}/out*; stat -c %a plain.txt .hidden tree/sub ."
    ).stdout.split()
    assert modes == ["4711", "600", "750", "755"]
    assert tree(lab, 101, f"{place}/in").keys() == {*NAMES, "empty", "link"}, "a name was evaluated"


def test_patterns_choose_files(lab: Lab, jobs: Jobs, place: str) -> None:
    """REGEX: matches whole names, * and ? are a glob's; no match is a missing source."""
    for name in ("alpha.txt", "beta.txt", "Gamma.txt", "alpha.txt.bak", "d1.log", "d22.log"):
        write(lab, 101, f"{place}/in/{name}", name)
    good = jobs.files(
        [Source([101], [f"{place}/in/REGEX:[a-z]*.txt", f"{place}/in/d?.l*"])], f"{place}/out", 103
    )
    none = jobs.files(
        [Source([101], [f"{place}/in/REGEX:[0-9]+", f"{place}/in/*.bak"])], f"{place}/none", 103
    )
    invalid = jobs.files(
        [Source([101], [f"{place}/in/REGEX:[a-z", f"{place}/in/*.bak"])], f"{place}/bad", 103
    )
    good.succeeded()
    assert set(tree(lab, 103, f"{place}/out")) == {"alpha.txt", "beta.txt", "d1.log"}
    assert (none.statuses, invalid.statuses) == ({103: 203}, {103: 320})
    assert (
        tree(lab, 103, f"{place}/none")
        == tree(lab, 103, f"{place}/bad")
        == {"alpha.txt.bak": "alpha.txt.bak"}
    )
    (entry,) = [entry for entry in invalid.files(103) if entry["mode"] == 1 and entry["status"] == 5]
    assert "not valid" in entry["log_content"]


def test_macros_keep_sources_apart(lab: Lab, jobs: Jobs, place: str) -> None:
    """[FILESRCIP] is each source's cloud and address; [DATE:…] the day; without them the later source wins."""
    for host_id in (101, 102):
        write(lab, host_id, f"{place}/in/same", f"of {host_id}")
    sources = [Source([101], [f"{place}/in/same"]), Source([102], [f"{place}/in/same"])]
    before = datetime.now()
    apart = jobs.files(sources, f"{place}/[FILESRCIP]/[DATE:yyyy-MM-dd]", 103)
    together = jobs.files(sources, f"{place}/together", 103)
    reverse = jobs.files(sources[::-1], f"{place}/reverse", 103)
    several = jobs.files([Source([102, 101], [f"{place}/in/same"])], f"{place}/several", 103)
    for job in (apart, together, reverse, several):
        job.succeeded()
    found = tree(lab, 103, place)
    assert {name: found.pop(f"{name}/same") for name in ("together", "reverse", "several")} == {
        "together": "of 102",
        "reverse": "of 101",
        "several": "of 101",
    }
    days = {f"{day:%Y-%m-%d}" for day in (before, datetime.now())}  # it may have been midnight
    ips = {host_id: lab.host(host_id).ip for host_id in (101, 102)}
    assert found in [{f"0_{ip}/{day}/same": f"of {host_id}" for host_id, ip in ips.items()} for day in days]


def test_what_is_there_is_replaced_merged_or_asked_for(lab: Lab, jobs: Jobs, place: str) -> None:
    """A file is replaced, also under a new name; directories merge; strict mode wants the target to exist."""
    write(lab, 101, f"{place}/tree/same", "new")
    write(lab, 103, f"{place}/out/tree/same", "old")
    write(lab, 103, f"{place}/out/tree/kept", "kept")
    write(lab, 103, f"{place}/out/renamed", "old")
    source = [Source([101], [f"{place}/tree/same"])]
    merged = jobs.files([Source([101], [f"{place}/tree/"])], f"{place}/out/", 103)
    renamed = jobs.files(source, f"{place}/out/", 103, file_target_name="renamed", transfer_mode=1)
    both = [Source([101], [f"{place}/tree/same", f"{place}/tree/"])]
    option = jobs.files(both, f"{place}/option/", 103, file_target_name="-rf")
    strict = jobs.files(source, f"{place}/missing/", 103, 102, transfer_mode=1)
    assert strict.statuses == {103: 202, 102: 202}
    assert all(
        "does not exist (strict mode)" in entry["log_content"] for entry in strict.files(103) if entry["mode"]
    )
    merged.succeeded()
    renamed.succeeded()
    option.succeeded()
    assert tree(lab, 103, place) == {
        "out/tree/same": "new",
        "out/tree/kept": "kept",
        "out/renamed": "new",
        "option/-rf": "new",  # a directory keeps its name, as in JOB
        "option/tree/same": "new",
    }


def test_each_target_and_each_source_fails_for_itself(lab: Lab, jobs: Jobs, place: str) -> None:
    """Missing source 203, unreachable source 320, unreachable target 310; every other file arrives everywhere."""
    write(lab, 101, f"{place}/in/fine", "fine")
    write(lab, 101, f"{place}/in/dir/x", "x")
    missing = jobs.files(
        [Source([101], [f"{place}/in/none", f"{place}/in/dir", f"{place}/in/fine"])], place, 102
    )
    down = jobs.files([Source([199, 101], [f"{place}/in/fine"])], place, 103, 199)
    assert missing.states == {102: (203, None, 0)}
    failed = {entry["src_path"]: entry["log_content"] for entry in missing.files(102) if entry["status"] == 5}
    assert set(failed) == {f"{place}/in/none", f"{place}/in/dir"}
    assert "does not exist on this host" in failed[f"{place}/in/none"]
    assert "end it with /" in failed[f"{place}/in/dir"]
    assert down.states == {103: (320, None, 0), 199: (310, None, 117)}, down.why()
    assert (missing.status, down.status) == (4, 4)
    assert tree(lab, 102, place) == tree(lab, 103, place) == {"fine": "fine"}
    told = [entry for entry in down.files(103) if entry["mode"] == 1 and entry["status"] == 5]
    assert [entry["src_ip"]["ip"] for entry in told] == [lab.host(199).ip]


def test_a_target_that_cannot_take_a_file(lab: Lab, jobs: Jobs, place: str) -> None:
    """Not allowed to the account, no room, a directory in its place: 202 with the reason; what was there stays."""
    write(lab, 101, f"{place}/in/big", "x" * 300_000)
    write(lab, 101, f"{place}/in/small", "small")
    write(lab, 102, f"{place}/full/big", "old")
    write(lab, 102, f"{place}/own/big/inner", "inner")
    host = lab.host(102)
    lab.exec(
        host,
        f"cd {place} && mount -t tmpfs -o size=128k none full && echo old > full/big; mkdir root; chmod 755 root",
    )
    try:
        files = [Source([101], [f"{place}/in/REGEX:(big|small)"])]
        denied = jobs.files(files, f"{place}/root", 102, account="job")
        full = jobs.files(files, f"{place}/full", 102)
        taken = jobs.files(files, f"{place}/own", 102)
        assert [job.statuses for job in (denied, full, taken)] == [{102: 202}] * 3
        for job, reason in ((denied, "ermission denied"), (full, "space"), (taken, "is a directory")):
            told = [
                entry["log_content"]
                for entry in job.files(102)
                if entry["mode"] == 1 and entry["status"] == 5
            ]
            assert told, job.why()
            assert all(re.search(reason, text) for text in told), told
        assert tree(lab, 102, f"{place}/full") == {"big": "old\n", "small": "small"}
        assert tree(lab, 102, f"{place}/own") == {"big/inner": "inner", "small": "small"}
        assert tree(lab, 102, f"{place}/root") == {}
    finally:
        lab.exec(host, f"umount {place}/full")


def test_links_at_the_destination(lab: Lab, service: Service, jobs: Jobs, place: str) -> None:
    """Those to a directory are followed, one in a file's place is replaced, also by given files (decision 31)."""
    write(lab, 101, f"{place}/in/f", "new")
    write(lab, 102, f"{place}/precious", "untouched")
    links = "mkdir release; ln -s release current; ln -s ../precious release/f; ln -s nowhere release/g"
    lab.exec(lab.host(102), f"cd {place}; {links}; chown -Rh job: .")
    jobs.files([Source([101], [f"{place}/in/f"])], f"{place}/current", 102).succeeded()
    push(service, {"g": b"given"}, f"{place}/current", 102).succeeded()
    assert tree(lab, 102, place) == {
        "precious": "untouched",
        "current": "-> release",
        "release/f": "new",
        "release/g": "given",
    }


def test_large_files_arrive_whole_and_are_read_once(lab: Lab, jobs: Jobs, place: str) -> None:
    """30 MB of random bytes on two targets have the sum of the source."""
    host = lab.host(101)
    made = lab.exec(
        host, f"mkdir -p {place}; head -c 30000000 /dev/urandom > {place}/big; sha256sum {place}/big"
    )
    job = jobs.files([Source([101], [f"{place}/big"])], f"{place}/out", 102, 103).succeeded()
    for host_id in (102, 103):
        done = lab.exec(lab.host(host_id), f"sha256sum < {place}/out/big")
        assert done.stdout.split()[0] == made.stdout.split()[0]
        entries = {entry["mode"]: entry["log_content"] for entry in job.files(host_id)}
        assert "28.61 MB" in entries[1]
    uploads = [entry for entry in job.files(102) if entry["mode"] == 0]
    assert len(uploads) == 1


def test_speed_limits_and_no_half_written_file(lab: Lab, jobs: Jobs, place: str) -> None:
    """2 MB at 1 MB/s take two seconds there and two back; until all is there the old file is in its place."""
    lab.exec(lab.host(101), f"mkdir -p {place}; head -c 2097152 /dev/zero > {place}/big")
    write(lab, 102, f"{place}/out/big", "old")
    job = jobs.files(
        [Source([101], [f"{place}/big"])], f"{place}/out", 102, upload_speed_limit=1, download_speed_limit=1
    )
    half = f"find {place}/out/.job-* -type f -size +0"
    assert wait_until(lambda: lab.exec(lab.host(102), half).stdout, "the first half of the file")
    assert lab.read(lab.host(102), f"{place}/out/big") == b"old"
    took = job.succeeded().end["step_instance_list"][0]["total_time"]
    assert took >= 4000
    assert job.hosts[102]["total_time"] >= 2000
    assert lab.read(lab.host(102), f"{place}/out/big") == bytes(2097152)
