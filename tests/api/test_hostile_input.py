"""What no decent client sends: JOB's codes, nothing stored, nothing slow (issue: "What bad input gets")."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from adapter.api.apis import V2, V3, V4
from adapter.api.fields import MAX_ITEMS
from adapter.config import Settings
from adapter.job.commands import JobFilter
from adapter.job.model import Scope
from adapter.store.opening import open_store

from . import bodies
from .bodies import v3
from .client import ESB_V2, ESB_V3, GATEWAY_V4, envelope
from .conftest import StoppedClock
from .real import Real, build

PATH = f"{ESB_V3}/fast_execute_script/"
PREFIXES = {"v3": ESB_V3, "v2": ESB_V2, "v4": GATEWAY_V4}
TARGET = {"host_id_list": [101]}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """The real use cases and a database; bodies may be large."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("hostile"))
    opened = open_store(settings)
    yield build(opened, StoppedClock(), settings)
    opened.close()


def _count(real: Real) -> int:
    """How many jobs are stored."""
    wanted = JobFilter(scope=Scope("biz", "1"), create_time_start=0, create_time_end=2**62)
    return real.jobs.list(wanted)[0]


def _script(**changes: Any) -> dict[str, Any]:
    return v3("fast_execute_script", **{"target_server": TARGET, **changes})


def _refused(real: Real, name: str, body: dict[str, Any], *codes: int) -> str:
    """The message; nothing was stored."""
    before = _count(real)
    reply = real.job.v3(name, body)
    assert reply["code"] in codes, reply
    assert _count(real) == before
    message: str = reply["message"]
    assert len(message) < 2000
    return message


# --- numbers ---------------------------------------------------------------------------------------------


def _numbers(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in items:
        if type(value) is int:
            yield (*path, key)
        yield from _numbers(value, (*path, key))


_ALL = [
    (version, name, place)
    for version, names, body_of in (("v3", V3, bodies.v3), ("v2", V2, bodies.v2), ("v4", V4, bodies.v4))
    for name in sorted(names)
    for place in _numbers(body_of(name))
]


@pytest.mark.parametrize(("version", "name", "place"), _ALL, ids=str)
def test_numbers_over_64_bits(real: Real, version: str, name: str, place: tuple[Any, ...]) -> None:
    """Every number of every API: as a number, as text, negative, as a float; never a job, never a fault."""
    before = _count(real)
    for value in (2**63, -(2**63) - 1, str(2**64), 1e30, "9" * 5000):
        body = getattr(bodies, version)(name)
        holder = body
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = value
        raw = json.dumps({**real.job.credentials, **body})
        reply = real.job.http.post(f"{PREFIXES[version]}/{name}/", content=raw).json()
        code = reply["code"] if "code" in reply else reply["error"]["details"][0]["code"]
        assert code not in (0, "0", 1240002, "1240002"), reply
    assert _count(real) == before


# --- JSON ------------------------------------------------------------------------------------------------


def test_of_duplicate_keys_the_last_counts(real: Real) -> None:
    """As in JOB; also for the business, so that what is checked is what is done."""
    who = json.dumps(real.job.credentials)[1:-1]
    rest = json.dumps(_script())[1:-1]
    twice = f'{{{who}, "task_name": "first", {rest}, "task_name": "last"}}'
    reply = envelope(real.job.http.post(PATH, content=twice))
    assert reply["data"]["job_instance_name"] == "last"
    body = f'{{{who}, {rest}, "target_server": {{"host_id_list": [101], "host_id_list": [102]}}}}'
    step = envelope(real.job.http.post(PATH, content=body))["data"]
    assert [item.host.bk_host_id for item in real.jobs.hosts(step["step_instance_id"], 0)] == [102]
    reply = envelope(real.job.http.post(PATH, content=f'{{{who}, {rest}, "bk_scope_id": "77"}}'))
    assert reply["code"] == 1243049


@pytest.mark.parametrize("text", ["[" * 5000, '{"a":' * 5000, "[" * 65 + "]" * 65])
def test_deep_nesting_within_text(real: Real, text: str) -> None:
    """In a query objects are text."""
    query = {**real.job.credentials, **bodies.SCOPE, "target_server": text}
    reply = envelope(real.job.http.get(PATH, params=query))
    assert reply["code"] == 1240003


def test_millions_of_small_things(real: Real) -> None:
    """Are refused in the time it takes to read them."""
    for text in (
        "[" + "[]," * 1_000_000 + "[]]",
        "[" + '"",' * 1_000_000 + '""]',
        "[" + "1," * 2_000_000 + "1]",
    ):
        rest = json.dumps({**real.job.credentials, **bodies.SCOPE})[1:]
        body = f'{{"target_server": {{"host_id_list": {text}}}, {rest}'
        began = time.monotonic()
        reply = envelope(real.job.http.post(PATH, content=body))
        assert reply["code"] == 1240003
        assert "must have at most 100000 entries" in reply["message"]
        assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("fast_execute_script", {"target_server": {"host_id_list": [1] * (MAX_ITEMS + 1)}}),
        ("fast_execute_script", {"target_server": {"dynamic_group_list": [{}] * (MAX_ITEMS + 1)}}),
        ("fast_execute_script", {"target_server": {"topo_node_list": [None] * (MAX_ITEMS + 1)}}),
        ("fast_execute_script", {"host_password_list": [{}] * (MAX_ITEMS + 1)}),
        ("fast_transfer_file", {"file_source_list": [{}] * (MAX_ITEMS + 1)}),
        ("execute_job_plan", {"global_var_list": [0] * (MAX_ITEMS + 1)}),
        ("batch_get_job_instance_ip_log", {"host_id_list": [1] * (MAX_ITEMS + 1)}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_oversized_lists(real: Real, name: str, body: dict[str, Any]) -> None:
    """Before any of their entries is looked at."""
    assert f"not {MAX_ITEMS + 1}" in _refused(real, name, v3(name, **body), 1240003)


def test_hosts_that_nobody_knows_by_the_thousand(real: Real) -> None:
    """Are counted, and not all named."""
    message = _refused(
        real,
        "fast_execute_script",
        _script(target_server={"host_id_list": list(range(10_000, 60_000))}),
        1244030,
    )
    assert "50000" in message


def test_a_host_named_a_thousand_times_is_one(real: Real) -> None:
    """It runs once."""
    reply = real.job.v3("fast_execute_script", _script(target_server={"host_id_list": [101] * 1000}))
    assert len(real.jobs.hosts(reply["data"]["step_instance_id"], 0)) == 1


# --- text ------------------------------------------------------------------------------------------------

TEXTS = [
    "😀 emoji 👩‍👩‍👧",
    "\u202eright to left\u202c \u05d0\u05d1",
    "a\u0001b\u001b[31mred\u007f",
    "tab\tand\rreturn",
    "zero\u200bwidth\ufeff",
    "-rf",
    "--help",
    "../../etc/passwd",
    "{{ 7 * 7 }} {% x %} ${HOME} $(id) `id`",
    "'; DROP TABLE job_instance; --",
    "%s %n %(x)s {0} {name}",
    "<script>alert(1)</script>",
    "ｆｕｌｌ ｗｉｄｔｈ",
    "e\u0301 and \u00e9",
]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_text_is_text(real: Real, text: str) -> None:
    """Names, parameters and scripts come back as they went in, and can be looked for."""
    import base64

    encoded = base64.b64encode(text.encode()).decode()
    body = _script(task_name=text, script_content=encoded, script_param=encoded)
    launched = real.job.v3("fast_execute_script", body)["data"]
    assert launched["job_instance_name"] == text
    ids = {name: launched[name] for name in ("job_instance_id", "step_instance_id")}
    detail = real.job.v3("get_step_instance_detail", v3("get_step_instance_detail", **ids))["data"]
    assert (detail["script_info"]["script_content"], detail["script_info"]["script_param"]) == (text, text)
    found = real.job.v3(
        "get_job_instance_list",
        v3("get_job_instance_list", create_time_start=1_699_999_999_999, status=None, name=text),
    )["data"]
    assert launched["job_instance_id"] in [row["job_instance_id"] for row in found["data"]]
    message = _refused(real, "fast_execute_script", _script(account_alias=text), 1244003)
    assert text.strip() in message


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("file_target_path", "../etc", 1241007),
        ("file_target_path", "-rf", 1241007),
        ("file_target_path", "etc/passwd", 1241007),
        ("file_target_path", "/tmp/a\nb", 1241007),
        ("file_target_path", "/tmp/a\u0000b", 1240003),
        ("file_target_name", "..", 1241005),
        ("file_target_name", ".", 1241005),
        ("file_target_name", "../x", 1241005),
        ("file_target_name", "a/b", 1241005),
        ("file_target_name", "a\\b", 1241005),
        ("file_target_name", "a\nb", 1241005),
        ("file_target_name", "a\u0000b", 1240003),
        ("file_target_name", "x" * 256, 1241005),
        ("file_target_name", "\u00e9" * 128, 1241005),
        ("file_target_name", ["a"], 1240003),
        ("source", "../etc/passwd", 1241005),
        ("source", "-rf", 1241005),
        ("source", "/tmp/a\nb", 1241005),
        ("source", "", 1240003),
    ],
)
def test_paths_that_are_none(real: Real, field: str, value: str, code: int) -> None:
    """A path is absolute, a name is a name."""
    source = {"file_list": ["/tmp/x"], "account": {"alias": "root"}, "server": TARGET, "file_type": 1}
    body = v3("fast_transfer_file", target_server=TARGET, file_source_list=[source], upload_speed_limit=None)
    if field == "source":
        source["file_list"] = [value]
    else:
        body[field] = value
    _refused(real, "fast_transfer_file", body, code)


@pytest.mark.parametrize("path", ["/tmp/../srv/x/", "/tmp/./a//b/", "/-rf/", "/tmp/\u202eb/", "/tmp/😀/"])
def test_paths_that_are_odd(real: Real, path: str) -> None:
    """Are the host's business, as in JOB: it is asked for exactly these."""
    source = {"file_list": ["/tmp/../x", "/tmp/-rf"], "account": {"alias": "root"}, "server": TARGET}
    body = v3("fast_transfer_file", target_server=TARGET, file_source_list=[source], file_target_path=path)
    launched = real.job.v3("fast_transfer_file", {**body, "file_target_name": "-rf"})["data"]
    step = real.jobs.step(launched["step_instance_id"])
    assert step is not None
    assert step.file is not None
    assert step.file.file_target_name == "-rf"
    assert (step.file.target_path, step.file.sources[0].files) == (path, ("/tmp/../x", "/tmp/-rf"))
