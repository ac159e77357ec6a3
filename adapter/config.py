"""Settings: one frozen object, from the command line's options and the environment (`ADAPTER_<NAME>`)."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

#: Letters in the last part: what has none is an address, or a mistake in one.
_HOST_NAME = re.compile(r"([a-zA-Z0-9_-]+\.)*[a-zA-Z0-9_-]*[a-zA-Z][a-zA-Z0-9_-]*\.?")
_PACKAGE_ROOT = Path(__file__).resolve().parent.parent
#: Variables of this service, some of which are secrets or have one in them.
_OWN_PREFIX = "ADAPTER_"
_OWN = frozenset({"PGPASSWORD"})  #: libpq's, for a database URL without a password


class SettingError(Exception):
    """A setting that cannot be used with what is there; the text names it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be set. Paths are made absolute, `data_dir` holds all that must last."""

    host: str = "127.0.0.1"
    port: int = 8000  #: 0 picks a free one
    data_dir: Path = Path(".run")
    inventory: Path = field(default=_PACKAGE_ROOT / "inventories" / "local")
    playbooks: Path = field(default=_PACKAGE_ROOT / "playbooks")
    database_url: str = ""  #: "" is SQLite in the data directory
    no_worker: bool = False
    default_biz: str = "2"  #: the business of hosts in no biz_ group (design D1)
    inventory_ttl: int = 300  #: seconds after which an inventory is read again even if no file changed
    cmdb_url: str = ""  #: of BlueKing CMDB's API, at its gateway or ESB; "": hosts are the inventory's
    #: the application that asks CMDB; its secret is in ADAPTER_CMDB_APP_SECRET, or in the file named next
    cmdb_app_code: str = ""
    cmdb_app_secret_file: str = ""
    cmdb_user: str = "admin"  #: in whose name it asks
    cmdb_supplier_account: str = "0"
    cmdb_ttl: int = 30  #: seconds for which an answer of CMDB counts; 0: none is kept
    cmdb_timeout: int = 20  #: seconds that CMDB has for everything a launch needs of it
    no_warm_ansible: bool = False  #: start Ansible anew for each run
    forks: int = 100  #: hosts Ansible talks to at once within a step
    max_running_jobs: int = 16  #: jobs this worker runs at once; the others wait
    max_running_jobs_total: int = 0  #: over all workers; 0 is no limit
    max_running_jobs_per_scope: int = 0  #: of one business, over all workers; 0 is 3/4 of what they may run
    max_unfinished_jobs: int = 100_000  #: a further one is refused with 1244034; 0 is no limit
    max_unfinished_jobs_per_scope: int = 0  #: of one business: 1244032; 0 is no limit
    max_unfinished_jobs_per_app: int = 0  #: of one application: 1244033; 0 is no limit
    max_body_bytes: int = 64 * 1024 * 1024  #: a larger request is refused with 413
    max_upload_bytes: int = 5 * 1024**3  #: of an uploaded file; a larger one is refused with 413
    upload_url_seconds: int = 24 * 3600  #: for which a URL of generate_local_file_upload_url is good
    upload_dir: str = ""  #: of uploaded files, the same for all nodes; "": uploads/ in the data directory
    public_url: str = ""  #: under which clients reach the service, for upload URLs; "": as each asked
    max_streams: int = 200  #: event streams open at once; a further one is refused with 429
    #: PEM files of gateways whose X-Bkapi-JWT is believed; with none, no JWT is
    jwt_public_keys: tuple[Path, ...] = ()
    #: networks whose X-AppCode and X-Username are believed on /esb/api, without any proof; normally none
    internal_networks: tuple[str, ...] = ()
    jwt_audience: str = ""  #: whom an X-Bkapi-JWT must name as `aud`; "": nobody, as BlueKing's gateways do
    jwt_issuer: str = ""  #: whom it must name as `iss`; "": anybody
    audit_log_days: int = 365  #: after which what was done is forgotten; 0 is never
    language: str = "zh-cn"  #: of replies to who sends no Blueking-Language: zh-cn or en
    max_log_bytes: int = 5 * 1024 * 1024  #: kept of one host's output, as GSE does
    clean_delay_seconds: int = 60  #: after which a script's files are removed from its hosts, many at a time
    file_cache_bytes: int = 20 * 1024**3  #: of files for later jobs on the controller's disk
    #: days after which jobs, what scripts printed, and artifacts are removed; 0 keeps them for ever (decision 48)
    keep_jobs_days: int = 0
    keep_logs_days: int = 0
    keep_artifacts_days: int = 0
    keep_uploads_days: int = 7  #: since an upload was last launched with; 0 keeps them for ever
    keep_artifacts_bytes: int = 0  #: of all artifacts on a node, beyond which the oldest go; 0 is no limit
    drain_seconds: int = 30  #: what SIGTERM waits for running steps before handing them to the next start
    callback_timeout: int = (
        10  #: seconds for one callback request, from the look-up of its name to its answer
    )
    #: networks, addresses and host names that callbacks may go to although the egress rule refuses them
    callback_allow: tuple[str, ...] = ()
    #: networks, addresses and host names that file sources may be at although the egress rule refuses them
    file_source_allow: tuple[str, ...] = ()
    #: seconds before attempts at a download that follow one which brought nothing new
    file_source_retry_pauses: tuple[float, ...] = (1, 2, 5, 10, 20)
    #: seconds between attempts at a callback; after the last one it is given up
    callback_retry_pauses: tuple[float, ...] = (5, 30, 120, 600, 1800)
    #: what becomes of times at which nobody could launch a cron: skip or run_once
    cron_missed: str = "skip"
    cron_late_seconds: int = 60  #: so late a cron is still launched; after that its time was missed
    cron_time_zone: str = ""  #: of crons that name none; "" is this machine's
    log_level: str = "info"

    def __post_init__(self) -> None:
        """Make paths absolute: the working directory of a service means nothing later. Raises ValueError."""
        for name in ("data_dir", "inventory", "playbooks"):
            object.__setattr__(self, name, Path(getattr(self, name)).expanduser().absolute())
        keys = tuple(key.expanduser().absolute() for key in self.jwt_public_keys)
        object.__setattr__(self, "jwt_public_keys", keys)
        if self.language not in ("zh-cn", "en"):
            raise ValueError(f"language must be zh-cn or en, not {self.language}")
        _check_crons(self.cron_missed, self.cron_time_zone)
        for network in self.internal_networks:
            _check_network("internal_networks", network)
        _check_places("callback_allow", self.callback_allow)
        _check_places("file_source_allow", self.file_source_allow)
        for name in ("cmdb_url", "public_url"):
            _check_url(name, getattr(self, name))
        if self.cmdb_url and not self.cmdb_app_code:
            raise ValueError("cmdb_url needs cmdb_app_code, the application that asks CMDB")
        for name in (
            "cmdb_timeout",
            "forks",
            "max_running_jobs",
            "max_body_bytes",
            "max_upload_bytes",
            "upload_url_seconds",
            "max_streams",
            "callback_timeout",
        ):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in (
            "max_running_jobs_total",
            "max_running_jobs_per_scope",
            "max_unfinished_jobs",
            "max_unfinished_jobs_per_scope",
            "max_unfinished_jobs_per_app",
            "file_cache_bytes",
            "keep_jobs_days",
            "keep_logs_days",
            "keep_artifacts_days",
            "keep_uploads_days",
            "keep_artifacts_bytes",
            "audit_log_days",
            "cmdb_ttl",
            "cron_late_seconds",
        ):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, not {getattr(self, name)}")

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the service's own tables."""
        return self.database_url or f"sqlite:///{self.data_dir / 'adapter.db'}"

    @property
    def uploads(self) -> Path:
        """The directory of uploaded files."""
        return Path(self.upload_dir).expanduser().absolute() if self.upload_dir else self.data_dir / "uploads"

    @property
    def workflow_database(self) -> str:
        """The URL of DBOS's tables: a file of its own on SQLite, the same database on PostgreSQL."""
        return self.database_url or f"sqlite:///{self.data_dir / 'workflows.db'}"

    def cmdb_app_secret(self, environ: Mapping[str, str] | None = None) -> str:
        """The secret of `cmdb_app_code`; no field, so that no text of this object has it. Raises SettingError."""
        found = (os.environ if environ is None else environ).get("ADAPTER_CMDB_APP_SECRET", "")
        if self.cmdb_app_secret_file:
            try:
                found = Path(self.cmdb_app_secret_file).expanduser().read_text().strip()
            except (OSError, ValueError) as error:
                raise SettingError(f"cmdb_app_secret_file: {error}") from None
        if not found:
            raise SettingError(
                "cmdb_url needs ADAPTER_CMDB_APP_SECRET, or cmdb_app_secret_file with the secret"
            )
        return found

    @classmethod
    def load(
        cls, options: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None
    ) -> Settings:
        """Options that are not None win over `ADAPTER_<NAME>`, which wins over the defaults.

        Raises ValueError naming the variable whose text is no number, boolean or list of seconds.
        """
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for item in fields(cls):
            variable = f"{_OWN_PREFIX}{item.name.upper()}"
            if variable in environ:
                values[item.name] = _parse(variable, environ[variable], str(item.type))
        values.update({name: value for name, value in (options or {}).items() if value is not None})
        return cls(**values)


def others_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What of an environment programs may have that are not this service's: all but its own variables.

    An inventory script needs its cloud's credentials from there, but not CMDB's secret or the database's password.
    """
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith(_OWN_PREFIX) and name not in _OWN
    }


def _check_crons(missed: str, time_zone: str) -> None:
    if missed not in ("skip", "run_once"):
        raise ValueError(f"cron_missed must be skip or run_once, not {missed}")
    if time_zone and time_zone not in available_timezones():
        raise ValueError(f"cron_time_zone: there is no time zone {time_zone}")


def _check_url(setting: str, url: str) -> None:
    if url and not url.startswith(("http://", "https://")):
        raise ValueError(f"{setting} must begin with https:// or http://, not {url}")


def _check_places(setting: str, words: tuple[str, ...]) -> None:
    for word in words:
        if not _HOST_NAME.fullmatch(word):
            _check_network(setting, word)


def _check_network(setting: str, text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"{setting}: {error}") from None


def _parse(variable: str, text: str, kind: str) -> Any:
    try:
        return _PARSERS.get(kind, str)(text)
    except ValueError as error:
        raise ValueError(f"{variable}{error}") from None


def _flag(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError(f"={text!r} is no boolean; use true or false")


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"={text!r} is no whole number") from None


def _pauses(text: str) -> tuple[float, ...]:
    try:
        return seconds(text)
    except ValueError as error:
        raise ValueError(f": {error}") from None


def words(text: str) -> tuple[str, ...]:
    """What stands between commas, without blanks; "" is none."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def seconds(text: str) -> tuple[float, ...]:
    """Seconds with commas between them; "" is none. Raises ValueError."""
    try:
        found = tuple(float(word) for word in text.split(",") if word.strip())
    except ValueError:
        found = (-1.0,)
    if not all(0 <= pause < float("inf") for pause in found):
        raise ValueError(f"{text!r} is no list of seconds, such as 5,30,120")
    return found


#: How the text of a variable is read, by the type of its setting.
_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "bool": _flag,
    "int": _number,
    "Path": Path,
    "tuple[float, ...]": _pauses,
    "tuple[Path, ...]": lambda text: tuple(map(Path, words(text))),
    "tuple[str, ...]": words,
}
