"""One valid request for each API, without credentials."""

from __future__ import annotations

import copy
from typing import Any

from adapter.api.apis import V2, V3, V4

from .bodies_credentials import CREDENTIALS
from .bodies_cron import CRONS_V2, CRONS_V3
from .bodies_file_sources import FILE_SOURCES
from .bodies_uploads import UPLOADS

HOSTS = {"host_id_list": [101], "ip_list": [{"bk_cloud_id": 0, "ip": "10.0.0.1"}]}
IP_LIST = [{"bk_cloud_id": 0, "ip": "10.0.0.1"}]
SCOPE = {"bk_scope_type": "biz", "bk_scope_id": "1"}

_V3: dict[str, dict[str, Any]] = {
    "fast_execute_script": {
        "script_content": "ZWNobyAkMQ==",
        "script_language": 1,
        "script_param": "aGVsbG8=",
        "account_alias": "root",
        "target_server": HOSTS,
        "timeout": 1000,
        "task_name": "Test",
        "is_param_sensitive": 0,
        "callback_url": "http://10.0.0.1:8000/callback?a=1",
    },
    "fast_execute_sql": {
        "script_content": "U0VMRUNUIDE7",
        "db_account_id": 7,
        "target_server": HOSTS,
        "timeout": 1000,
        "task_name": "Test",
        "callback_url": "https://example.com",
        "start_task": True,
    },
    "fast_transfer_file": {
        "file_target_path": "/tmp/[FILESRCIP]/",
        "account_alias": "root",
        "target_server": HOSTS,
        "file_source_list": [
            {"file_list": ["/tmp/REGEX:[a-z]*.txt"], "account": {"id": 1}, "server": HOSTS, "file_type": 1}
        ],
        "timeout": 1000,
        "transfer_mode": 1,
        "upload_speed_limit": 10,
        "download_speed_limit": 0,
    },
    "push_config_file": {
        "account_alias": "root",
        "file_target_path": "/etc/app/",
        "target_server": HOSTS,
        "file_list": [{"file_name": "app.conf", "content": "YT0xCg=="}],
        "task_name": "Test",
        "callback_url": "https://example.com",
    },
    "execute_job_plan": {
        "job_plan_id": 1,
        "global_var_list": [{"id": 1, "value": "a"}, {"name": "hosts", "server": HOSTS}],
        "callback_url": "https://example.com",
    },
    "bkci_plugin_fast_execute_script": {
        "task_name": "build",
        "script_content": "ZWNobyAkMQ==",
        "script_language": 1,
        "script_param": "aGk=",
        "is_param_sensitive": "true",
        "account_alias": "root",
        "timeout": 60,
        "execute_target": {
            "host_list": [{"bk_host_id": 101}],
            "host_dynamic_group_list": [{"id": "3"}],
            "host_topo_node_list": [{"id": 1000, "node_type": "module"}],
        },
        "callback": {"url": "http://10.0.0.1/told"},
    },
    "bkci_plugin_fast_transfer_file": {
        "file_target_path": " /tmp/ ",
        "account_id": 2,
        "execute_object": {"host_list": [{"bk_host_id": 101}]},
        "file_source_list": [
            {"file_list": ["/etc/x"], "account": {"id": 1}, "server": {"host_id_list": [101]}, "file_type": 1}
        ],
        "callback_url": "http://10.0.0.1/told",
    },
    "bkci_plugin_get_job_instance_status": {
        "job_instance_id": 100,
        "include_execute_object_task_result": True,
    },
    "bkci_plugin_batch_get_job_instance_execute_object_log": {
        "job_instance_id": 100,
        "step_instance_id": 200,
        "execute_object_list": [{"type": 1, "resource_id": "101"}],
    },
    "get_job_instance_status": {"job_instance_id": 100, "return_ip_result": True},
    "get_job_instance_ip_log": {"job_instance_id": 100, "step_instance_id": 200, "bk_host_id": 101},
    "batch_get_job_instance_ip_log": {
        "job_instance_id": 100,
        "step_instance_id": 200,
        "host_id_list": [101, 999],
        "ip_list": IP_LIST,
    },
    "get_job_instance_list": {
        "create_time_start": 1_700_000_000_000,
        "create_time_end": 1_700_000_600_000,
        "status": 3,
        "name": "Te",
        "start": 0,
        "length": 20,
    },
    "operate_job_instance": {"job_instance_id": 100, "operation_code": 1},
    "operate_step_instance": {"job_instance_id": 100, "step_instance_id": 200, "operation_code": 2},
    "get_step_instance_detail": {"job_instance_id": 100, "step_instance_id": 200},
    "get_step_instance_status": {
        "job_instance_id": 100,
        "step_instance_id": 200,
        "execute_count": 0,
        "batch": 0,
        "max_host_num_per_group": 10,
        "keyword": "l",
        "search_ip": "10.",
        "status": 9,
        "tag": "ok",
    },
    "get_job_instance_global_var_value": {"job_instance_id": 100},
    "get_job_template_list": {"name": "re", "start": 0, "length": 20},
    "get_job_plan_list": {"name": "plan", "job_template_id": 1, "start": 0, "length": 20},
    "get_job_plan_detail": {"job_plan_id": 1},
    "query_agent_info": {"host_id_list": [101]},
    "create_account": {
        "account": "app",
        "type": 1,
        "category": 1,
        "alias": "fuzzed",
        "password": "secret",
        "description": "d",
    },
    "get_account_list": {"category": 1, "alias": "a", "account": "b", "start": 0, "length": 20},
    "get_account_password_encryption_metadata": {},
    "create_dangerous_rule": {
        "expression": "rm +-rf",
        "script_language_list": [1],
        "action": 1,
        "description": "d",
    },
    "update_dangerous_rule": {
        "id": 1,
        "expression": "rm +-r",
        "script_language_list": [1, 4],
        "action": 1,
        "description": "d",
    },
    "enable_dangerous_rule": {"id": 1},
    "disable_dangerous_rule": {"id": 1},
    "delete_dangerous_rule": {"id": 1},
    "get_dangerous_rule_list": {
        "expression": "rm",
        "script_language_list": [1],
        "description": "d",
        "action": 1,
    },
    "check_script": {"script_language": 1, "content": "ZWNobyAkMQ=="},
    "update_account": {"id": 1, "alias": "web", "password": "p", "description": "d"},
    "delete_account": {"id": 1},
    "get_latest_service_version": {},
    "get_notify_config": {},
    "create_script": {
        "name": "hello",
        "script_language": 1,
        "content": "ZWNobyAkMQ==",
        "version": "1.0",
        "description": "d",
    },
    "create_script_version": {"script_id": "x", "content": "ZWNobyAkMQ==", "version": "2.0"},
    "publish_script_version": {"script_id": "x", "script_version_id": 1},
    "disable_script_version": {"script_id": "x", "script_version_id": 1},
    "update_script_basic": {"script_id": "x", "name": "hello", "description": "d"},
    "update_script_version": {
        "script_id": "x",
        "script_version_id": 1,
        "content": "ZWNobyAkMQ==",
        "version_desc": "d",
    },
    "delete_script": {"script_id": "x"},
    "delete_script_version": {"script_id": "x", "script_version_id": 1},
    "get_script_list": {"name": "h", "script_language": 0, "start": 0, "length": 20},
    "get_script_version_list": {"script_id": "x", "return_script_content": True},
    "get_script_version_detail": {"id": 1, "script_id": "x", "version": "1.0"},
}

_TARGETS_V2 = {"ip_list": IP_LIST, "custom_query_id": ["3"]}

#: Public scripts have the same requests; the scope that `v3` gives is not looked at.
_V3 |= {
    name.replace("script", "public_script", 1): body
    for name, body in _V3.items()
    if name.replace("script", "public_script", 1) in V3
}

_V2: dict[str, dict[str, Any]] = {
    "execute_platform_job": {
        "source_bk_biz_id": 1,
        "target_bk_biz_id": 2,
        "bk_job_id": 1,
        "steps": [
            {"step_id": 1, "script_content": "ZWNobyAkMQ==", "script_type": 1, "account": "root"},
            {
                "step_id": 2,
                "file_target_path": "/tmp/",
                "file_source": [{"files": ["/tmp/a"], "account": "root", **_TARGETS_V2}],
                **_TARGETS_V2,
            },
        ],
    },
    "execute_job": {"bk_job_id": 1, "global_vars": [{"name": "a", "value": "b"}, {"id": 2, **_TARGETS_V2}]},
    "fast_execute_script": {
        "script_content": "ZWNobyAkMQ==",
        "script_type": 1,
        "script_param": "aGVsbG8=",
        "script_timeout": 1000,
        "account": "root",
        **_TARGETS_V2,
    },
    "fast_execute_sql": {
        "script_content": "U0VMRUNUIDE7",
        "db_account_id": 7,
        "script_timeout": 1000,
        "task_name": "Test",
        **_TARGETS_V2,
    },
    "fast_push_file": {
        "account": "root",
        "file_target_path": "/tmp/",
        "file_source": [{"files": ["/tmp/a"], "account": "root", **_TARGETS_V2}],
        **_TARGETS_V2,
    },
    "push_config_file": {
        "account": "root",
        "file_target_path": "/etc/app/",
        "file_list": [{"file_name": "app.conf", "content": "YT0xCg=="}],
        **_TARGETS_V2,
    },
    "get_job_instance_status": {"job_instance_id": 100},
    "get_job_instance_log": {"job_instance_id": 100},
    "operate_job_instance": {"job_instance_id": 100, "operation_code": 1},
    "operate_step_instance": {"job_instance_id": 100, "step_instance_id": 200, "operation_code": 2},
    "get_step_instance_status": {"job_instance_id": 100, "step_instance_id": 200},
    "get_job_instance_global_var_value": {"job_instance_id": 100},
    "get_job_list": {"name": "plan", "create_time_start": "2020-01-31", "start": 0, "length": 20},
    "get_job_detail": {"bk_job_id": 1},
}


_CONTEXT = {
    "job_instance_id": 100,
    "step_instance_id": 200,
    "execute_count": 0,
    "execute_object_type": 1,
    "execute_object_resource_id": 101,
}
_V2 |= {
    "get_script_list": {"is_public": False, "script_name": "h", "script_type": 1, "start": 0, "length": 10},
    "get_public_script_list": {"script_name": "h", "return_script_content": True},
    "get_script_detail": {"id": 1},
    "get_os_account": {},
    "get_own_db_account_list": {"start": 0, "length": 10},
}

_V4: dict[str, dict[str, Any]] = {
    "get_user_authorized_scopes": {"offset": 0, "length": 20},
    "fast_execute_script": {
        **{
            name: value
            for name, value in _V3["fast_execute_script"].items()
            if name not in ("target_server", "is_param_sensitive")
        },
        "execute_target": {
            "host_list": [{"bk_host_id": 101}, {"bk_cloud_id": 0, "ip": "10.0.0.1"}],
            "dynamic_group_list": [{"id": "3"}],
            "topo_node_list": [{"id": 1000, "node_type": "module"}],
        },
        "param_sensitive": False,
    },
    "get_job_instance_status": {"job_instance_id": 100, "return_execute_object_result": True},
    "batch_get_job_instance_execute_object_log": {
        "job_instance_id": 100,
        "step_instance_id": 200,
        "host_id_list": [101, 999],
        "ip_list": IP_LIST,
    },
    "get_job_instance_list": {
        "create_time_start": 1_700_000_000_000,
        "create_time_end": 1_700_000_600_000,
        "status": 3,
        "name": "Te",
        "offset": 0,
        "length": 20,
    },
    "create_job_plan": {
        "job_template_id": 1,
        "name": "made",
        "enable_steps": [1],
        "variables": [{"name": "word", "value": "ho"}],
    },
    "get_job_template_detail": {"id": 1},
    "get_script_task_context": _CONTEXT,
    "get_file_task_context": {**_CONTEXT, "step_instance_id": 201, "mode": 1},
}


def v3(name: str, /, **changes: Any) -> dict[str, Any]:
    """A valid v3 request with changes; None takes a field away."""
    return _changed({**SCOPE, **_V3[name]}, changes)


def v4(name: str, /, **changes: Any) -> dict[str, Any]:
    """A valid v4 request with changes; None takes a field away."""
    return _changed({**SCOPE, **_V4[name]}, changes)


def v2(name: str, /, **changes: Any) -> dict[str, Any]:
    """A valid v2 request with changes; None takes a field away."""
    scope = {} if name in ("execute_platform_job", "get_public_script_list") else {"bk_biz_id": 1}
    return _changed({**scope, **_V2[name]}, changes)


def _changed(body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = {**copy.deepcopy(body), **changes}
    return {name: value for name, value in merged.items() if value is not None}


_V3 |= CREDENTIALS
_V3 |= FILE_SOURCES
_V3 |= UPLOADS
_V3 |= CRONS_V3
_V2 |= CRONS_V2
assert set(_V3) == set(V3)
assert set(_V2) == set(V2)
assert set(_V4) == set(V4)
