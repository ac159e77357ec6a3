"""A large file from one host to ten."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from tests.bench.rivals import Ssh
from tests.bench.rows import Row
from tests.bench.world import Serving, World, ids
from tests.lab import LabHost

_MIB = 256
_TARGETS = 10
_SOURCE = "/srv/bench/source/big"
_PLACE = "/srv/bench/target"


def one_to_ten(world: World) -> list[Row]:
    """Random bytes that are new to the service each time; scp has them down once and up ten times at once."""
    source, *targets = world.hosts(1 + _TARGETS)
    ssh = Ssh(world)
    pairs: list[tuple[float, float]] = []
    with world.serving() as serving:
        serving.warm_up(ids(targets))
        for _ in range(world.runs):
            _make(world, source)
            theirs = _scp(world, ssh, source, targets)
            _remove(world, targets)
            serving.disconnect()
            pairs.append((_transfer(serving, source, targets), theirs))
            _check(world, source, targets)
            _remove(world, targets)
    _remove(world, [source])
    return [
        Row(
            line="files",
            what=f"{_MIB} MiB file, one source, {_TARGETS} targets",
            beside="scp: one down, ten up in parallel",
            ours=tuple(ours for ours, _ in pairs),
            theirs=tuple(theirs for _, theirs in pairs),
            must=1.5,
            aim=1.1,
        )
    ]


def _transfer(serving: Serving, source: LabHost, targets: list[LabHost]) -> float:
    client = serving.client
    began = time.perf_counter()
    launched = client.call(
        "fast_transfer_file",
        file_source_list=[
            {
                "file_list": [_SOURCE],
                "account": {"alias": "root"},
                "server": {"host_id_list": [source.bk_host_id]},
            }
        ],
        file_target_path=_PLACE,
        account_alias="root",
        target_server={"host_id_list": ids(targets)},
    )
    client.wait(launched["job_instance_id"])
    return time.perf_counter() - began


def _scp(world: World, ssh: Ssh, source: LabHost, targets: list[LabHost]) -> float:
    for host in targets:
        world.lab.exec(host, f"mkdir -p {_PLACE}")
    local = world.directory / "big"
    began = time.perf_counter()
    _all_well([_start(ssh, source.port, f"root@{source.ip}:{_SOURCE}", str(local))])
    _all_well([_start(ssh, host.port, str(local), f"root@{host.ip}:{_PLACE}/big") for host in targets])
    seconds = time.perf_counter() - began
    local.unlink()
    return seconds


def _start(ssh: Ssh, port: int, source: str, target: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["scp", "-q", *ssh.options(), "-P", str(port), source, target])


def _all_well(programs: list[subprocess.Popen[bytes]]) -> None:
    codes = [program.wait(600) for program in programs]
    assert not any(codes), f"scp ended with {codes}"


def _make(world: World, host: LabHost) -> None:
    directory = Path(_SOURCE).parent
    made = f"mkdir -p {directory} && head -c {_MIB * 1024 * 1024} /dev/urandom > {_SOURCE}"
    assert world.lab.exec(host, made, timeout=120).returncode == 0


def _check(world: World, source: LabHost, targets: list[LabHost]) -> None:
    wanted = world.lab.exec(source, f"sha256sum < {_SOURCE}").stdout
    for host in targets:
        assert world.lab.exec(host, f"sha256sum < {_PLACE}/big").stdout == wanted, host.name


def _remove(world: World, hosts: list[LabHost]) -> None:
    for host in hosts:
        world.lab.exec(host, f"rm -rf {_PLACE} {_SOURCE}")
