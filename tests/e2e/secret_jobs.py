"""One job of each kind that has secrets, and everything else that a service is given in confidence."""

from __future__ import annotations

import base64
import math
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tests.e2e import databases
from tests.e2e.jobs import wait_until
from tests.lab import Lab
from tests.support.cmdb import SECRET
from tests.support.overheard import Overheard
from tests.support.raw_receiver import RawReceiver
from tests.support.service import Service, b64

#: What is no secret, and is looked for as secrets are: the data directory's name, and everything's.
SEEN = f"seen_{secrets.token_hex(6)}"
SCOPE = {"bk_scope_type": "biz", "bk_scope_id": "1", "bk_biz_id": 1}
#: Where the accounts with a key and with a password log in, where databases are, and where nobody answers.
BY_KEY, BY_PASSWORD, WITH_SQL, DOWN = 101, 102, databases.HOST, 199
_CREDENTIALS = {
    "APP_ID_SECRET_KEY": ("access_key", "secret_key"),
    "PASSWORD": ("password",),
    "USERNAME_PASSWORD": ("username", "password"),
    "SECRET_KEY": ("secret_key",),
}
_SECONDS_TO_CRON = 3


@dataclass
class Planted:
    """Every secret by what it is; each is made when it is first asked for."""

    directory: Path  #: for what `adapter apply` reads
    lab: Lab
    of: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.of |= {
            "account's password": self.lab.ops_password,
            "account's key": self.lab.private_key.read_text().splitlines()[2],
            "database account's password": databases.PASSWORD,
            "CMDB's secret": SECRET,
        }

    def __call__(self, name: str) -> str:
        """With signs that each form writes in another way, and none that ends a word between single quotes."""
        return self.of.setdefault(name, f'mark "{name}" + ü/{secrets.token_hex(8)}')

    @property
    def environment(self) -> dict[str, str]:
        """Of the service and its commands."""
        others = ("AWS_SECRET_ACCESS_KEY", "DATABASE_PASSWORD", "ANSIBLE_GALAXY_SERVER_LAB_TOKEN")
        return {
            "ADAPTER_CMDB_APP_SECRET": SECRET,
            "ADAPTER_FILE_SOURCE_ALLOW": "127.0.0.0/8",
            "OPS": self.lab.ops_password,
            databases.VARIABLE: databases.PASSWORD,
            **{name: self(f"environment's {name}") for name in others},
        }

    def definitions(self) -> str:
        """A file for `adapter apply`: accounts, and a plan with a cipher and a sensitive parameter."""
        (self.directory / "key").write_bytes(self.lab.private_key.read_bytes())
        script = {
            "language": 1,
            "account": f"{SEEN} key",
            "content": _waiting('test -n "$PASS" && test -n "$1"'),
            "param": f"'{self('parameter of a plan')}' \"$PASS\"",
            "param_sensitive": True,
        }
        steps = [{"id": 5101, "name": SEEN, "target": {"host_id_list": [BY_KEY]}, "script": script}]
        variables = [{"id": 1, "name": "PASS", "type": 4, "value": self("cipher of a plan")}]
        template = {
            "name": SEEN,
            "variables": variables,
            "steps": steps,
            "plans": [{"id": 5100, "name": SEEN}],
        }
        accounts: list[dict[str, Any]] = [
            {
                "alias": f"{SEEN} key",
                "account": "job",
                "login": {"private_key_file": f"{self.directory}/key"},
            },
            {"alias": f"{SEEN} password", "account": "ops", "login": {"password_env": "OPS"}},
            {"alias": f"{SEEN} windows", "account": "Administrator", "type": 2},
        ]
        definitions = {
            "scope": {"type": "biz", "id": "1"},
            "accounts": accounts + databases.accounts(SEEN),
            "templates": [template],
        }
        return yaml.safe_dump(definitions, allow_unicode=True)


def _waiting(condition: str = 'test -n "$1"') -> str:
    """A script that says so if it has what it was given, and waits."""
    wait = f"sh -c 'until [ -e \"$0\" ]; do sleep 0.1; done' /tmp/go-{SEEN}"  # a process that can be seen
    return f"{condition} && echo {SEEN}; {wait}; echo ended"


@dataclass(frozen=True)
class Started:
    """A step that was started."""

    job_id: int
    step_id: int
    host_id: int
    is_script: bool = True

    def is_on(self, service: Overheard) -> bool:
        """True once its script says that it has what it was given."""
        return SEEN in service.log_of(1, self.job_id, self.step_id, self.host_id)


class SecretJobs:
    """Gives the service its secrets, and starts jobs that have them."""

    def __init__(self, service: Overheard, planted: Planted, receiver: RawReceiver) -> None:
        self._service = service
        self._planted = planted
        self._told = f"http://127.0.0.1:{receiver.port}/{SEEN}"
        self.steps: list[Started] = []
        self.cron_id = 0
        self.ids: dict[str, Any] = {}  #: of what was made, by the names that requests have for them

    def give(self) -> None:
        """Definitions, accounts and credentials."""
        file = self._planted.directory / "definitions.yml"
        file.write_text(self._planted.definitions())
        self._service.command("apply", "-f", str(file))
        for name, password in (("clear", str), ("encrypted", self._encrypted)):
            secret = self._planted(f"password {name}")
            fields = {"account": "nobody", "category": 1, "type": 1, "password": password(secret)}
            self._v3("create_account", alias=f"{SEEN} {name}", **fields)
        for kind, parts in _CREDENTIALS.items():
            fields = {f"credential_{part}": self._planted(f"credential's {kind} {part}") for part in parts}
            made = self._v3("create_credential", name=f"{SEEN} {kind}", type=kind, **fields)
            self.ids[kind] = made["id"]
        self._scripts()
        self._upload()
        place = {
            "access_params": {"base_url": f"{self._told}/"},
            "credential_id": self.ids["USERNAME_PASSWORD"],
        }
        self._v3("create_file_source", code=SEEN, alias=SEEN, type="HTTP", **place)
        (template,) = self._v3("get_job_template_list")["data"]
        self.ids["template"] = template["id"]
        self._cron()

    def start(self) -> None:
        """A job of each kind; they wait until end() is called."""
        param = {"script_param": b64(f"'{self._planted('parameter of v3')}' {SEEN}"), "is_param_sensitive": 1}
        for alias, host_id in (("key", BY_KEY), ("password", BY_PASSWORD)):
            self._fast(host_id, account_alias=f"{SEEN} {alias}", **param)
        self._in_other_dialects()
        self._plans()
        for kind in databases.KINDS:
            self._sql(kind)
        self._windows()
        self._files()

    def have_begun(self) -> None:
        """Waits for them, and for the cron's time."""
        for step in self.steps:
            if step.is_script:
                wait_until(lambda step=step: step.is_on(self._service), f"the script of {step}")
        now = int(time.time() * 1000)
        span = {"create_time_start": now - 600_000, "create_time_end": now + 600_000}

        def by_cron() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = self._v3("get_job_instance_list", job_cron_id=self.cron_id, **span)[
                "data"
            ]
            return found

        (job,) = wait_until(by_cron, "the cron's job")
        started = self._started(job["job_instance_id"], BY_KEY)
        wait_until(lambda: started.is_on(self._service), "the cron's script")
        wait_until(lambda: databases.clients(self._planted.lab), "both databases' clients")

    def end(self) -> None:
        """Lets them go on, and waits for the end of all."""
        for host_id in (BY_KEY, BY_PASSWORD):
            self._planted.lab.exec(self._planted.lab.host(host_id), f"touch /tmp/go-{SEEN}")
        for step in self.steps:
            if step.host_id == WITH_SQL:
                self._v3("operate_job_instance", job_instance_id=step.job_id, operation_code=1)
        for step in self.steps:
            status = self._service.finished(1, step.job_id)["job_instance"]["status"]
            expected = {WITH_SQL: 11, DOWN: 4}.get(step.host_id, 3)
            assert status == expected, (
                step,
                status,
                self._service.log_of(1, step.job_id, step.step_id, step.host_id),
            )

    # --- each kind -------------------------------------------------------------------------------------

    def _scripts(self) -> None:
        """One of the business, and a public one; neither has a secret."""
        fields = {"name": SEEN, "script_language": 1, "content": b64("echo"), "version": "1"}
        for kind in ("script", "public_script"):
            made = self._v3(f"create_{kind}", **fields)
            named = {"script_id": made["script_id"], "script_version_id": made["id"]}
            self._v3(f"publish_{kind}_version", **named)
            self.ids |= {f"{kind} id": made["script_id"], f"{kind} version": made["id"]}

    def _upload(self) -> None:
        """Whoever has its URL may send the file: of all replies this one alone tells a secret, and is not kept."""
        assert self._service.credentials is not None
        path, headers = (
            "/api/c/compapi/v2/jobv3/generate_local_file_upload_url/",
            self._service.credentials.in_header(),
        )
        told = Service.post(self._service, path, {**SCOPE, "file_name_list": [SEEN]}, headers)
        url = urlsplit(told["data"]["url_map"][SEEN]["upload_url"])
        (self._planted.of["token of an upload"],) = parse_qs(url.query)["token"]
        sent = self._service.ask("PUT", f"{url.path}?{url.query}", content=SEEN)
        assert sent.json()["code"] == 0, sent.text

    def _cron(self) -> None:
        given = {"name": "PASS", "value": self._planted("cipher of a cron")}
        at = math.ceil(time.time() + _SECONDS_TO_CRON)
        made = self._v3("save_cron", job_plan_id=5100, name=SEEN, execute_time=at, global_var_list=[given])
        self.cron_id = made["id"]
        self._v3("update_cron_status", id=self.cron_id, status=1)

    def _fast(self, host_id: int, **fields: Any) -> None:
        body = {"script_content": b64(_waiting()), "script_language": 1, "task_name": SEEN, **fields}
        made = self._v3("fast_execute_script", target_server={"host_id_list": [host_id]}, **body)
        self._started(made["job_instance_id"], host_id)

    def _in_other_dialects(self) -> None:
        body = {"script_content": b64(_waiting()), "script_language": 1, "task_name": SEEN}
        by_key = {"account_alias": f"{SEEN} key"}
        target = {"execute_target": {"host_list": [{"bk_host_id": BY_KEY}]}}

        def param(dialect: str) -> str:
            return b64(f"'{self._planted(f'parameter of {dialect}')}'")

        v4 = {**body, **by_key, **target, "script_param": param("v4"), "param_sensitive": True}
        plugin = {**body, **by_key, **target, "script_param": param("bkci"), "is_param_sensitive": "true"}
        v2 = {
            "script_content": body["script_content"],
            "script_type": 1,
            "account": f"{SEEN} key",
            "script_param": param("v2"),
            "is_param_sensitive": 1,
            "ip_list": [{"bk_cloud_id": 0, "ip": self._planted.lab.host(BY_KEY).ip}],
            "bk_callback_url": self._told,
        }
        for made in (
            self._post("/api/v4/fast_execute_script", v4),
            self._v3("bkci_plugin_fast_execute_script", **plugin),
            self._post("/api/c/compapi/v2/job/fast_execute_script/", v2),
        ):
            self._started(made["job_instance_id"], BY_KEY)

    def _plans(self) -> None:
        """By v3 with a cipher of its own and a signed callback, by v2 with the plan's."""
        secret = f"mark~%+{secrets.token_hex(12)}"
        self._planted.of["callback's secret"] = secret
        given = [{"name": "PASS", "value": self._planted("cipher of a launch")}]
        fields = {"job_plan_id": 5100, "global_var_list": given, "callback_url": self._told}
        made = self._post(
            "/api/c/compapi/v2/jobv3/execute_job_plan/", fields, headers={"X-Callback-Secret": secret}
        )
        self._started(made["job_instance_id"], BY_KEY)
        made = self._post("/api/c/compapi/v2/job/execute_job/", {"bk_job_id": 5100})
        self._started(made["job_instance_id"], BY_KEY)

    def _sql(self, kind: str) -> None:
        accounts = self._v3("get_account_list", category=2, length=100)["data"]
        (account_id,) = [item["id"] for item in accounts if item["alias"] == f"{SEEN} {kind}"]
        made = self._v3(
            "fast_execute_sql",
            script_content=b64(databases.SLEEP[kind]),
            db_account_id=account_id,
            target_server={"host_id_list": [WITH_SQL]},
            task_name=SEEN,
        )
        self._started(made["job_instance_id"], WITH_SQL, is_script=False)

    def _windows(self) -> None:
        password = self._encrypted(self._planted("host's password"))
        made = self._v3(
            "fast_execute_script",
            script_content=b64("exit 0"),
            script_language=5,
            account_alias=f"{SEEN} windows",
            target_server={"host_id_list": [DOWN]},
            task_name=SEEN,
            host_password_list=[{"host_id": DOWN, "encrypted_password": password}],
        )
        self._started(made["job_instance_id"], DOWN, is_script=False)

    def _files(self) -> None:
        source = {
            "file_list": ["/etc/hostname"],
            "account": {"alias": f"{SEEN} key"},
            "server": {"host_id_list": [BY_KEY]},
        }
        made = self._v3(
            "fast_transfer_file",
            file_source_list=[source],
            file_target_path=f"/tmp/{SEEN}/",
            account_alias=f"{SEEN} password",
            target_server={"host_id_list": [BY_PASSWORD]},
            task_name=SEEN,
        )
        self._started(made["job_instance_id"], BY_PASSWORD, is_script=False)

    # --- requests --------------------------------------------------------------------------------------

    def _v3(self, api: str, /, **fields: Any) -> Any:
        return self._post(f"/api/c/compapi/v2/jobv3/{api}/", fields)

    def _post(self, path: str, fields: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Any:
        """The data of an answer that must be one."""
        assert self._service.credentials is not None
        headers = {**self._service.credentials.in_header(), **(headers or {})}
        envelope = self._service.post(path, {**SCOPE, **fields}, headers)
        assert envelope.get("data") is not None, (path, envelope)
        return envelope["data"]

    def _started(self, job_id: int, host_id: int, *, is_script: bool = True) -> Started:
        (step,) = self._service.status(1, job_id)["step_instance_list"]
        started = Started(job_id, step["step_instance_id"], host_id, is_script)
        self.steps.append(started)
        return started

    def _encrypted(self, password: str) -> str:
        """As a client does it: with what get_account_password_encryption_metadata says."""
        pem = base64.b64decode(self._v3("get_account_password_encryption_metadata")["publicKey"])
        key = serialization.load_pem_public_key(pem)
        assert isinstance(key, RSAPublicKey)
        return base64.b64encode(key.encrypt(password.encode(), PKCS1v15())).decode()
