"""The stored definitions, in one object for the API and for launching: accounts, scripts, templates, job plans."""

from __future__ import annotations

from adapter.ports import Clock
from adapter.service.catalog_accounts import AccountCatalog
from adapter.service.catalog_plans import PlanCatalog
from adapter.service.catalog_scripts import ScriptCatalog
from adapter.store.accounts import AccountStore
from adapter.store.password_key import PasswordKey
from adapter.store.plans import PlanStore
from adapter.store.scripts import ScriptStore


class Catalog(AccountCatalog, ScriptCatalog, PlanCatalog):
    """Every use case of the catalog, and the lookups of a launch: account(), script_version(), plan()."""

    def __init__(
        self,
        *,
        accounts: AccountStore,
        scripts: ScriptStore,
        plans: PlanStore,
        clock: Clock,
        passwords: PasswordKey,
    ) -> None:
        AccountCatalog.__init__(self, accounts, clock, passwords)
        ScriptCatalog.__init__(self, scripts, clock)
        PlanCatalog.__init__(self, plans, clock)
