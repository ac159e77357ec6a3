"""What is answered about crons (views_cron.py, cron_records.py)."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api import ext
from adapter.api.openapi.members import ListOf, PageOf, Reply, Shape, flag, many, one, text, whole
from adapter.api.openapi.replies_execution import InScope
from adapter.api.openapi.replies_steps import Listed


class CronVariable(Shape):
    """A value that a cron gives to a variable of its plan."""

    id = whole()
    name = text()
    type = whole()
    value = text(null=True)
    server = one(Listed, null=True)


class Cron(InScope):
    """A cron; of a change of its state only the id is told."""

    bk_scope_type = text(null=True)
    bk_scope_id = text(null=True)
    id = whole()
    job_plan_id = whole(null=True)
    name = text(null=True)
    status = whole(null=True)
    expression = text(null=True)
    global_var_list = many(CronVariable, null=True)
    creator = text(null=True)
    create_time = whole(null=True)
    last_modify_user = text(null=True)
    last_modify_time = whole(null=True)
    execute_time_zone = text(null=True)


class CronV2(InScope):
    """A cron, as v2 calls its parts."""

    bk_job_id = whole()
    job_name = text()
    cron_id = whole()
    cron_name = text()
    cron_status = whole()
    cron_expression = text(null=True)
    creator = text()
    create_time = text()
    last_modify_user = text()
    last_modify_time = text()


class CronId(Shape):
    """v2's update_cron_status."""

    cron_id = whole()


class CronRun(Shape):
    """What became of a time of a cron, or of several that were missed together."""

    state = text()
    fire_time = whole()
    last_fire_time = whole()
    times = whole()
    told_time = whole()
    job_instance_id = whole(null=True)
    code = whole(null=True)
    message = text()


class CronRuns(Shape):
    """A cron's times."""

    cron_id = whole()
    name = text()
    job_plan_id = whole()
    expression = text(null=True)
    execute_time = whole(null=True)
    execute_time_zone = text()
    started = flag()
    next_fire_time = whole(null=True)
    app_code = text()
    operator = text()
    start = whole()
    length = whole()
    total = whole()
    data = many(CronRun)


REPLIES: Mapping[str, Reply] = {
    "save_cron": Cron,
    "update_cron_status": Cron,
    "delete_cron": None,
    "get_cron_detail": Cron,
    "get_cron_list": PageOf(Cron),
}
REPLIES_V2: Mapping[str, Reply] = {
    "save_cron": CronV2,
    "update_cron_status": CronId,
    "get_cron_list": ListOf(CronV2),
}
REPLIES_EXT: Mapping[str, Reply] = {f"{ext.PREFIX}/crons/{{cron_id}}/runs": CronRuns}
