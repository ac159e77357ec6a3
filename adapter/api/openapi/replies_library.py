"""What v3 answers about accounts, scripts and dangerous rules (views_catalog.py, views_dangerous.py)."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api.openapi.members import ListOf, PageOf, Reply, Shape, many, table, text, whole
from adapter.api.openapi.replies_execution import InScope
from adapter.api.openapi.replies_steps import Authored


class Account(InScope, Authored):
    """An account."""

    id = whole()
    account = text()
    alias = text()
    category = whole()
    type = whole()
    db_system_account_id = whole(null=True)
    os = text()
    description = text(null=True)


class Agent(Shape):
    """What stands for a host's agent."""

    bk_host_id = whole()
    status = whole()
    version = text(null=True)


class Agents(Shape):
    """query_agent_info."""

    agent_info_list = many(Agent)


class PasswordEncryption(Shape):
    """get_account_password_encryption_metadata."""

    publicKey = text()  # noqa: N815 JOB's name
    encryptAlgorithm = text()  # noqa: N815 JOB's name


class OfLibrary(Authored):
    """Of a business's library, or of the public one: that has no scope."""

    bk_scope_type = text(null=True)
    bk_scope_id = text(null=True)
    bk_biz_id = whole(null=True)


class Script(OfLibrary):
    """A script."""

    id = text()
    name = text()
    script_language = whole()
    online_script_version_id = whole(null=True)
    description = text(null=True)


class ScriptVersion(OfLibrary):
    """A version of a script."""

    id = whole()
    script_id = text()
    name = text()
    version = text()
    content = text(null=True)
    status = whole()
    version_desc = text(null=True)
    script_language = whole()
    description = text(null=True)


class VersionStatus(Shape):
    """What became of a version."""

    id = whole()
    script_id = text()
    status = whole()


class DangerousRule(Authored):
    """A dangerous rule."""

    id = whole()
    expression = text()
    script_language_list = many(whole())
    description = text(null=True)
    action = whole()
    status = whole()


class RuleStatus(Shape):
    """Whether a rule is looked at."""

    id = whole()
    status = whole()


class Finding(Shape):
    """A line of a script that a rule matches, or that the shell cannot read."""

    line = whole()
    line_content = text(null=True)
    match_content = text(null=True)
    level = whole()
    description = text(null=True)


_OF_SCRIPTS: Mapping[str, Reply] = {
    "create_{script}": ScriptVersion,
    "create_{script}_version": ScriptVersion,
    "update_{script}_basic": Script,
    "update_{script}_version": ScriptVersion,
    "publish_{script}_version": VersionStatus,
    "disable_{script}_version": VersionStatus,
    "delete_{script}": None,
    "delete_{script}_version": None,
    "get_{script}_version_detail": ScriptVersion,
    "get_{script}_version_list": PageOf(ScriptVersion),
    "get_{script}_list": PageOf(Script),
}


class ServiceVersion(Shape):
    """get_latest_service_version."""

    version = text()


class NotifyPolicy(Shape):
    """Who is told of what, of jobs that something triggers."""

    trigger_type = text()
    resource_type_list = many(text())
    role_list = many(text())
    extra_observer_list = many(text())
    resource_status_channel_map = table(of=table())


REPLIES: Mapping[str, Reply] = {
    "query_agent_info": Agents,
    "create_account": Account,
    "update_account": Account,
    "delete_account": None,
    "get_account_list": PageOf(Account),
    "get_account_password_encryption_metadata": PasswordEncryption,
    **{
        name.format(script=script): reply
        for script in ("script", "public_script")
        for name, reply in _OF_SCRIPTS.items()
    },
    "get_latest_service_version": ServiceVersion,
    "get_notify_config": ListOf(NotifyPolicy),
    "create_dangerous_rule": DangerousRule,
    "update_dangerous_rule": DangerousRule,
    "enable_dangerous_rule": RuleStatus,
    "disable_dangerous_rule": RuleStatus,
    "delete_dangerous_rule": None,
    "get_dangerous_rule_list": ListOf(DangerousRule),
    "check_script": ListOf(Finding),
}
