"""`adapter apply`: accounts, scripts, job templates and plans from a file, all of it or nothing.

    scope: {type: biz, id: "2"}
    accounts:
      - {alias: root, account: root, login: {user: root, private_key_file: id_ed25519}}
    scripts:
      - {name: hello, language: 1, versions: [{version: "1.0", content: "echo $1", online: true}]}
    templates:
      - name: release
        variables: [{name: TARGETS, type: 3, server: {host_id_list: [101]}}]
        steps:
          - {name: say, script: {name: hello, param: hi, account: root}, target: {variable: TARGETS}}
        plans: [{name: release all}]

    dangerous_rules:
      - {expression: 'rm +-rf +/', script_language_list: [1], action: 2}
    permissions:
      - {app: my_app, user: ann, actions: [view, launch], accounts: [root]}

What is there already is found by its name, or by an id that the file gives. The same file twice changes
nothing the second time. What a file does not mention stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from adapter import errors
from adapter.job.model import PUBLIC, Scope
from adapter.ports import Clock
from adapter.service import apply_file
from adapter.service.apply_accounts import apply_accounts
from adapter.service.apply_dangerous import apply_dangerous_rules
from adapter.service.apply_file import ApplyError, Node
from adapter.service.apply_permissions import apply_permissions
from adapter.service.apply_scripts import apply_scripts
from adapter.service.apply_session import Change, Session
from adapter.service.apply_templates import apply_templates
from adapter.store import tables, tables_access
from adapter.store.accounts import AccountStore
from adapter.store.apps import AppStore
from adapter.store.dangerous import DangerousRuleStore
from adapter.store.file_sources import FileSourceStore
from adapter.store.permissions import PermissionStore
from adapter.store.plans import PlanStore
from adapter.store.scripts import ScriptStore
from adapter.store.secrets import SecretBox
from adapter.store.transactions import exclusive
from adapter.store.uploads import UploadStore

__all__ = ["Apply", "ApplyError", "Change"]

_TABLES = (
    tables.account,
    tables.script,
    tables.script_version,
    tables.job_template,
    tables.template_step,
    tables.job_plan,
    tables.dangerous_rule,
    tables_access.permission,
)


class Apply:
    """Applies definition files to one database."""

    def __init__(
        self, *, engine: sa.Engine, box: SecretBox, clock: Clock, environ: Mapping[str, str], operator: str
    ) -> None:
        self._engine = engine
        self._box = box
        self._clock = clock
        self._environ = environ
        self._operator = operator

    def apply(self, text: str, directory: Path) -> tuple[Change, ...]:
        """Apply a file's text in one transaction; answers what changed. Paths in it start from `directory`.

        Raises ApplyError, and nothing has changed.
        """
        root = apply_file.load(text)
        scope = _scope(root.child("scope"))
        try:
            with exclusive(self._engine, *_TABLES) as connection:
                session = Session(
                    scope=scope,
                    accounts=AccountStore(connection, self._box),
                    scripts=ScriptStore(connection),
                    plans=PlanStore(connection, self._box),
                    dangerous=DangerousRuleStore(connection),
                    apps=AppStore(connection),
                    permissions=PermissionStore(connection),
                    uploads=UploadStore(connection),
                    file_sources=FileSourceStore(connection),
                    directory=directory,
                    environ=self._environ,
                    operator=self._operator,
                    now_ms=self._clock.now_ms(),
                )
                apply_accounts(session, root.children("accounts"))
                apply_scripts(replace(session, scope=PUBLIC), root.children("public_scripts"))
                apply_scripts(session, root.children("scripts"))
                apply_templates(session, root.children("templates"))
                apply_dangerous_rules(session, root.children("dangerous_rules"))
                apply_permissions(session, root.children("permissions"))
                root.finish()
        except errors.JobError as error:
            raise ApplyError(error.message) from error
        return tuple(session.changes)


def _scope(node: Node) -> Scope:
    kind = node.text(
        "type", rule=lambda value: None if value in ("biz", "biz_set") else "must be biz or biz_set"
    )
    value = node.raw("id")
    is_number = isinstance(value, int) and not isinstance(value, bool)
    scope_id = str(value) if is_number else node.text("id")
    node.checked("id", scope_id, _scope_id)
    node.finish()
    return Scope(kind, scope_id)


def _scope_id(value: str) -> str | None:
    is_id = re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value, re.ASCII)
    return None if is_id else "must be 1 to 64 letters, digits, _ and -"
