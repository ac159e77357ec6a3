"""The application over the real use cases and SQLite; only the engine is missing, so jobs wait."""

from __future__ import annotations

from dataclasses import dataclass

from adapter.api.application import Services, create_app
from adapter.api.event_stream import OpenStreams
from adapter.config import Settings
from adapter.engine.planning import Planning
from adapter.engine.preparation import Preparation
from adapter.engine.shell_syntax import shell_syntax
from adapter.job.egress import EgressRule
from adapter.job.model import Host, Scope, Seen, Server
from adapter.job.plan import GlobalVariable, PlanFile, PlanFileSource, PlanScript, PlanStep
from adapter.job.status import StepType, VariableType
from adapter.ports import Clock, Hosts
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
from adapter.service.launch import Launch
from adapter.service.operate import Operate
from adapter.service.query import Query
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
from adapter.store.opening import Stores
from adapter.store.password_key import PasswordKey
from adapter.store.upload_files import UploadFiles
from adapter.store.uploads import UploadStore
from adapter.store.workers import WorkerStore
from adapter.testing.hosts import MemoryHosts
from adapter.testing.reachability import MemoryReachability

from .client import JobClient, TestClient

HOSTS = [
    Host(bk_host_id=101, bk_cloud_id=0, ip="10.0.0.1", name="a"),
    Host(bk_host_id=102, bk_cloud_id=0, ip="10.0.0.2", name="b"),
    Host(bk_host_id=103, bk_cloud_id=5, ip="10.0.0.1", name="c"),
]
GROUPS = {
    "biz_1": ["a", "b", "c"],
    "biz_2": ["a", "b", "c"],
    "dynamic_group_3": ["b"],
    "dynamic_group_blo8gojho0skft7pr5q0": ["a"],
    "module_1000": ["c"],
}
TARGET = Server(host_ids=(101,))


@dataclass(frozen=True, kw_only=True)
class Real:
    """The application with what its requests may name."""

    job: JobClient
    services: Services
    jobs: JobStore
    logs: LogStore
    plan_id: int
    step_ids: tuple[int, ...]
    account_id: int
    db_account_id: int
    script_version_id: int
    script_id: str
    woken: list[None]
    preparation: Preparation
    catalog: Catalog


def build(stores: Stores, clock: Clock, settings: Settings, hosts: Hosts | None = None) -> Real:
    """Everything registered: an application, accounts, a script, a plan of two steps."""
    woken: list[None] = []
    jobs, logs = JobStore(stores.engine, stores.box), LogStore(stores.engine)
    hosts = MemoryHosts(HOSTS, GROUPS) if hosts is None else hosts
    password_key = PasswordKey(stores.engine, stores.box)
    catalog = Catalog(
        accounts=stores.accounts,
        scripts=stores.scripts,
        plans=stores.plans,
        clock=clock,
        passwords=password_key,
    )

    def wake() -> None:
        woken.append(None)

    credentials = CredentialStore(stores.engine, stores.box)
    file_sources = FileSources(
        FileSourceStore(stores.engine), credentials, WorkerStore(stores.engine), clock, EgressRule()
    )
    dangerous = DangerousScripts(DangerousRuleStore(stores.engine), clock)
    preparation = Preparation(
        jobs=jobs, accounts=stores.accounts, hosts=hosts, settings=settings, installation="real"
    )
    reachability = MemoryReachability({101: Seen(answers=True, version="OpenSSH_9.2p1")})
    uploads = Uploads(
        UploadStore(stores.engine),
        UploadFiles(settings.uploads),
        clock,
        limit=settings.max_upload_bytes,
        url_seconds=settings.upload_url_seconds,
    )
    services = Services(
        authentication=Authentication(stores.apps, clock),
        launch=Launch(
            jobs,
            catalog,
            hosts,
            clock,
            wake,
            dangerous,
            Planning(preparation),
            password_key,
            UploadStore(stores.engine),
            FileSourceStore(stores.engine),
        ),
        operate=Operate(jobs, clock, wake),
        query=Query(jobs, logs),
        follow=Follow(jobs, logs, JobChanges(stores.engine)),
        streams=OpenStreams(settings.max_streams),
        bundles=Bundles(settings.data_dir / "artifacts", settings.playbooks / "collections"),
        records=Records(jobs, CallbackStore(stores.engine), LogAccounts(stores.engine)),
        audit_log=AuditLog(AuditLogStore(stores.engine), clock),
        catalog=catalog,
        dangerous=dangerous,
        script_check=ScriptCheck(dangerous, shell_syntax),
        credentials=Credentials(credentials, clock),
        file_sources=file_sources,
        crons=Crons(CronStore(stores.engine, stores.box), catalog, "Asia/Shanghai"),
        uploads=uploads,
        hosts=hosts,
        reachability=reachability,
        password_key=password_key.public_key,
        ready=lambda: None,
    )
    accounts = [
        catalog.create_account(Scope("biz", id_), user="admin", account="root", category=1, type=1)
        for id_ in ("1", "2")
    ]
    database = catalog.create_account(
        Scope("biz", "1"),
        user="admin",
        account="app",
        category=2,
        type=9,
        password="not shown",
        db_port=3306,
        db_system_account_id=accounts[0].id,
    )
    version = catalog.create_script(
        Scope("biz", "1"), user="admin", name="hello", language=1, content="echo hello $1", version="1"
    )
    catalog.publish_script_version(
        Scope("biz", "1"), user="admin", script_id=version.script_id, script_version_id=version.id
    )
    plan_id, step_ids = _plan(stores, accounts[0].id)
    secret = Applications(stores.apps, clock).create("real", act_as_any_user=True)
    app = create_app(services, settings)
    return Real(
        job=JobClient(
            TestClient(app, headers={"Blueking-Language": "en"}),
            {"bk_app_code": "real", "bk_app_secret": secret, "bk_username": "admin"},
        ),
        services=services,
        jobs=jobs,
        logs=logs,
        plan_id=plan_id,
        step_ids=step_ids,
        account_id=accounts[0].id,
        db_account_id=database.id,
        script_version_id=version.id,
        script_id=version.script_id,
        woken=woken,
        preparation=preparation,
        catalog=catalog,
    )


def _plan(stores: Stores, account_id: int) -> tuple[int, tuple[int, ...]]:
    script = PlanScript(account_id=account_id, language=1, content="echo $word", param="x")
    source = PlanFileSource(files=("/tmp/a",), account_id=account_id, server=TARGET)
    file = PlanFile(account_id=account_id, target_path="/tmp/b/", sources=(source,))
    template = stores.plans.create_template(
        Scope("biz", "1"),
        name="real",
        steps=(
            PlanStep(id=0, name="Script", type=StepType.SCRIPT, target=TARGET, script=script),
            PlanStep(id=0, name="File", type=StepType.FILE, target=TARGET, file=file),
        ),
        variables=(GlobalVariable(id=0, name="word", type=VariableType.STRING, value="hi"),),
        operator="admin",
        now_ms=1,
    )
    plan_id = stores.plans.create_plan(template, name="real", operator="admin", now_ms=1)
    return plan_id, tuple(step.id for step in template.steps)
