"""/openapi.json: valid, whole, open to anyone; its examples are carried out, and their replies are as it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.routing import Route

from adapter.api.application import create_app
from adapter.api.openapi.replies import REPLIES
from adapter.api.openapi.texts import texts
from adapter.api.uploads_v3 import PATH as UPLOADS
from adapter.config import Settings
from adapter.store.opening import open_store

from .conftest import World
from .described import APIS, DOCUMENT, GAPS, mistakes, path_of
from .real import Real
from .staged import WRITTEN, sent, staged


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Real]:
    """An application of its own for each example: what one creates another may delete."""
    settings = Settings(data_dir=tmp_path)
    stores = open_store(settings)
    yield staged(stores, settings)
    stores.close()


def test_it_is_valid() -> None:
    """By the rules of OpenAPI 3.1, every reference and schema in it as well."""
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


@pytest.mark.parametrize("base", ["", "/api/bk-job/prod"])
def test_anyone_may_read_it(world: World, base: str) -> None:
    """There is no secret in it: it says what this repository says."""
    reply = world.http.get(f"{base}/openapi.json")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json() == json.loads(json.dumps(DOCUMENT))


def test_every_api_is_in_it() -> None:
    """With the methods that it takes, and each of its paths."""
    for dialect, name in APIS:
        assert path_of(dialect, name) in DOCUMENT["paths"]


def test_every_path_is_in_it(world: World) -> None:
    """Whatever has a path of its own is there; the others have a name in their path."""
    app = create_app(world.services, Settings())
    paths = {route.path for route in app.routes if isinstance(route, Route)}
    own = {path for path in paths if "{name" not in path and not path.startswith("/api/bk-job/")}
    assert own - set(DOCUMENT["paths"]) == set()


@pytest.mark.parametrize(("dialect", "name"), WRITTEN)
def test_its_examples_are_carried_out(real: Real, dialect: str, name: str) -> None:
    """By each method, and the replies are what the document says, member by member."""
    path = path_of(dialect, name)
    headers = {"X-Bkapi-Authorization": json.dumps(real.job.credentials)}
    body = sent(real, dialect, name)
    for method in sorted(DOCUMENT["paths"][path]):
        if method == "get" and not _changes_nothing(path):
            continue
        query = {key: value if isinstance(value, str) else json.dumps(value) for key, value in body.items()}
        given = {"params": query} if method == "get" else {"json": body}
        response = real.job.http.request(method, path, headers=headers, **given)
        reply = response.json()
        assert response.status_code == 200, reply
        assert reply.get("code", 0) == 0, reply
        assert mistakes(path, method, response.status_code, reply) == []


LAUNCHES = [
    (dialect, name)
    for dialect, name in WRITTEN
    if DOCUMENT["paths"][path_of(dialect, name)]["post"]["x-action"] == "launch"
]


@pytest.mark.parametrize(("dialect", "name"), LAUNCHES)
def test_a_plan_is_as_it_says(real: Real, dialect: str, name: str) -> None:
    """What a launch would do is described as well."""
    path = path_of(dialect, name)
    body = {**sent(real, dialect, name), "plan_only": True}
    response = real.job.http.post(path, json={**real.job.credentials, **body})
    assert response.json()["data"]["step_list"]
    assert mistakes(path, "post", response.status_code, response.json()) == []


def _changes_nothing(path: str) -> bool:
    """What changes something is asked once: the second time it may be there already."""
    return bool(next(iter(DOCUMENT["paths"][path].values()))["x-action"] == "view")


@pytest.mark.parametrize("path", sorted(texts().apis["ext"]))
def test_examples_beside_jobs_apis(real: Real, path: str) -> None:
    """What is no stream answers as the document says."""
    example = dict(texts().apis["ext"][path].example)
    url = path.format(**example)
    query = {name: value for name, value in example.items() if f"{{{name}}}" not in path}
    response = real.job.http.get(
        url, params={**query, **real.job.credentials, "bk_scope_type": "biz", "bk_scope_id": "1"}
    )
    assert response.status_code == 200
    if response.headers["content-type"] == "application/json":
        assert mistakes(path, "get", 200, response.json()) == []
        assert response.json()["code"] == 0 or "bundle" in path, response.json()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"finished": None}, "$.data.finished"),
        ({"told": 1}, "'told' was unexpected"),
        ({"job_instance": {}}, "'job_instance_id' is a required property"),
    ],
)
def test_what_differs_is_seen(real: Real, change: dict[str, object], told: str) -> None:
    """A member that is missing, another type, one that nobody has described: else the tests above show nothing."""
    reply = real.job.v3("get_job_instance_status", sent(real, "v3", "get_job_instance_status"))
    changed = {**reply, "data": {**reply["data"], **change}}
    found = mistakes(path_of("v3", "get_job_instance_status"), "post", 200, changed)
    assert any(told in mistake for mistake in found), found


def test_its_other_paths_are_served(world: World) -> None:
    """Each path of x-also-at answers as the API does: an unknown name would say so, or be a 404."""
    item = DOCUMENT["paths"][path_of("v3", "get_account_list")]["post"]
    assert len(item["x-also-at"]) == 4
    for path in [path_of("v3", "get_account_list"), *item["x-also-at"]]:
        for base in ("", "/api/bk-job/prod"):
            reply = world.job.post(base + path, {"bk_scope_type": "biz", "bk_scope_id": "1"})
            assert reply["code"] == 0, path


def test_whatever_is_served_is_described() -> None:
    """Its fields in texts/fields_*.yml, its summary and example in texts/*.yml, its reply in replies_*.py."""
    fields = {f"{gap}: a line in adapter/api/openapi/texts/fields_….yml" for gap in GAPS.fields}
    apis = {f"{gap}: summary and example in adapter/api/openapi/texts/….yml" for gap in GAPS.summaries}
    replies = {f"{gap}: its reply in a REPLIES of adapter/api/openapi/replies_….py" for gap in GAPS.replies}
    assert sorted(fields | apis | replies) == []


def test_what_is_described_is_served() -> None:
    """A text or a reply of something that is gone misleads; so does an example that nobody would send."""
    written = {
        (dialect, name) for dialect, names in texts().apis.items() if dialect != "ext" for name in names
    }
    assert written == set(APIS)
    assert {(dialect, name) for dialect, names in REPLIES.items() for name in names} <= set(APIS)
    assert set(texts().fields) - GAPS.used == set()
    assert {path for path in DOCUMENT["paths"] if path.startswith("/api/ext/")} == {
        *texts().apis["ext"],
        UPLOADS,
    }
