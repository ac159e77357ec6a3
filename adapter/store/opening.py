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
from adapter.store.tables import installation


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
    key_file = settings.data_dir / "secret.key"
    is_new = not key_file.exists()
    box = SecretBox.of_file(key_file)
    engine = open_database(settings.database)
    try:
        migrate(engine, settings.data_dir / "migrate.lock")
        if not _is_key_of(engine, box):
            if is_new:
                key_file.unlink()  # nothing was ever encrypted with it
            raise ValueError(
                f"the secrets in {sa.make_url(settings.database).render_as_string()} are encrypted with another "
                f"key: copy secret.key from the data directory of a node that works to {key_file}"
            )
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


def _is_key_of(engine: sa.Engine, box: SecretBox) -> bool:
    """True if the database's secrets are this box's; the first to ask says so for good."""
    found = sa.select(installation.c.key_digest)
    with engine.begin() as connection:
        digest = connection.scalar(found)
    if digest is None:
        try:
            with engine.begin() as connection:
                connection.execute(sa.insert(installation).values(id=1, key_digest=box.digest))
        except sa.exc.IntegrityError:
            pass  # another process was first
        with engine.begin() as connection:
            digest = connection.scalar(found)
    return bool(digest == box.digest)
