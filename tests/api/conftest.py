"""The application over real access and catalog (SQLite), with doubles for what would run Ansible."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapter.api.application import Services, create_app
from adapter.api.event_stream import OpenStreams
from adapter.config import Settings
from adapter.engine.shell_syntax import shell_syntax
from adapter.job.egress import EgressRule
from adapter.job.model import Host
from adapter.service.applications import Applications
from adapter.service.audit_log import AuditLog
from adapter.service.authentication import Authentication
from adapter.service.bundle import Bundles
from adapter.service.catalog import Catalog
from adapter.service.credentials import Credentials
from adapter.service.crons import Crons
from adapter.service.dangerous_scripts import DangerousScripts
from adapter.service.file_sources import FileSources
from adapter.service.follow import Follow
from adapter.service.gateway_jwt import GatewayJwt
from adapter.service.records import Records
from adapter.service.script_check import ScriptCheck
from adapter.service.uploads import Uploads
from adapter.store.audit_log import AuditLogStore
from adapter.store.callbacks import CallbackStore
from adapter.store.changes import JobChanges
from adapter.store.credentials import CredentialStore
from adapter.store.crons import CronStore
from adapter.store.dangerous import DangerousRuleStore
from adapter.store.file_sources import FileSourceStore
from adapter.store.jobs import JobStore
from adapter.store.log_accounts import LogAccounts
from adapter.store.logs import LogStore
from adapter.store.opening import Stores, open_store
from adapter.store.password_key import PasswordKey
from adapter.store.upload_files import UploadFiles
from adapter.store.uploads import UploadStore
from adapter.store.workers import WorkerStore
from adapter.testing.hosts import MemoryHosts
from adapter.testing.reachability import MemoryReachability

from .client import JobClient, TestClient
from .doubles import MemoryQuery, RecordingLaunch, RecordingOperate

MAX_BODY = 256 * 1024


class StoppedClock:
    """Always the same moment."""

    def now_ms(self) -> int:
        return 1_700_000_000_000


@dataclass
class World:
    """The application and everything a test wants to look at."""

    stores: Stores
    hosts: MemoryHosts
    services: Services
    reachability: MemoryReachability
    launch: RecordingLaunch
    operate: RecordingOperate
    query: MemoryQuery
    applications: Applications
    http: TestClient
    job: JobClient


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """One database for all tests; each has an application of its own."""
    opened = open_store(Settings(data_dir=Path(tmp_path_factory.mktemp("data"))))
    yield opened
    opened.close()


@pytest.fixture
def world(stores: Stores, request: pytest.FixtureRequest) -> Iterator[World]:
    """A fresh application with one caller, `esb_test`, that may do everything."""
    with make_world(stores) as made:
        yield made.world


@pytest.fixture
def job(world: World) -> World:
    """The world with a job of a script step and a file step in it."""
    from .jobs import known_job  # which is made of worlds

    return known_job(world)


class make_world:  # noqa: N801 used like a function
    """A world as a context, also for tests that want to share one."""

    def __init__(
        self,
        stores: Stores,
        name: str = "esb_test",
        *,
        gateway: GatewayJwt | None = None,
        settings: Settings | None = None,
        peer: str = "testclient",
    ) -> None:
        clock = StoppedClock()
        applications = Applications(stores.apps, clock)
        if stores.apps.get(name) is None:
            secret = applications.create(name, act_as_any_user=True)
        else:
            secret = applications.rotate(name)
        hosts = MemoryHosts(
            [Host(bk_host_id=101, bk_cloud_id=0, ip="10.0.0.1", name="a")], {"biz_1": ["a"]}, default_biz="2"
        )
        launch, operate, query = RecordingLaunch(), RecordingOperate(), MemoryQuery()
        reachability = MemoryReachability()
        catalog = Catalog(
            accounts=stores.accounts,
            scripts=stores.scripts,
            plans=stores.plans,
            clock=clock,
            passwords=PasswordKey(stores.engine, stores.box),
        )
        file_sources = FileSources(
            FileSourceStore(stores.engine),
            CredentialStore(stores.engine, stores.box),
            WorkerStore(stores.engine),
            clock,
            EgressRule(),
        )
        dangerous = DangerousScripts(DangerousRuleStore(stores.engine), clock)
        services = Services(
            authentication=Authentication(stores.apps, clock, gateway),
            launch=launch,
            operate=operate,
            query=query,
            follow=Follow(
                JobStore(stores.engine, stores.box), LogStore(stores.engine), JobChanges(stores.engine)
            ),
            streams=OpenStreams(2),
            bundles=Bundles(Path("/nonexistent"), Path("/nonexistent")),
            records=Records(
                JobStore(stores.engine, stores.box), CallbackStore(stores.engine), LogAccounts(stores.engine)
            ),
            audit_log=AuditLog(AuditLogStore(stores.engine), clock),
            catalog=catalog,
            dangerous=dangerous,
            script_check=ScriptCheck(dangerous, shell_syntax),
            credentials=Credentials(CredentialStore(stores.engine, stores.box), clock),
            file_sources=file_sources,
            crons=Crons(CronStore(stores.engine, stores.box), catalog, "Asia/Shanghai"),
            uploads=Uploads(
                UploadStore(stores.engine),
                UploadFiles(Path("/nonexistent")),
                clock,
                limit=1,
                url_seconds=60,
            ),
            hosts=hosts,
            reachability=reachability,
            password_key=PasswordKey(stores.engine, stores.box).public_key,
            ready=lambda: None,
        )
        self.app = create_app(services, settings or Settings(max_body_bytes=MAX_BODY))
        http = TestClient(self.app, client=(peer, 50_000), headers={"Blueking-Language": "en"})
        credentials = {"bk_app_code": name, "bk_app_secret": secret, "bk_username": "admin"}
        self.world = World(
            stores=stores,
            hosts=hosts,
            services=services,
            reachability=reachability,
            launch=launch,
            operate=operate,
            query=query,
            applications=applications,
            http=http,
            job=JobClient(http, credentials),
        )

    def __enter__(self) -> make_world:
        self.world.http.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.world.http.__exit__()
