"""What can be measured, by name: one file for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.bench.measures import (
    acceptance,
    capacity,
    echo,
    files,
    idle,
    lists,
    many,
    output,
    polling,
    sleepers,
)
from tests.bench.rows import Row
from tests.bench.world import World


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measurement. `runs` is how often a pair is measured unless somebody says otherwise."""

    run: Callable[[World], list[Row]]
    hosts: int  #: that it needs in the lab
    runs: int = 5


MEASURES: Mapping[str, Measure] = {
    "one_host": Measure(run=echo.one_host, hosts=1, runs=9),
    "hundred_hosts": Measure(run=echo.hundred_hosts, hosts=100),
    "sleepers": Measure(run=sleepers.sleepers, hosts=200),
    "thousand_hosts": Measure(run=echo.thousand_hosts, hosts=1000),
    "many": Measure(run=many.many, hosts=100, runs=1),
    "files": Measure(run=files.one_to_ten, hosts=11),
    "submit_sqlite": Measure(run=acceptance.on_sqlite, hosts=1),
    "submit_postgresql": Measure(run=acceptance.on_postgresql, hosts=1),
    "status": Measure(run=polling.status, hosts=1),
    "lists": Measure(run=lists.lists, hosts=1, runs=1),
    "first_line": Measure(run=output.first_line, hosts=1, runs=9),
    "big_output": Measure(run=output.big_output, hosts=1),
    "idle": Measure(run=idle.idle, hosts=1),
    "capacity": Measure(run=capacity.capacity, hosts=200, runs=3),
}

#: For the test suite: shows that the harness works, and that nothing became ten times slower.
SHORT: Mapping[str, Measure] = {"few_hosts": Measure(run=echo.few_hosts, hosts=4, runs=1)}
