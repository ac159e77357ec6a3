"""No secret is in the database, in whichever form: its very bytes are looked through; what is none is found."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapter.config import Settings
from adapter.job.commands import Caller
from adapter.job.credential import CredentialType
from adapter.job.cron import Cron, CronVariable
from adapter.job.file_source import FileSourceDefinition, FileSourceType
from adapter.job.model import Host, JobInstance, JobVariable, Scope, ScriptTask, Server, StepInstance
from adapter.job.plan import GlobalVariable, PlanScript, PlanStep
from adapter.job.status import StepType, VariableType
from adapter.service.applications import Applications
from adapter.store.credentials import CredentialStore
from adapter.store.crons import CronStore
from adapter.store.file_sources import FileSourceStore
from adapter.store.jobs import JobStore
from adapter.store.opening import Stores, open_store
from adapter.store.password_key import PasswordKey
from tests.support.markers import cores_of, files_with, forms, found_in, words_of

SCOPE = Scope("biz", "2")
HOST = Host(bk_host_id=1, bk_cloud_id=0, ip="10.0.0.1", name="h")
_NAMES = (
    "password", "key", "db password", "parameter", "cipher", "callback secret", "host password", "file source",
    "credential", "plan's parameter", "plan's cipher", "template's cipher", "cron's cipher",
)  # fmt: skip
#: With signs that each form writes in another way.
MARKERS = {name: f'mark "{name}" + ü/9f3c27aa51{index:02}' for index, name in enumerate(_NAMES)}
SEEN = "seen-9f3c27aa51-plainly"


class _Clock:
    def now_ms(self) -> int:
        return 1_700_000_000_000


def planted(stores: Stores) -> dict[str, str]:
    """Each secret where a service keeps it; those that the service made itself are answered too."""
    stores.accounts.create(
        SCOPE, alias=SEEN, account="ops", password=MARKERS["password"], private_key=MARKERS["key"],
        operator="ann", now_ms=1,
    )  # fmt: skip
    stores.accounts.create(
        SCOPE, alias="db", account="app", category=2, type=9, password=MARKERS["db password"],
        operator="ann", now_ms=1,
    )  # fmt: skip
    applications = Applications(stores.apps, _Clock())
    secret = applications.create("app", scopes=None)
    token = applications.create_token("app", "ann")
    script = ScriptTask(language=1, content="echo", param=MARKERS["parameter"], param_sensitive=True)
    job = JobInstance(
        scope=SCOPE,
        name=SEEN,
        create_time=1,
        steps=(StepInstance(step_id=-1, name="s", type=StepType.SCRIPT, script=script, create_time=1),),
    )
    JobStore(stores.engine, stores.box).add(
        job,
        [(HOST,)],
        [JobVariable(name="C", type=int(VariableType.CIPHER), value=MARKERS["cipher"])],
        Caller(app_code="app", user="ann", callback_secret=MARKERS["callback secret"]),
        passwords=[{1: MARKERS["host password"]}],
    )
    credential = CredentialStore(stores.engine, stores.box).create(
        SCOPE, name=SEEN, type=CredentialType.USERNAME_PASSWORD, description="", operator="ann", now_ms=1,
        value={"username": "reader", "password": MARKERS["file source"]},
    )  # fmt: skip
    FileSourceStore(stores.engine).create(
        FileSourceDefinition(
            scope=SCOPE, code="c", alias=SEEN, type=FileSourceType.HTTP, base_url="https://files",
            credential_id=credential.id, last_modify_time=1,
        )
    )  # fmt: skip
    assert PasswordKey(stores.engine, stores.box).public_key()
    _plant_definitions(stores)
    return {**MARKERS, "application's secret": secret, "token": token}


def _plant_definitions(stores: Stores) -> None:
    """A credential, and a template, a plan and a cron that each have a value of their own for a cipher."""
    value = {"password": MARKERS["credential"]}
    CredentialStore(stores.engine, stores.box).create(
        SCOPE,
        name="other",
        type=CredentialType.PASSWORD,
        description="",
        value=value,
        operator="ann",
        now_ms=1,
    )
    secret = MARKERS["plan's parameter"]
    script = PlanScript(account_id=1, language=1, content="echo", param=secret, param_sensitive=True)
    step = PlanStep(id=0, name=SEEN, type=StepType.SCRIPT, target=Server(host_ids=(1,)), script=script)
    cipher = GlobalVariable(id=1, name="C", type=VariableType.CIPHER, value=MARKERS["template's cipher"])
    template = stores.plans.create_template(
        SCOPE, name=SEEN, steps=(step,), variables=(cipher,), operator="ann", now_ms=1
    )
    own = (replace(cipher, value=MARKERS["plan's cipher"]),)
    plan_id = stores.plans.create_plan(template, name=SEEN, variables=own, operator="ann", now_ms=1)
    given = CronVariable(id=1, name="C", type=VariableType.CIPHER, value=MARKERS["cron's cipher"])
    cron = Cron(
        id=0, scope=SCOPE, name=SEEN, plan_id=plan_id, plan_name="", expression="0 3 * * *", execute_time=None,
        time_zone="UTC", variables=(given,), app_code="app",
    )  # fmt: skip
    stored = CronStore(stores.engine, stores.box).create(cron)
    plan = stores.plans.get(plan_id)
    assert plan is not None
    assert (stored.variables, plan.variables, plan.steps[0].script) == ((given,), own, script)


def bytes_of(url: str, place: Path) -> Callable[[], bytes]:
    """Everything the database keeps: SQLite's files with what is not written back yet, or a dump."""
    if url.startswith("sqlite"):
        return lambda: b"".join(path.read_bytes() for path in sorted(place.glob("adapter.db*")))
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    dump = shutil.which("pg_dump") or str(programs[-1] / "pg_dump")
    return lambda: subprocess.run([dump, "-d", url], check=True, capture_output=True, timeout=60).stdout


def test_no_secret_is_in_the_database(each_database: str, tmp_path: Path) -> None:
    """Neither plain nor in base64, hex, a URL or JSON; nor in any file of the data directory. Names are there."""
    url = each_database if each_database.startswith("postgresql") else ""
    settings = Settings(data_dir=tmp_path, database_url=url)
    stores = open_store(settings)
    try:
        secrets = planted(stores)
        words = words_of(secrets) | cores_of(secrets)
        content = bytes_of(url or "sqlite", tmp_path)()
        assert found_in(content, {"a name": SEEN.encode()}) == ["a name"], "what is no secret is found"
        assert found_in(content, words) == []
        assert files_with(tmp_path, words) == []
    finally:
        stores.close()
    assert files_with(tmp_path, words) == []


@pytest.mark.parametrize("form", sorted(forms("x" * 20)))
def test_a_secret_that_leaks_is_found(form: str, tmp_path: Path) -> None:
    """In any form, in the middle of something else: otherwise the test above could not fail."""
    leak = forms(MARKERS["key"])[form]
    (tmp_path / "log").write_bytes(b"before " + leak + b" after")
    assert any(form in name for name in files_with(tmp_path, words_of({"key": MARKERS["key"]})))
