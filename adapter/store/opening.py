"""Opening what a data directory holds: the database, brought up to date, and the key of its secrets."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from adapter.config import Settings
from adapter.store.accounts import AccountStore
from adapter.store.apps import AppStore
from adapter.store.database import migrate, open_database
from adapter.store.plans import PlanStore
from adapter.store.scripts import ScriptStore
from adapter.store.secrets import SecretBox


@dataclass(frozen=True, kw_only=True)
class Stores:
    """The stores of one database. Whoever opened them calls close()."""

    engine: sa.Engine
    box: SecretBox
    apps: AppStore
    accounts: AccountStore
    scripts: ScriptStore
    plans: PlanStore

    def close(self) -> None:
        """Give the database's connections back."""
        self.engine.dispose()


def open_store(settings: Settings) -> Stores:
    """Open the data directory, making what is not there yet. Safe beside a running service."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    box = SecretBox.of_file(settings.data_dir / "secret.key")
    engine = open_database(settings.database)
    try:
        migrate(engine, settings.data_dir / "migrate.lock")
    except BaseException:
        engine.dispose()
        raise
    return Stores(
        engine=engine,
        box=box,
        apps=AppStore(engine),
        accounts=AccountStore(engine, box),
        scripts=ScriptStore(engine),
        plans=PlanStore(engine, box),
    )
