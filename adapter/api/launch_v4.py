"""v4's launch: v3's, with the fields named and checked as v4 does (contract c, v4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapter.api import launch_v3, targets
from adapter.api.call import Call
from adapter.errors import FieldInvalid, NotSupported, ScopeUnknown
from adapter.job.commands import Launched
from adapter.job.model import IpRef, Server
from adapter.messages import say


def execute_script(call: Call) -> Launched:
    """fast_execute_script."""
    fields = call.fields
    _check(fields)
    v3_fields = {**fields, "is_param_sensitive": fields["param_sensitive"]}
    if fields["script_version_id"] is not None or fields["script_id"] is not None:
        v3_fields["script_content"] = None  # v4 looks at neither the text nor its language then
    target = server_of(call, fields["execute_target"])
    return launch_v3.execute_script_on(replace(call, fields=v3_fields), target)


def _check(fields: Mapping[str, Any]) -> None:
    """What v4's validation has beyond the form of each field."""
    target = fields["execute_target"]
    if target is None or not any(target.values()):
        raise FieldInvalid("execute_target", say("needs at least one host, dynamic group or topology node"))
    if all(fields[name] is None for name in ("script_version_id", "script_id", "script_content")):
        raise FieldInvalid("script_content", say("is required without script_version_id and script_id"))
    if fields["account_id"] is None and fields["account_alias"] is None:
        raise FieldInvalid("account_id", say("is required, or account_alias"))


def server_of(call: Call, fields: Mapping[str, Any] | None) -> Server:
    """Hosts by id and by address are united, other than in v3: addresses become ids where both are given."""
    if fields is None:
        return Server()
    if fields["kube_container_filters"] is not None:
        raise NotSupported(
            say("execute_target.kube_container_filters; there are no containers here, only hosts")
        )
    listed = fields["host_list"]
    ids = [host["bk_host_id"] for host in listed if host["bk_host_id"] is not None]
    ips = [
        IpRef(bk_cloud_id=host["bk_cloud_id"], ip=host["ip"]) for host in listed if host["bk_host_id"] is None
    ]
    if ids and ips:
        hosts = call.services.hosts
        if not hosts.has_scope(call.scope):
            raise ScopeUnknown(str(call.scope))
        ids += [host.bk_host_id for host in hosts.resolve(call.scope, Server(ips=tuple(ips)))]
        ips = []
    return Server(
        host_ids=tuple(ids),
        ips=tuple(ips),
        dynamic_groups=tuple(group["id"] for group in fields["dynamic_group_list"]),
        topo_nodes=targets.topo_nodes(fields["topo_node_list"]),
    )
