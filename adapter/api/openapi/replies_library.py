"""What v3 answers about accounts, scripts and dangerous rules (views_catalog.py, views_dangerous.py)."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api.openapi.members import ListOf, PageOf, Reply, Shape, many, text, whole
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


class Script(InScope, Authored):
    """A script."""

    id = text()
    name = text()
    script_language = whole()
    online_script_version_id = whole(null=True)
    description = text(null=True)


class ScriptVersion(InScope, Authored):
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
    """A line of a script that a rule matches."""

    line = whole()
    line_content = text()
    match_content = text()
    level = whole()
    description = text(null=True)


REPLIES: Mapping[str, Reply] = {
    "query_agent_info": Agents,
    "create_account": Account,
    "get_account_list": PageOf(Account),
    "get_account_password_encryption_metadata": PasswordEncryption,
    "create_script": ScriptVersion,
    "create_script_version": ScriptVersion,
    "get_script_version_detail": ScriptVersion,
    "get_script_version_list": PageOf(ScriptVersion),
    "get_script_list": PageOf(Script),
    "publish_script_version": VersionStatus,
    "create_dangerous_rule": DangerousRule,
    "update_dangerous_rule": DangerousRule,
    "enable_dangerous_rule": RuleStatus,
    "disable_dangerous_rule": RuleStatus,
    "delete_dangerous_rule": None,
    "get_dangerous_rule_list": ListOf(DangerousRule),
    "check_script": ListOf(Finding),
}
