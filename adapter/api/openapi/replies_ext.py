"""What is answered below /api/ext/v1 (adapter/api/records.py), by path; the rest there are streams and files."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api import ext
from adapter.api.openapi.members import Reply, Shape, flag, many, table, text, whole
from adapter.api.openapi.replies_cron import REPLIES_EXT
from adapter.api.openapi.replies_execution import HostName


class Delivery(Shape):
    """One POST to a callback URL."""

    attempt = whole()
    start_time = whole()
    total_time = whole(null=True)
    url = text()
    content_type = text()
    status = whole(null=True)
    error = text(null=True)


class Completion(Shape):
    """A completion of a job that a callback tells of."""

    completion = whole()
    state = text()
    create_time = whole()
    body = text()
    deliveries = many(Delivery)


class Callbacks(Shape):
    """A job's callbacks."""

    job_instance_id = whole()
    callback_url = text(null=True)
    signed = flag()
    completions = many(Completion)


class Printed(Shape):
    """How much was printed, and how much of it is kept."""

    bytes_total = whole()
    bytes_kept = whole()
    bytes_dropped = whole()


class HostLogSize(HostName):
    """How much a host printed; nobody knows before it has ended."""

    status = whole()
    finished = flag()
    bytes_total = whole(null=True)
    bytes_kept = whole(null=True)
    bytes_dropped = whole(null=True)


class LogSizes(Printed):
    """How much the hosts of a step printed."""

    job_instance_id = whole()
    step_instance_id = whole()
    execute_count = whole()
    hosts = whole()
    hosts_finished = whole()
    start = whole()
    length = whole()
    total = whole()
    data = many(HostLogSize)


class AuditEntry(Shape):
    """A launch, an operation or a change; or one that was refused."""

    id = whole()
    create_time = whole()
    end_time = whole(null=True)
    request_id = text()
    app_code = text()
    user = text()
    verified_by = text()
    token_id = text(null=True)
    peer = text()
    api = text()
    action = text()
    scope = text(null=True)
    code = whole(null=True)
    objects = table()


class AuditPage(Shape):
    """The newest entries, or those below an id."""

    length = whole()
    next = whole(null=True)
    data = many(AuditEntry)


REPLIES: Mapping[str, Reply] = {
    f"{ext.PREFIX}/job_instances/{{job_instance_id}}/callbacks": Callbacks,
    f"{ext.PREFIX}/step_instances/{{step_instance_id}}/logs": LogSizes,
    **REPLIES_EXT,
    f"{ext.PREFIX}/audit_log": AuditPage,
}
