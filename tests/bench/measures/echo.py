"""A script that only prints: what the product costs by itself, for one, a hundred and a thousand hosts."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.bench.rivals import AnsibleRunner, Fanout, Ssh
from tests.bench.rows import Row
from tests.bench.world import Serving, World, ids

SCRIPT = "echo hello"


def one_host(world: World) -> list[Row]:
    """Beside ansible-runner and beside ssh, on fresh connections and on kept ones."""
    hosts = world.hosts(1)
    runner = AnsibleRunner.on(world, hosts, SCRIPT)
    fresh, kept = Ssh(world), Ssh(world, world.place("m"))
    cold: list[tuple[float, float, float]] = []
    warm: list[tuple[float, float, float]] = []
    with world.serving() as serving:
        serving.warm_up(ids(hosts))
        runner.run()
        kept.run(hosts[0], SCRIPT)
        for _ in range(world.runs):
            serving.disconnect()
            runner.disconnect()
            ours = serving.client.run(SCRIPT, ids(hosts))
            cold.append((ours, runner.run(), fresh.run(hosts[0], SCRIPT)))
            ours = serving.client.run(SCRIPT, ids(hosts))
            warm.append((ours, runner.run(), kept.run(hosts[0], SCRIPT)))
    runner.disconnect()
    return [
        _row("one_host", "1 host, echo, fresh connection", "ansible-runner run", cold, 1, must=0.5, aim=0.25),
        _row("one_host", "1 host, echo, fresh connection", "ssh host sh -s", cold, 2, aim=2),
        _row("one_host", "1 host, echo, kept connection", "ansible-runner run, kept", warm, 1),
        _row("one_host", "1 host, echo, kept connection", "ssh host sh -s, kept", warm, 2),
    ]


def hundred_hosts(world: World) -> list[Row]:
    """Cold beside ansible-runner and asyncssh; then again with kept connections."""
    fleet = _fleet(world, 100)
    name, what = "hundred_hosts", "100 hosts, echo, fresh connections"
    return [
        _row(name, what, "ansible-runner run, 50 forks", fleet.cold, 1, must=0.7, aim=0.4, also=fleet.cold_cpu),
        _row(name, what, "the same, scripts piped instead of sent by sftp", fleet.cold, 3),
        _row(name, what, "asyncssh, 50 at once", fleet.cold, 2, aim=2),
        _row(
            name, "100 hosts again, kept connections", "asyncssh, fresh connections", fleet.kept, 1,
            must=2.5, aim=1.2, also=fleet.kept_cpu,
        ),
    ]  # fmt: skip


def few_hosts(world: World) -> list[Row]:
    """The same in small; the bound is about a tenfold of what it takes."""
    fleet = _fleet(world, 4)
    what = "4 hosts, echo, fresh connections"
    return [_row("few_hosts", what, "ansible-runner run", fleet.cold, 1, must=4, also=fleet.cold_cpu)]


@dataclass
class _Fleet:
    """Seconds of ours, ansible-runner, asyncssh and ansible-runner with piped scripts; of ours again and asyncssh;
    processor time of ours."""

    hosts: int
    cold: list[tuple[float, float, float, float]] = field(default_factory=list)
    kept: list[tuple[float, float]] = field(default_factory=list)
    cpu: list[tuple[float, float]] = field(default_factory=list)

    @property
    def cold_cpu(self) -> dict[str, float]:
        return {"cpu_ms_per_host": 1000 * statistics.median(cpu for cpu, _ in self.cpu) / self.hosts}

    @property
    def kept_cpu(self) -> dict[str, float]:
        return {"cpu_ms_per_host": 1000 * statistics.median(cpu for _, cpu in self.cpu) / self.hosts}


def _fleet(world: World, number: int) -> _Fleet:
    hosts = world.hosts(number)
    runner = AnsibleRunner.on(world, hosts, SCRIPT)
    piped = AnsibleRunner.on(world, hosts, SCRIPT, is_piped=True)
    fleet = _Fleet(number)
    with world.serving() as serving:
        serving.warm_up(ids(hosts))
        for _ in range(world.runs):
            ours, cold_cpu = _timed(serving, ids(hosts))
            again, kept_cpu = _timed(serving, ids(hosts))
            serving.disconnect()
            fanout = Fanout.run(world, hosts, SCRIPT).seconds
            fleet.cold.append((ours, runner.run(), fanout, piped.run()))
            runner.disconnect()
            piped.disconnect()
            fleet.kept.append((again, fanout))
            fleet.cpu.append((cold_cpu, kept_cpu))
    return fleet


def thousand_hosts(world: World) -> list[Row]:
    """Beside a hundred hosts, both on fresh connections."""
    many, few = ids(world.hosts(1000)), ids(world.hosts(100))
    pairs: list[tuple[float, float]] = []
    cpu: list[float] = []
    with world.serving() as serving:
        serving.warm_up(few)
        for _ in range(world.runs):
            serving.disconnect()
            hundred = serving.client.run(SCRIPT, few)
            serving.disconnect()
            thousand, used = _timed(serving, many)
            pairs.append((thousand, hundred))
            cpu.append(used)
        serving.disconnect()
    also = {"cpu_ms_per_host": 1000 * statistics.median(cpu) / len(many)}
    what = "1,000 hosts, echo, fresh connections"
    return [_row("thousand_hosts", what, "100 hosts", pairs, 1, must=11, aim=9, also=also)]


def _timed(serving: Serving, host_ids: list[int]) -> tuple[float, float]:
    """Seconds, and processor seconds of the service."""
    before = serving.cpu_seconds()
    seconds = serving.client.run(SCRIPT, host_ids)
    return seconds, serving.cpu_seconds() - before


def _row(
    line: str, what: str, beside: str, runs: Sequence[tuple[float, ...]],
    other: int, *, must: float | None = None, aim: float | None = None, also: dict[str, float] | None = None,
) -> Row:  # fmt: skip
    return Row(
        line=line, what=what, beside=beside, ours=tuple(run[0] for run in runs),
        theirs=tuple(run[other] for run in runs), must=must, aim=aim, also=also or {},
    )  # fmt: skip
