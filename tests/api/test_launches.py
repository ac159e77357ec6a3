"""What every launch reads beside its own fields: where callbacks may go, and what signs them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from adapter.api.apis import V2, V3, V4
from adapter.config import Settings
from adapter.job.actions import Action
from adapter.store.opening import open_store

from .bodies import v2, v3
from .client import ESB_V2, ESB_V3, GATEWAY_V4, envelope, envelope_v4
from .conftest import StoppedClock
from .real import Real, build

SECRET = {"X-Callback-Secret": "a secret of sixteen".replace(" ", "-")}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """The application over real use cases; one network may be called that may not by itself."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("launches"), callback_allow=("127.0.7.0/24", "tell.me")
    )
    stores = open_store(settings)
    yield build(stores, StoppedClock(), settings)
    stores.close()


def script(real: Real, **changes: Any) -> dict[str, Any]:
    """A request that the application can carry out."""
    body = v3("fast_execute_script", account_alias=None, account_id=real.account_id, **changes)
    return {**real.job.credentials, **{name: value for name, value in body.items() if value is not None}}


def post(real: Real, body: dict[str, Any], headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The reply of ESB's v3."""
    return envelope(real.job.http.post(f"{ESB_V3}/fast_execute_script/", json=body, headers=headers))


def test_every_api_that_launches_says_so() -> None:
    """Else it would neither check where it calls back to nor take a key, a secret, plan_only."""
    launching = {
        (version, name)
        for version, endpoints in (("v2", V2), ("v3", V3), ("v4", V4))
        for name, found in endpoints.items()
        if found.action is Action.LAUNCH
    }
    named = {
        (version, name)
        for version, endpoints in (("v2", V2), ("v3", V3), ("v4", V4))
        for name, found in endpoints.items()
        if {"callback_url", "bk_callback_url", "callback"} & set(found.schema().fields)
        or name.startswith(("fast_", "execute_"))
    }
    assert launching == named


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("http://127.0.0.1:8000/", "the loopback address 127.0.0.1"),
        ("http://localhost/", "the loopback address 127.0.0.1"),
        ("http://2130706433/", "the loopback address 127.0.0.1"),
        ("http://0177.1/", "the loopback address 127.0.0.1"),
        ("http://0.0.0.0/", "the unspecified address 0.0.0.0"),
        ("http://169.254.169.254/latest/meta-data", "the metadata address 169.254.169.254"),
        ("http://metadata.google.internal/", "the metadata address 169.254.169.254"),
        ("http://[fd00:ec2::254]/", "the metadata address fd00:ec2::254"),
        ("http://169.254.1.1/", "the link-local address 169.254.1.1"),
        ("http://[::1]/", "the loopback address ::1"),
        ("http://[::ffff:a9fe:a9fe]/", "the metadata address ::ffff:"),
        ("http://good.example@127.0.0.1/", "the loopback address 127.0.0.1"),
    ],
)
def test_urls_that_lead_where_only_this_machine_gets_are_refused(real: Real, url: str, where: str) -> None:
    """1240003, nothing is stored, nothing runs, and it says what can be done."""
    before = len(real.woken)
    reply = post(real, script(real, callback_url=url))
    assert reply["code"] == 1240003
    assert f"callback_url leads to {where}" in reply["message"]
    assert "ADAPTER_CALLBACK_ALLOW" in reply["message"]
    assert len(real.woken) == before


def test_every_dialect_refuses_them(real: Real) -> None:
    """With its own name of the field, and its own envelope; in Chinese too."""
    metadata = "http://169.254.169.254/"
    v2_body = {**v2("fast_execute_script"), **real.job.credentials, "bk_callback_url": metadata}
    reply = envelope(real.job.http.post(f"{ESB_V2}/fast_execute_script/", json=v2_body))
    assert (reply["code"], "bk_callback_url leads to" in reply["message"]) == (1240003, True)
    for name, launch in (*V2.items(), *V3.items()):
        if launch.action is Action.LAUNCH:
            path = f"{ESB_V2 if name in V2 and name not in V3 else ESB_V3}/{name}/"
            fields = {
                "bk_scope_type": "biz",
                "bk_scope_id": "1",
                "source_bk_biz_id": 1,
                "target_bk_biz_id": 1,
            }
            body = {**fields, **real.job.credentials, "callback_url": metadata, "bk_callback_url": metadata}
            assert envelope(real.job.http.post(path, json=body))["code"] == 1240003, name
    v4_body = {"callback_url": metadata, "execute_target": {"host_list": [{"bk_host_id": 101}]}}
    v4_body = {**script(real), **v4_body}
    error = envelope_v4(real.job.http.post(f"{GATEWAY_V4}/fast_execute_script", json=v4_body), 400)["error"]
    assert error["code"] == "INVALID_ARGUMENT"
    chinese = post(real, script(real, callback_url=metadata), {"Blueking-Language": "zh-cn"})
    assert "元数据地址 169.254.169.254" in chinese["message"]


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "http://127.0.7.9/", "http://TELL.me:81/", "http://name.example/", None]
)
def test_other_urls_are_taken(real: Real, url: str | None) -> None:
    """Private networks, what is allowed, and names, which are judged when they are called."""
    assert post(real, script(real, callback_url=url))["code"] == 0


def test_a_secret_is_kept_for_the_job_alone(real: Real) -> None:
    """Encrypted, and in no reply; without one, callbacks are not signed."""
    signed = post(real, script(real, callback_url="http://10.0.0.1/"), SECRET)["data"]["job_instance_id"]
    plain = post(real, script(real, callback_url="http://10.0.0.1/"))["data"]["job_instance_id"]
    assert real.jobs.callback_secret(signed) == SECRET["X-Callback-Secret"]
    assert real.jobs.callback_secret(plain) is None
    told = real.job.v3("get_job_instance_status", {"bk_biz_id": 1, "job_instance_id": signed})
    assert SECRET["X-Callback-Secret"] not in str(told)


@pytest.mark.parametrize(
    ("secret", "url", "message"),
    [
        ("x" * 15, "http://10.0.0.1/", "X-Callback-Secret must be 16 to 255 printable"),
        ("x" * 256, "http://10.0.0.1/", "X-Callback-Secret must be 16 to 255 printable"),
        ("with blanks in the middle", "http://10.0.0.1/", "X-Callback-Secret must be 16 to 255 printable"),
        ("", "http://10.0.0.1/", "X-Callback-Secret must be 16 to 255 printable"),
        ("x" * 16, None, "X-Callback-Secret signs callbacks, and the request has no URL for one"),
    ],
)
def test_a_secret_that_cannot_be_used_is_refused(
    real: Real, secret: str, url: str | None, message: str
) -> None:
    """Never ignored; and never repeated."""
    before = len(real.woken)
    reply = post(real, script(real, callback_url=url), {"X-Callback-Secret": secret})
    assert reply["code"] == 1240003
    assert message in reply["message"]
    assert len(real.woken) == before
    assert not secret.strip() or secret not in reply["message"]


def test_another_secret_is_another_request(real: Real) -> None:
    """Under one X-Idempotency-Key."""
    body, key = script(real, callback_url="http://10.0.0.1/"), {"X-Idempotency-Key": "one-key"}
    first = post(real, body, {**SECRET, **key})["data"]
    assert post(real, body, {**SECRET, **key})["data"] == first
    other = real.job.http.post(f"{ESB_V3}/fast_execute_script/", json=body, headers=key)
    assert envelope(other, 409)["code"] == 1241005
