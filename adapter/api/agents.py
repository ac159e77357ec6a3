"""query_agent_info (contract d): which hosts answer, in the place of their agents (decision 42)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from adapter.api.call import Call
from adapter.api.fields import BaseSchema, Many, Number
from adapter.api.reports import JobReport, StepLogs
from adapter.errors import FieldInvalid, ScopeUnknown
from adapter.job.model import Host, Seen
from adapter.messages import say

#: JOB's limit; also of hosts that any one request has looked at.
MOST_HOSTS = 5000
_WAIT_SECONDS = 5.0
_SHORT_WAIT_SECONDS = 2.0

Found = Sequence[tuple[Host, Seen]]


class QueryAgentInfo(BaseSchema):
    """v3 query_agent_info."""

    host_id_list = Many(Number(required=True))


def info(call: Call) -> Found:
    """Those of the hosts that are in the scope and can be told of; JOB leaves the others out, too."""
    ids = call["host_id_list"]
    if not 1 <= len(ids) <= MOST_HOSTS:
        raise FieldInvalid("host_id_list", say("must list 1..{limit} hosts", limit=MOST_HOSTS))
    if not call.services.hosts.has_scope(call.scope):
        raise ScopeUnknown(str(call.scope))
    hosts = call.services.hosts.within(call.scope, ids)
    seen = call.services.reachability.seen(hosts, _WAIT_SECONDS)
    return [(host, seen[host.bk_host_id]) for host in hosts if host.bk_host_id in seen]


def agents(found: Found) -> dict[str, Any]:
    """The reply: status 1 answers, 0 does not."""
    return {
        "agent_info_list": [
            {"bk_host_id": host.bk_host_id, "status": int(seen.answers), "version": seen.version}
            for host, seen in found
        ]
    }


def _alive(call: Call, hosts: Iterable[Host], wait: float = 0) -> dict[int, int]:
    usable = (host for host in hosts if not host.is_invalid)
    seen = call.services.reachability.seen(list(islice(usable, MOST_HOSTS)), wait)
    return {bk_host_id: int(one.answers) for bk_host_id, one in seen.items()}


def with_alive(call: Call, report: JobReport) -> JobReport:
    """The report with what is known already: jobs are polled, and hosts are not looked at for that."""
    hosts = (item.host for items in (report.hosts or {}).values() for item in items)
    return replace(report, alive=_alive(call, hosts))


def logs_with_alive(call: Call, logs: StepLogs) -> StepLogs:
    """The same of logs."""
    return replace(logs, alive=_alive(call, logs.known.values()))


def alive(call: Call, hosts: Sequence[Host]) -> Mapping[int, int]:
    """1 or 0 of hosts that are looked at, or were lately: of the first 5000, after at most a short wait."""
    return _alive(call, hosts, _SHORT_WAIT_SECONDS)
