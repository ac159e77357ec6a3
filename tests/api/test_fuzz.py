"""No request, however broken, makes an internal error or leaves without an envelope.

The seed is printed with a failure; API_FUZZ_SEED=… and API_FUZZ_EXAMPLES=… repeat and deepen it.
"""

from __future__ import annotations

import copy
import json
import os
import random
import secrets
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from adapter.api.apis import V2, V3, V4
from adapter.config import Settings
from adapter.job.model import PUBLIC, Scope
from adapter.store.opening import open_store

from . import bodies
from .client import ESB_V2, ESB_V3, GATEWAY_V4, envelope, envelope_v4
from .conftest import StoppedClock
from .real import Real, build

SEED = int(os.environ.get("API_FUZZ_SEED") or random.SystemRandom().getrandbits(32))
EXAMPLES = int(os.environ.get("API_FUZZ_EXAMPLES") or 40)

ENDPOINTS = [
    (dialect, name) for dialect, names in (("v3", V3), ("v2", V2), ("v4", V4)) for name in sorted(names)
]
PREFIXES = {"v3": ESB_V3, "v2": ESB_V2, "v4": GATEWAY_V4}

NASTY: list[Any] = [
    *(None, True, False, "", " ", 0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**400, 1.5, 1e308),
    *(
        "\x00",
        "\ud800",
        "²",
        "１",
        "9" * 400,
        "-0",
        "x" * 2000,
        "/",
        "../..",
        "${x}",
        "[DATE:yyyy",
        "'\"<%",
        "%",
    ),
    *("1e5", "NaN", "http://[", "http://a:b/", "REGEX:(", "{", "[[", '{"a": 1}', '["x"]', "null", "1.0"),
    *(
        [],
        {},
        [None],
        [[]],
        [{}],
        {"": ""},
        [1, "a", None],
        {"ip_list": None},
        {"id": {}},
        {"host_id_list": "[1]"},
    ),
]

json_values = st.recursive(
    st.sampled_from(NASTY)
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.text(st.characters(), max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """One application for everything: what a request leaves behind may meet the next one."""
    service = Settings(data_dir=tmp_path_factory.mktemp("fuzz"))
    stores = open_store(service)
    built = build(stores, StoppedClock(), service)
    for _ in range(3):
        built.job.v3("fast_execute_script", bodies.v3("fast_execute_script"))
    yield built
    stores.close()


def _of_a_cron(real: Real, body: dict[str, Any]) -> dict[str, Any]:
    """The id of a cron that is there, and a name that none has."""
    new = bodies.v3("save_cron", name=uuid.uuid4().hex, job_plan_id=real.plan_id)
    cron_id = real.job.v3("save_cron", new)["data"]["id"]
    fresh = {"id": cron_id, "cron_id": cron_id, "name": uuid.uuid4().hex, "cron_name": uuid.uuid4().hex}
    return {key: value for key, value in fresh.items() if key in body}


def _of_a_script(real: Real, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """The ids of a script that is there, in the state that the request needs, and a name that none has."""
    library = PUBLIC if "public" in name else Scope("biz", "1")
    made = real.catalog.create_script(
        library, user="admin", name=uuid.uuid4().hex, language=1, content="x", version="1.0"
    )
    ids = {"script_id": made.script_id, "script_version_id": made.id, "id": made.id}
    if name.startswith("disable"):
        real.catalog.publish_script_version(
            library, user="admin", script_id=made.script_id, script_version_id=made.id
        )
    return {key: value for key, value in {**ids, "name": uuid.uuid4().hex}.items() if key in body}


def _of_an_account(real: Real, body: dict[str, Any]) -> dict[str, Any]:
    """The id and alias of an account that nothing uses: under another id, the alias is taken."""
    alias = uuid.uuid4().hex
    made = real.catalog.create_account(
        Scope("biz", "1"), user="admin", account="x", category=1, type=1, alias=alias
    )
    return {key: value for key, value in {"id": made.id, "alias": alias}.items() if key in body}


def _valid(real: Real, dialect: str, name: str) -> dict[str, Any]:
    """A request that succeeds, with the ids that there are."""
    body: dict[str, Any] = getattr(bodies, dialect)(name)
    if "job_instance_id" in body:
        body["job_instance_id"] = 1
    if "step_instance_id" in body:
        body["step_instance_id"] = 1
    if name == "get_file_task_context":
        body |= _of_files(real)
    if isinstance(body.get("script_id"), str):
        body |= _of_a_script(real, name, body)
    if name in ("update_account", "delete_account"):
        body |= _of_an_account(real, body)
    if name.endswith("able_dangerous_rule") or name == "update_dangerous_rule":
        rule = bodies.v3("create_dangerous_rule", expression=uuid.uuid4().hex)
        body["id"] = real.job.v3("create_dangerous_rule", rule)["data"]["id"]
    if "credential" in name:
        body |= _of_a_credential(real, name)
    if "file_source" in name:
        body |= _of_a_file_source(real, name)
    if "cron" in name and not name.endswith("_list"):
        body |= _of_a_cron(real, body)
    known = {"bk_job_id": real.plan_id, "job_plan_id": real.plan_id, "db_account_id": real.db_account_id}
    for key, value in known.items():
        if key in body:
            body[key] = value
    for step, step_id in zip(body.get("steps", []), real.step_ids, strict=False):
        step["step_id"] = step_id
    return body


def _of_a_credential(real: Real, name: str) -> dict[str, Any]:
    """A new name; the id of one that is there, if that is asked for."""
    found = {} if name == "get_credential_detail" else {"name": uuid.uuid4().hex}
    if name != "create_credential":
        made = bodies.v3("create_credential", name=uuid.uuid4().hex)
        found["id"] = real.job.v3("create_credential", made)["data"]["id"]
    return found


def _of_a_file_source(real: Real, name: str) -> dict[str, Any]:
    """A new code and alias; a file source has that code unless it is to be created."""
    code, alias = f"s{uuid.uuid4().hex[:16]}", {"alias": uuid.uuid4().hex}
    if name == "create_file_source":
        return {"code": code} | alias
    made = real.job.v3("create_file_source", bodies.v3("create_file_source", code=code, **alias))
    assert made["data"], made
    return {"code": code} | (alias if name == "update_file_source" else {})


def _of_files(real: Real) -> dict[str, Any]:
    """The ids of a job that transfers files."""
    launched = real.job.v3("fast_transfer_file", bodies.v3("fast_transfer_file"))["data"]
    return {name: launched[name] for name in ("job_instance_id", "step_instance_id")}


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of everything inside."""
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    else:
        return []
    return [place for key, item in items for place in [(*path, key), *_places(item, (*path, key))]]


def _mutated(body: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """The body with one to three things in it replaced or taken away."""
    changed = copy.deepcopy(body)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(_places(changed) or [("x",)]))
        holder: Any = changed
        for key in place[:-1]:
            holder = holder[key]
        if isinstance(holder, dict) and data.draw(st.integers(0, 4)) == 0:
            holder.pop(place[-1], None)
        else:
            holder[place[-1]] = copy.deepcopy(data.draw(json_values))  # the nasty ones are shared
    return changed


@pytest.mark.parametrize(("dialect", "name"), ENDPOINTS)
@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_no_request_makes_an_internal_error(dialect: str, name: str, real: Real, data: st.DataObject) -> None:
    """Random objects, and valid requests with something wrong in them, by POST and by GET."""
    print(f"API_FUZZ_SEED={SEED}")
    if data.draw(st.integers(0, 9)) == 0:
        body = {**bodies.SCOPE, **data.draw(st.dictionaries(st.text(max_size=6), json_values, max_size=4))}
    else:
        body = _mutated(_valid(real, dialect, name), data)
    path = f"{PREFIXES[dialect]}/{name}/"
    http = real.job.http
    if data.draw(st.integers(0, 4)) == 0:
        query = {key: value if isinstance(value, str) else json.dumps(value) for key, value in body.items()}
        query = {key: value.encode("utf-8", "replace").decode() for key, value in query.items()}
        response = http.get(path, params={**query, **real.job.credentials})
    else:
        response = http.post(path, content=json.dumps({**body, **real.job.credentials}))
    if dialect == "v4":
        assert envelope_v4(response, response.status_code)
        assert response.status_code != 500, (body, response.text)
    else:
        reply = envelope(response)
        assert reply["code"] != 1240002, (body, reply)


@pytest.mark.parametrize(("dialect", "name"), ENDPOINTS)
def test_the_requests_that_are_mutated_are_valid(dialect: str, name: str, real: Real) -> None:
    """Else the test above would see nothing but the first check."""
    body = _valid(real, dialect, name)
    if dialect == "v4":
        if name == "create_job_plan":  # the test above may have made one of the body's name
            body = {**body, "name": f"valid {secrets.token_hex(4)}"}
        assert real.job.v4(name, body)["data"]
        return
    reply = real.job.v3(name, body) if dialect == "v3" else real.job.v2(name, body)
    # What another test of this module has created exists already.
    assert reply["code"] in (0, 1241003, 1243002, 1243007, 1243036, 1243056), reply


@seed(SEED)
@settings(
    max_examples=EXAMPLES * 3,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
@given(content=st.binary(max_size=40), header=st.text(st.characters(max_codepoint=255), max_size=40))
def test_no_bytes_make_an_internal_error(real: Real, content: bytes, header: str) -> None:
    """Whatever the body and the header of credentials are."""
    print(f"API_FUZZ_SEED={SEED}")
    path = f"{ESB_V3}/fast_execute_script/"
    raw = "".join(c for c in header if c.isprintable()).encode("latin-1")
    for headers in ({}, {b"X-Bkapi-Authorization": raw}):
        reply = envelope(real.job.http.post(path, content=content, headers=headers))
        assert reply["code"] in (1240003, 1306000, 1306406)
