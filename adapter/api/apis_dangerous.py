"""The APIs of dangerous rules, and of what they find in a script (contract d)."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api import dangerous_v3, schemas_dangerous, scopes, views_catalog, views_dangerous
from adapter.api.endpoints import Endpoint, endpoint
from adapter.job.actions import Action

DANGEROUS: Mapping[str, Endpoint] = {
    "create_dangerous_rule": endpoint(
        schemas_dangerous.CreateDangerousRule,
        dangerous_v3.create,
        views_dangerous.rule,
        scopes.none,
        action=Action.MANAGE,
    ),
    "update_dangerous_rule": endpoint(
        schemas_dangerous.UpdateDangerousRule,
        dangerous_v3.update,
        views_dangerous.rule,
        scopes.none,
        action=Action.MANAGE,
    ),
    "enable_dangerous_rule": endpoint(
        schemas_dangerous.OneDangerousRule,
        dangerous_v3.enable,
        views_dangerous.status,
        scopes.none,
        action=Action.MANAGE,
    ),
    "disable_dangerous_rule": endpoint(
        schemas_dangerous.OneDangerousRule,
        dangerous_v3.disable,
        views_dangerous.status,
        scopes.none,
        action=Action.MANAGE,
    ),
    "delete_dangerous_rule": endpoint(
        schemas_dangerous.OneDangerousRule,
        dangerous_v3.delete,
        views_catalog.nothing,
        scopes.none,
        action=Action.MANAGE,
    ),
    "get_dangerous_rule_list": endpoint(
        schemas_dangerous.GetDangerousRuleList,
        dangerous_v3.rules,
        views_dangerous.rules,
        scopes.none,
        action=Action.VIEW,
    ),
    "check_script": endpoint(
        schemas_dangerous.CheckScript,
        dangerous_v3.check,
        views_dangerous.findings,
        scopes.none,
        action=Action.VIEW,
    ),
}
