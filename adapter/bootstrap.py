"""Names the concrete classes and puts them together; everything gets its parts as arguments."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from starlette.applications import Starlette

from adapter.api.application import Services, create_app
from adapter.api.event_stream import OpenStreams
from adapter.clock import SystemClock
from adapter.config import SettingError, Settings
from adapter.engine import workflows
from adapter.engine.audit import Audit
from adapter.engine.callback import Callbacks
from adapter.engine.cleaning import Cleaning
from adapter.engine.downloaded_files import DownloadedFiles
from adapter.engine.downloads import Downloads
from adapter.engine.errands import Errands
from adapter.engine.file_cache import FileCache
from adapter.engine.given_files import Placing
from adapter.engine.host_audit import HostAudit
from adapter.engine.lease import Lease
from adapter.engine.old_uploads import OldUploads
from adapter.engine.planning import Planning
from adapter.engine.post import Post
from adapter.engine.preparation import Preparation
from adapter.engine.providing import Providing
from adapter.engine.retention import Keeping, Retention
from adapter.engine.runtime import runtime_dir
from adapter.engine.scheduler import Scheduler, launchers
from adapter.engine.shell_syntax import shell_syntax
from adapter.engine.step_run import StepRuns
from adapter.engine.uploaded_files import UploadedFiles
from adapter.engine.warm import WarmAnsible
from adapter.engine.worker import Worker
from adapter.engine.workflows import Parts
from adapter.hosts import connections
from adapter.hosts.cmdb import CmdbHosts
from adapter.hosts.cmdb_client import CmdbClient, Credentials
from adapter.hosts.index import IdsFor
from adapter.hosts.inventory import Advice, InventoryHosts, no_advice
from adapter.hosts.reachability import SshReachability
from adapter.job.cron import MissedPolicy
from adapter.job.egress import EgressRule
from adapter.job.status import FileType
from adapter.service.audit_log import AuditLog
from adapter.service.authentication import Authentication
from adapter.service.bundle import Bundles
from adapter.service.catalog import Catalog
from adapter.service.credentials import Credentials as KeptCredentials
from adapter.service.cron_firing import CronFiring
from adapter.service.crons import Crons
from adapter.service.dangerous_scripts import DangerousScripts
from adapter.service.file_sources import FileSources
from adapter.service.follow import Follow
from adapter.service.gateway_jwt import GatewayJwt, GatewayKeyError
from adapter.service.launch import Launch
from adapter.service.operate import Operate
from adapter.service.query import Query
from adapter.service.records import Records
from adapter.service.schedule import local_time_zone
from adapter.service.script_check import ScriptCheck
from adapter.service.uploads import Uploads
from adapter.store.audit import AuditStore
from adapter.store.audit_log import AuditLogStore
from adapter.store.callbacks import CallbackStore
from adapter.store.changes import JobChanges
from adapter.store.collected import CollectedRuns
from adapter.store.credentials import CredentialStore
from adapter.store.crons import CronStore
from adapter.store.dangerous import DangerousRuleStore
from adapter.store.database import is_shared
from adapter.store.file_sources import FileSourceStore
from adapter.store.given_files import GivenFiles
from adapter.store.identities import HostIdentities
from adapter.store.jobs import JobStore
from adapter.store.log_accounts import LogAccounts
from adapter.store.logs import LogStore
from adapter.store.opening import Stores, open_store
from adapter.store.password_key import PasswordKey
from adapter.store.quota import JobQuota
from adapter.store.retention import RetentionStore
from adapter.store.upload_files import UploadFiles
from adapter.store.uploads import UploadStore
from adapter.store.workers import WorkerStore

AnyHosts = InventoryHosts | CmdbHosts


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """The whole service, not yet started. `worker` and `scheduler` are None where another process works."""

    settings: Settings
    stores: Stores
    jobs: JobStore
    hosts: AnyHosts
    services: Services
    reachability: SshReachability
    worker: Worker | None
    scheduler: Scheduler | None

    @property
    def app(self) -> Starlette:
        """The HTTP application."""
        return create_app(self.services, self.settings)

    def start(self) -> None:
        """Read the inventory in the background, recover and run jobs. Raises AlreadyRunning."""
        if self.worker is not None:
            self.worker.start()
        self.hosts.start()
        if self.scheduler is not None:
            self.scheduler.start()

    def hand_over(self) -> None:
        """Leave running steps to the next start at once, whatever is left of the drain time."""
        if self.worker is not None:
            self.worker.hand_over()

    def stop(self) -> None:
        """Drain: wait for running steps up to the drain time, leave the rest to the next start."""
        if self.scheduler is not None:
            self.scheduler.stop()
        if self.worker is not None:
            self.worker.stop(self.settings.drain_seconds)
        self.reachability.stop()
        self.hosts.stop()
        self.stores.close()


def build(settings: Settings) -> Adapter:
    """The service for these settings; opens the data directory and brings its database up to date."""
    clock = SystemClock()
    gateway = _gateway(settings, clock)
    stores = open_store(settings)
    quota = JobQuota(
        total=settings.max_unfinished_jobs,
        per_scope=settings.max_unfinished_jobs_per_scope,
        per_app=settings.max_unfinished_jobs_per_app,
    )
    jobs = JobStore(stores.engine, stores.box, quota=quota)
    logs = LogStore(stores.engine)
    hosts = _hosts(settings, stores)
    worker = None if settings.no_worker else _worker(settings, stores, jobs, logs, hosts, clock)
    wake = worker.wake if worker is not None else _nobody
    password_key = PasswordKey(stores.engine, stores.box)
    catalog = Catalog(
        accounts=stores.accounts,
        scripts=stores.scripts,
        plans=stores.plans,
        clock=clock,
        passwords=password_key,
    )
    dangerous = DangerousScripts(DangerousRuleStore(stores.engine), clock)
    credentials = CredentialStore(stores.engine, stores.box)
    file_sources = FileSources(
        FileSourceStore(stores.engine),
        credentials,
        WorkerStore(stores.engine),
        clock,
        EgressRule.of(settings.file_source_allow),
    )
    authentication = Authentication(stores.apps, clock, gateway)
    launch = Launch(
        jobs,
        catalog,
        hosts,
        clock,
        wake,
        dangerous,
        Planning(_preparation(settings, stores, jobs, hosts)),
        password_key,
        UploadStore(stores.engine),
        FileSourceStore(stores.engine),
    )
    crons = CronStore(stores.engine, stores.box)
    reachability = SshReachability(hosts.variables)
    services = Services(
        authentication=authentication,
        launch=launch,
        operate=Operate(jobs, clock, wake),
        query=Query(jobs, logs),
        follow=Follow(jobs, logs, JobChanges(stores.engine)),
        streams=OpenStreams(settings.max_streams),
        bundles=Bundles(settings.data_dir / "artifacts", settings.playbooks / "collections"),
        records=records_of(stores, jobs),
        audit_log=AuditLog(AuditLogStore(stores.engine), clock, settings.audit_log_days),
        catalog=catalog,
        dangerous=dangerous,
        script_check=ScriptCheck(dangerous, shell_syntax),
        credentials=KeptCredentials(credentials, clock),
        file_sources=file_sources,
        crons=Crons(crons, catalog, settings.cron_time_zone or local_time_zone()),
        uploads=_uploads(settings, stores, clock),
        hosts=hosts,
        reachability=reachability,
        password_key=password_key.public_key,
        ready=lambda: _ask(stores.engine),
    )
    return Adapter(
        settings=settings,
        stores=stores,
        jobs=jobs,
        hosts=hosts,
        services=services,
        reachability=reachability,
        worker=worker,
        scheduler=None if worker is None else _scheduler(settings, crons, launch, authentication, hosts),
    )


def _uploads(settings: Settings, stores: Stores, clock: SystemClock) -> Uploads:
    return Uploads(
        UploadStore(stores.engine),
        UploadFiles(settings.uploads),
        clock,
        limit=settings.max_upload_bytes,
        url_seconds=settings.upload_url_seconds,
    )


def records_of(stores: Stores, jobs: JobStore) -> Records:
    """What is recorded beside what JOB tells."""
    return Records(jobs, CallbackStore(stores.engine), LogAccounts(stores.engine))


def audit_of(settings: Settings, stores: Stores, *, with_hosts: bool) -> Audit:
    """An audit of this data directory, beside a service or without one. Raises InventoryError with hosts."""
    jobs, store = JobStore(stores.engine, stores.box), AuditStore(stores.engine)
    on_hosts = None
    if with_hosts:
        hosts = _hosts(settings, stores)
        hosts.reload()
        on_hosts = HostAudit(
            jobs=jobs,
            logs=LogStore(stores.engine),
            store=store,
            preparation=_preparation(settings, stores, jobs, hosts),
            errands=_errands(settings, "audit"),
        )
    return Audit(
        jobs=jobs,
        logs=LogStore(stores.engine),
        store=store,
        workers=WorkerStore(stores.engine),
        clock=SystemClock(),
        artifacts=settings.data_dir / "artifacts",
        is_shared=is_shared(settings.database),
        hosts=on_hosts,
    )


def retention_of(
    settings: Settings, stores: Stores, forget_workflows: Callable[[int], int] | None = None
) -> Retention:
    """What removes what is old from this store and this node."""
    return Retention(
        store=RetentionStore(stores.engine),
        keeping=Keeping.of(settings),
        artifacts=settings.data_dir / "artifacts",
        uploads=OldUploads(
            store=UploadStore(stores.engine),
            files=UploadFiles(settings.uploads),
            clock=SystemClock(),
            age=Keeping.of(settings).uploads,
        ),
        clock=SystemClock(),
        forget_workflows=forget_workflows,
    )


def _hosts(settings: Settings, stores: Stores) -> AnyHosts:
    """Raises SettingError if CMDB is to be asked, and there is no secret for it or no way to its hosts."""
    if not settings.cmdb_url:
        return _inventory(settings, HostIdentities(stores.engine).ids_for)
    credentials = Credentials(
        app_code=settings.cmdb_app_code, app_secret=settings.cmdb_app_secret(), user=settings.cmdb_user
    )
    if settings.inventory == Settings().inventory:
        # Its host is this machine, and would be taken for the host of CMDB with the same bk_host_id.
        raise SettingError(
            "cmdb_url needs an inventory that says how CMDB's hosts are reached, as inventories/examples/cmdb does;"
            " give one with --inventory: the local one would run what is meant for CMDB's host 1 on this machine"
        )
    return CmdbHosts(
        CmdbClient(settings.cmdb_url, credentials, settings.cmdb_supplier_account),
        _inventory(settings, connections.no_ids, connections.advice),
        ttl=settings.cmdb_ttl,
        timeout=settings.cmdb_timeout,
    )


def _inventory(settings: Settings, ids_for: IdsFor, advice: Advice = no_advice) -> InventoryHosts:
    return InventoryHosts(
        settings.inventory,
        ids_for=ids_for,
        default_biz=settings.default_biz,
        ttl=settings.inventory_ttl,
        advice=advice,
    )


def _gateway(settings: Settings, clock: SystemClock) -> GatewayJwt | None:
    """Raises GatewayKeyError naming the file that is no RSA public key."""
    try:
        keys = {str(path): path.read_bytes() for path in settings.jwt_public_keys}
    except OSError as error:
        raise GatewayKeyError(f"{error.filename} cannot be read: {error.strerror}") from error
    if not keys:
        return None
    return GatewayJwt(keys, clock, audience=settings.jwt_audience, issuer=settings.jwt_issuer)


def _preparation(settings: Settings, stores: Stores, jobs: JobStore, hosts: AnyHosts) -> Preparation:
    return Preparation(
        jobs=jobs,
        accounts=stores.accounts,
        hosts=hosts,
        settings=settings,
        installation=installation_of(settings),
    )


def _errands(settings: Settings, name: str, warm: WarmAnsible | None = None) -> Errands:
    return Errands(
        directory=settings.data_dir / name,
        collections=settings.playbooks / "collections",
        runtime=runtime_dir(settings.data_dir),
        warm=warm,
    )


def _scheduler(
    settings: Settings,
    crons: CronStore,
    launch: Launch,
    authentication: Authentication,
    hosts: InventoryHosts | CmdbHosts,
) -> Scheduler:
    """Crons are launched where jobs are run."""
    executor = launchers()
    firing = CronFiring(
        crons,
        launch,
        authentication,
        hosts,
        executor,
        late_after_ms=settings.cron_late_seconds * 1000,
        policy=MissedPolicy(settings.cron_missed),
    )
    return Scheduler(firing.look, executor)


def _worker(
    settings: Settings,
    stores: Stores,
    jobs: JobStore,
    logs: LogStore,
    hosts: AnyHosts,
    clock: SystemClock,
) -> Worker:
    lease = Lease(is_shared=is_shared(settings.database))
    runtime = runtime_dir(settings.data_dir)
    preparation = _preparation(settings, stores, jobs, hosts)
    warm = None if settings.no_warm_ansible else WarmAnsible(settings.playbooks / "warm", runtime)
    collected = CollectedRuns(stores.engine)
    contents = GivenFiles(stores.engine, stores.box)
    placing = Placing(contents=contents, clock=clock, directory=settings.data_dir / "cache" / "given")
    file_cache = FileCache(settings.data_dir / "cache" / "files", settings.file_cache_bytes)
    steps = StepRuns(
        jobs=jobs,
        logs=logs,
        collected=collected,
        preparation=preparation,
        clock=clock,
        artifacts=settings.data_dir / "artifacts",
        file_cache=file_cache,
        placing=placing,
        providing=_providing(settings, stores, file_cache.directory, clock),
        runtime=runtime,
        handover=lease.is_over,
        warm=warm,
    )
    callbacks = Callbacks(
        jobs=jobs,
        store=CallbackStore(stores.engine),
        post=Post(rule=EgressRule.of(settings.callback_allow), timeout=settings.callback_timeout),
        clock=clock,
        pauses=settings.callback_retry_pauses,
    )
    parts = Parts(jobs=jobs, steps=steps, callbacks=callbacks, clock=clock)
    cleaning = Cleaning(
        runs=collected,
        jobs=jobs,
        preparation=preparation,
        clock=clock,
        errands=_errands(settings, "cleaning", warm),
        placing=placing,
        is_busy=lambda: bool(workflows.active()),
        must_stop=lease.is_over,
    )
    retention = retention_of(settings, stores, workflows.forget_ended)
    return Worker(settings, parts, lease, runtime, warm, cleaning, retention)


def _providing(settings: Settings, stores: Stores, cache: Path, clock: SystemClock) -> Providing:
    uploads = UploadedFiles(store=UploadStore(stores.engine), files=UploadFiles(settings.uploads))
    downloads = Downloads(
        cache=cache,
        rule=EgressRule.of(settings.file_source_allow),
        pauses=settings.file_source_retry_pauses,
    )
    downloaded = DownloadedFiles(
        file_sources=FileSourceStore(stores.engine),
        credentials=CredentialStore(stores.engine, stores.box),
        downloads=downloads,
        clock=clock,
        installation=installation_of(settings),
    )
    return Providing(
        providers={FileType.LOCAL: uploads, FileType.FILE_SOURCE: downloaded}, cache=cache, clock=clock
    )


def installation_of(settings: Settings) -> str:
    """Keeps two services apart on the same hosts: a digest of the data directory's key, which is random."""
    key = (settings.data_dir / "secret.key").read_bytes()
    return hashlib.sha256(b"installation" + key).hexdigest()[:8]


def _nobody() -> None:
    """Another process works: it looks by itself."""


def _ask(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        connection.execute(sa.select(1))
