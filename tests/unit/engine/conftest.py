"""A store on a real database and a runtime directory: what the parts of the engine stand on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from adapter.config import Settings
from adapter.engine.callback import Callbacks
from adapter.engine.given_files import Placing
from adapter.engine.post import Post
from adapter.engine.preparation import Preparation
from adapter.engine.providing import Provider, Providing
from adapter.job.commands import Caller
from adapter.job.egress import EgressRule
from adapter.job.model import Host, JobInstance, Scope, ScriptTask, StepInstance
from adapter.job.status import FileType
from adapter.job.upload import Upload
from adapter.store.accounts import AccountStore
from adapter.store.callbacks import CallbackStore
from adapter.store.database import migrate, open_database
from adapter.store.given_files import GivenFiles
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore
from adapter.store.secrets import SecretBox
from adapter.store.uploads import UploadStore
from adapter.testing.hosts import MemoryHosts

SCOPE = Scope("biz", "2")
ONE = Host(bk_host_id=1, bk_cloud_id=0, ip="127.0.0.1", name="one")
TWO = Host(bk_host_id=2, bk_cloud_id=0, ip="127.0.0.2", name="two")


@dataclass(kw_only=True)
class Bench:
    """Stores, hosts and a clock that stands."""

    directory: Path
    engine: sa.Engine
    box: SecretBox
    jobs: JobStore
    logs: LogStore
    accounts: AccountStore
    hosts: MemoryHosts
    settings: Settings
    now: int = field(default=1_720_069_567_089)

    def now_ms(self) -> int:
        """Itself as a clock."""
        return self.now

    def job(
        self,
        *contents: str,
        callback_url: str | None = None,
        started: bool = True,
        account_id: int = 0,
        hosts: tuple[Host, ...] = (ONE, TWO),
        callback_secret: str | None = None,
    ) -> JobInstance:
        """A stored job with a step for each script."""
        steps = tuple(
            StepInstance(
                order=order,
                name=f"step {order}",
                script=ScriptTask(language=1, content=content, account_id=account_id),
                create_time=self.now,
            )
            for order, content in enumerate(contents or ("true",))
        )
        job = JobInstance(scope=SCOPE, steps=steps, callback_url=callback_url, started=started, create_time=1)
        caller = Caller(app_code="app", user="admin", callback_secret=callback_secret)
        return self.jobs.add(job, [hosts] * len(steps), caller=caller)

    def again(self, job: JobInstance) -> JobInstance:
        """The job as it is stored now."""
        found = self.jobs.get(job.id)
        assert found is not None
        return found

    def callbacks(self, timeout: float = 5, pauses: tuple[float, ...] = (), *allowed: str) -> Callbacks:
        """What tells callbacks; receivers of this machine may be told unless others are named."""
        rule = EgressRule.of(allowed or ("127.0.0.0/8",))
        post = Post(rule=rule, timeout=timeout)
        store = CallbackStore(self.engine)
        return Callbacks(jobs=self.jobs, store=store, post=post, clock=self, pauses=pauses)

    def placing(self) -> Placing:
        """What brings given files to runs."""
        contents = GivenFiles(self.engine, self.box)
        return Placing(contents=contents, clock=self, directory=self.directory / "given")

    def upload(self, *paths: str) -> None:
        """Rows of whole files that were uploaded under these paths; of their bytes there are none."""
        store = UploadStore(self.engine)
        for path in paths:
            _, id_, user, name = path.split("/", 3)
            made = Upload(
                id=id_,
                scope=SCOPE,
                path=path,
                name=name,
                app_code="app",
                creator=user,
                create_time=self.now,
                token_hash="",
                expire_time=self.now + 1,
            )
            store.add([made])
            store.complete(id_, 1, "0" * 64, self.now, lambda: None)

    def providing(self, providers: Mapping[FileType, Provider] | None = None) -> Providing:
        """What brings files to runs that the service itself gets."""
        return Providing(providers=providers or {}, cache=self.directory / "cache", clock=self)

    def preparation(self) -> Preparation:
        """What makes run inputs."""
        return Preparation(
            jobs=self.jobs,
            accounts=self.accounts,
            hosts=self.hosts,
            settings=self.settings,
            installation="unit",
        )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """An empty store on SQLite and two hosts."""
    yield from made_bench(tmp_path)


def made_bench(tmp_path: Path, database_url: str = "") -> Iterator[Bench]:
    """The same on any database."""
    settings = Settings(data_dir=tmp_path / "data", database_url=database_url)
    settings.data_dir.mkdir()
    engine = open_database(settings.database)
    migrate(engine, tmp_path / "lock")
    box = SecretBox(Fernet.generate_key())
    local = {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}
    yield Bench(
        directory=tmp_path,
        engine=engine,
        box=box,
        jobs=JobStore(engine, box),
        logs=LogStore(engine),
        accounts=AccountStore(engine, box),
        hosts=MemoryHosts([ONE, TWO], {"biz_2": ["one", "two"]}, variables={"one": local, "two": local}),
        settings=settings,
    )
    engine.dispose()


@pytest.fixture
def runtime() -> Iterator[Path]:
    """A private directory whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="r") as directory:
        yield Path(directory)
