"""A valid request for every API of crons, without the scope."""

from __future__ import annotations

from typing import Any

CRONS_V3: dict[str, dict[str, Any]] = {
    "save_cron": {
        "job_plan_id": 1000,
        "name": "nightly",
        "expression": "0 3 * * *",
        "execute_time_zone": "Asia/Shanghai",
        "global_var_list": [{"name": "word", "value": "hi"}],
    },
    "update_cron_status": {"id": 1, "status": 1},
    "delete_cron": {"id": 1},
    "get_cron_detail": {"id": 1},
    "get_cron_list": {"name": "n", "status": 1, "create_time_start": 1_700_000_000, "start": 0, "length": 20},
}
CRONS_V2: dict[str, dict[str, Any]] = {
    "save_cron": {"bk_job_id": 1000, "cron_name": "nightly", "cron_expression": "0 3 * * *"},
    "update_cron_status": {"cron_id": 1, "cron_status": 1},
    "get_cron_list": {"cron_name": "n", "cron_status": 1, "create_time_start": "2023-01-01"},
}
