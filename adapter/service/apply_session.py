"""What the parts of one `adapter apply` share: the transaction's stores, the scope, the changes so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adapter.job.model import Account, Scope
from adapter.service.apply_file import Node
from adapter.store.accounts import AccountStore
from adapter.store.apps import AppStore
from adapter.store.dangerous import DangerousRuleStore
from adapter.store.file_sources import FileSourceStore
from adapter.store.permissions import PermissionStore
from adapter.store.plans import PlanStore
from adapter.store.scripts import ScriptStore
from adapter.store.uploads import UploadStore


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that was created, updated or deleted."""

    action: str  #: "created", "updated" or "deleted"
    kind: str  #: "account", "script", "script version", "template", "plan", "dangerous rule", "permission"
    name: str
    id: int | str

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.action} {self.kind} [{self.name}] (id {self.id})"


@dataclass(frozen=True, kw_only=True)
class Session:
    """One file being applied. Ends with its transaction."""

    scope: Scope
    accounts: AccountStore
    scripts: ScriptStore
    plans: PlanStore
    dangerous: DangerousRuleStore
    apps: AppStore
    permissions: PermissionStore
    uploads: UploadStore
    file_sources: FileSourceStore
    directory: Path  #: that the file's relative paths start from
    environ: Mapping[str, str]
    operator: str
    now_ms: int
    changes: list[Change] = field(default_factory=list)

    def changed(self, action: str, kind: str, name: str, id: int | str) -> None:
        """Note a change."""
        self.changes.append(Change(action=action, kind=kind, name=name, id=id))

    def account_of(self, node: Node) -> Account:
        """The account that `account` (an alias) or `account_id` of `node` names."""
        account_id = node.identifier("account_id")
        if account_id is not None:
            account = self.accounts.get(account_id)
            if account is None:
                node.fail("account_id", f"no account of id {account_id}")
            return account
        alias = node.text("account")
        account = self.accounts.by_alias(self.scope, alias)
        if account is None:
            node.fail("account", f"no account [{alias}] in {self.scope}")
        return account
