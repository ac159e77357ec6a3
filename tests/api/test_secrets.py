"""A secret in the wrong form is refused, and no refusal, log or record repeats it; nor one that is taken."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from marshmallow import Schema, fields
from structlog.testing import capture_logs

from adapter.api.apis import V2, V3, V4
from adapter.api.endpoints import Endpoint
from adapter.config import Settings
from adapter.job.actions import Action
from adapter.job.audit_log import AuditFilter
from adapter.job.model import Scope
from adapter.job.plan import GlobalVariable
from adapter.job.status import VariableType
from adapter.store.audit_log import AuditLogStore
from adapter.store.opening import Stores, open_store
from tests.support.markers import found_in, words_of

from . import bodies
from .client import ESB_V2, ESB_V3, GATEWAY_V4
from .conftest import StoppedClock
from .real import Real, build

#: Of letters that no form writes in another way, however often what it is in is quoted.
MARK = "mark5b0c7f3ad9e1"
#: A number that is a secret; what is no secret.
DIGITS, SEEN = 918_273_645_546_372_819, "seen-5b0c7f3ad9e1"
WORDS = words_of({"text": MARK, "number": str(DIGITS)})
_SECRET = re.compile(r"password|secret|access_key|username$|param$|^value$")
_DIALECTS: tuple[tuple[str, str, Mapping[str, Endpoint]], ...] = (
    ("v2", ESB_V2, V2),
    ("v3", ESB_V3, V3),
    ("v4", GATEWAY_V4, V4),
)
Place = tuple[str | int, ...]


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


#: What may be sent where a text is expected.
FORMS: dict[str, Any] = {
    "itself": MARK,
    "in base64": _b64(MARK),
    "too long": MARK * 3000,
    "too long, in base64": _b64(MARK * 3000),
    "what no database stores": f"{MARK}\0",
    "half a letter": f"{MARK}\ud800",
    "NUL in base64": _b64(f"{MARK}\0"),
    "a list": [MARK],
    "an object": {MARK: MARK},
    "JSON in text": json.dumps({"a": MARK}),
    "half of JSON in text": json.dumps([{"value": MARK}])[:-1],
    "JSON in text twice": json.dumps(json.dumps([{"value": MARK}])),
    "a number": DIGITS,
    "a number that is too large": DIGITS * 1000,
}


def _places(schema: Schema, path: Place = ()) -> Iterator[Place]:
    """Where requests have secrets, also as the parts of objects and of lists of them; and what these are in."""
    for name, field in schema.fields.items():
        inner: Any = field
        here: Place = (*path, name)
        while isinstance(inner, fields.List):
            inner, here = inner.inner, (*here, 0)
        if isinstance(inner, fields.Nested):
            below = list(_places(inner.schema, here))
            yield from below
            if below:
                yield from {here, here[: len(path) + 1]}
        elif _SECRET.search(name):
            yield here


CASES = [
    (dialect, name, place)
    for dialect, _, apis in _DIALECTS
    for name, found in sorted(apis.items())
    for place in sorted(_places(found.schema()), key=str)
]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """A database of these tests' own."""
    opened = open_store(Settings(data_dir=tmp_path_factory.mktemp("secrets")))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def real(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Real:
    """The application over real use cases."""
    return build(stores, StoppedClock(), Settings(data_dir=tmp_path_factory.mktemp("settings")))


@pytest.fixture(scope="module")
def ciphers(real: Real, stores: Stores) -> dict[str, int]:
    """A template and a plan whose variable PASS is a cipher, by the names that requests have for them."""
    template = stores.plans.template_named(Scope("biz", "1"), "real")
    assert template is not None
    cipher = GlobalVariable(id=1, name="PASS", type=VariableType.CIPHER, value=MARK)
    steps = tuple(replace(step, id=0) for step in template.steps)
    made = stores.plans.create_template(
        Scope("biz", "1"), name=SEEN, steps=steps, variables=(cipher,), operator="ann", now_ms=1
    )
    plan_id = stores.plans.create_plan(made, name=SEEN, operator="ann", now_ms=1)
    return {"job_plan_id": plan_id, "bk_job_id": plan_id, "job_template_id": made.id}


def _body(dialect: str, name: str, place: Place, known: Mapping[str, Any]) -> dict[str, Any]:
    """A valid request with something at the place, which names the cipher wherever it names a variable."""
    body: dict[str, Any] = getattr(bodies, dialect)(name)
    body |= {key: value for key, value in known.items() if key in body}
    holder: Any = body
    for key, following in zip(place, (*place[1:], ""), strict=True):
        empty: Any = [] if following == 0 else {}
        if isinstance(key, int):
            holder[:] = holder[:1] or [{}]
        elif not isinstance(holder.get(key), type(empty)):
            holder[key] = empty
        if place[-1] == "value" and isinstance(holder, dict) and key == "value":
            holder.pop("id", None)
            holder["name"] = "PASS"
        if following != "":
            holder = holder[key]
    return body


@pytest.mark.parametrize(("dialect", "name", "place"), CASES, ids=str)
def test_a_secret_in_any_form(
    real: Real, stores: Stores, ciphers: dict[str, int], dialect: str, name: str, place: Place
) -> None:
    """Taken or refused, it is in no reply, no log and no record; what else was sent is in them."""
    prefix = {version: prefix for version, prefix, _ in _DIALECTS}[dialect]
    told = []
    with capture_logs() as logs:
        for form, value in FORMS.items():
            body = _body(dialect, name, place, {**ciphers, "task_name": SEEN})
            holder: Any = body
            for key in place[:-1]:
                holder = holder[key]
            holder[place[-1]] = value
            raw = json.dumps({**real.job.credentials, **body})
            answer = real.job.http.post(f"{prefix}/{name}/", content=raw)
            assert answer.headers["content-type"].startswith("application/json")
            told += [f"{found} is told of {form}: {answer.text}" for found in found_in(answer.content, WORDS)]
    assert told == []
    assert len(logs) == len(FORMS)
    assert found_in(repr(logs).encode(), WORDS) == []
    assert found_in(repr(AuditLogStore(stores.engine).of(AuditFilter(most=200))).encode(), WORDS) == []


LAUNCHES = [
    (dialect, prefix, name)
    for dialect, prefix, apis in _DIALECTS
    for name, found in sorted(apis.items())
    if found.action is Action.LAUNCH
]


@pytest.mark.parametrize(("dialect", "prefix", "name"), LAUNCHES)
def test_a_launch_that_is_only_planned(
    real: Real, ciphers: dict[str, int], dialect: str, prefix: str, name: str
) -> None:
    """What would be run is told without its sensitive parameter and ciphers."""
    body = getattr(bodies, dialect)(name)
    body |= {key: value for key, value in ciphers.items() if key in body}
    is_v4 = dialect == "v4"
    if "script_param" in body:
        body |= {"script_param": _b64(MARK), "param_sensitive" if is_v4 else "is_param_sensitive": True}
    for key in ("global_var_list", "global_vars"):
        if key in body:
            body[key] = [{"name": "PASS", "value": MARK}]
    body |= {"db_account_id": real.db_account_id} if "db_account_id" in body else {}
    answer = real.job.http.post(
        f"{prefix}/{name}/", json={**real.job.credentials, **body, "plan_only": True},
    )  # fmt: skip
    assert found_in(answer.content, WORDS) == []


@pytest.mark.parametrize("wrong", ["whole", "in text", "cut", "a list", "a header", "a header in text"])
def test_credentials_in_the_wrong_form(real: Real, wrong: str) -> None:
    """The body twice in JSON, half of it, in a list; and the header: nothing of what it had is in the refusal."""
    secret = {"bk_app_code": "real", "bk_app_secret": MARK, "bk_token": MARK, "access_token": MARK}
    text = json.dumps(dict(reversed(secret.items())))
    header = {"X-Bkapi-Authorization": text if wrong == "a header" else json.dumps(text)}
    content = {"whole": text, "in text": json.dumps(text), "cut": text[:-1], "a list": f"[{text}]"}.get(
        wrong, "{}"
    )
    with capture_logs() as logs:
        answer = real.job.http.post(
            f"{ESB_V3}/get_job_instance_list/?bk_biz_id=1",
            content=content,
            headers=header if "header" in wrong else {"X-Bkapi-JWT": MARK.encode("ascii", "ignore").decode()},
        )
    assert answer.json()["code"] != 0
    assert found_in(answer.content, WORDS) == []
    assert found_in(repr(logs).encode(), WORDS) == []


@pytest.mark.parametrize(
    ("secret", "changes"),
    [(f"{MARK} {MARK}", {}), (MARK[:15], {}), (MARK * 20, {}), (MARK, {"callback_url": None}), (MARK, {})],
)
def test_a_callbacks_secret(real: Real, secret: str, changes: dict[str, Any]) -> None:
    """One that is none, one that nothing is signed with, and one that is taken."""
    # By its id: other tests rename accounts.
    body = bodies.v3("fast_execute_script", account_alias=None, account_id=real.account_id, **changes)
    with capture_logs() as logs:
        answer = real.job.http.post(
            f"{ESB_V3}/fast_execute_script/",
            json={**real.job.credentials, **body},
            headers={"X-Callback-Secret": secret},
        )
    is_taken = secret == MARK and "callback_url" in body
    assert (answer.json()["code"] == 0) == is_taken, answer.text
    assert secret[:15].encode() not in answer.content
    assert secret[:15] not in repr(logs)


def test_what_is_no_secret_is_told(real: Real, stores: Stores) -> None:
    """In a refusal and in a record: otherwise the tests above could not fail. And they have what they must have."""
    body = bodies.v3("create_account", category=MARK)
    told = real.job.http.post(f"{ESB_V3}/create_account/", json={**real.job.credentials, **body})
    assert told.json()["code"] == 1240003
    assert found_in(told.content, WORDS) != []
    body = bodies.v3("create_account", alias=SEEN)
    made = real.job.http.post(f"{ESB_V3}/create_account/", json={**real.job.credentials, **body})
    assert made.json()["code"] == 0
    assert SEEN in repr(AuditLogStore(stores.engine).of(AuditFilter(most=200)))
    assert set(CASES) >= {
        ("v2", "execute_platform_job", ("steps", 0, "script_param")),
        ("v3", "create_account", ("password",)),
        ("v3", "fast_execute_script", ("host_password_list", 0, "encrypted_password")),
        ("v3", "save_cron", ("global_var_list", 0, "value")),
        ("v3", "update_credential", ("credential_secret_key",)),
        ("v4", "create_job_plan", ("variables",)),
    }
