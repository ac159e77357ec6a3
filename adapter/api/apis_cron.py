"""The APIs of JOB's service job-crontab, v3's and v2's, as data."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api import crons, schemas_cron, views_cron
from adapter.api.endpoints import Endpoint, endpoint
from adapter.job.actions import Action

CRONS_V3: Mapping[str, Endpoint] = {
    "save_cron": endpoint(schemas_cron.SaveCron, crons.save, views_cron.saved, action=Action.MANAGE),
    "update_cron_status": endpoint(
        schemas_cron.UpdateCronStatus, crons.update_status, views_cron.status, action=Action.MANAGE
    ),
    "delete_cron": endpoint(schemas_cron.OneCron, crons.delete, views_cron.nothing, action=Action.MANAGE),
    "get_cron_detail": endpoint(schemas_cron.OneCron, crons.detail, views_cron.detail, action=Action.VIEW),
    "get_cron_list": endpoint(schemas_cron.GetCronList, crons.page, views_cron.page, action=Action.VIEW),
}

CRONS_V2: Mapping[str, Endpoint] = {
    "save_cron": endpoint(schemas_cron.SaveCronV2, crons.save_v2, views_cron.cron_v2, action=Action.MANAGE),
    "update_cron_status": endpoint(
        schemas_cron.UpdateCronStatusV2, crons.update_status_v2, views_cron.status_v2, action=Action.MANAGE
    ),
    "get_cron_list": endpoint(
        schemas_cron.GetCronListV2, crons.page_v2, views_cron.page_v2, action=Action.VIEW
    ),
}
