"""No request that the document allows or forbids makes a 500, hangs, shows a stack trace, or gets another reply.

`make fuzz` sends FUZZ_REQUESTS=10000; the seed is printed, and FUZZ_SEED repeats it.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp

from adapter.config import Settings
from adapter.store.opening import open_store
from tests.api.described import mistakes
from tests.api.real import Real
from tests.api.staged import staged
from tests.fuzz.drawn import Operation, cases, operations, request_of
from tests.fuzz.exchange import Answer, answer

SEED = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().getrandbits(32))
REQUESTS = int(os.environ.get("FUZZ_REQUESTS") or 300)
SECONDS = 8.0  #: that a reply may take, on a busy machine
PARTS = 4
#: Of 5xx only this one is an answer: something that is not supported, in v4.
NOT_IMPLEMENTED = 501


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """One application for all requests: what one leaves behind may meet the next one."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("fuzz"))
    stores = open_store(settings)
    yield staged(stores, settings)
    stores.close()


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    """The loop that the application runs in."""
    with start_blocking_portal() as found:
        yield found


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_request_gets_another_reply_than_the_document_says(
    real: Real, portal: BlockingPortal, part: int
) -> None:
    """Each operation of this part gets its share of the requests; what is wrong is told at the end."""
    print(f"FUZZ_SEED={SEED} FUZZ_REQUESTS={REQUESTS}")
    mine = operations()[part::PARTS]
    random.Random(SEED).shuffle(mine)
    each = max(2, -(-REQUESTS // (PARTS * len(mine))))
    codes: Counter[str] = Counter()
    wrong: list[str] = []
    for operation in mine:
        if sum(codes.values()) >= REQUESTS / PARTS:
            break
        try:
            _fuzz(operation, each, real, portal, codes)
        except AssertionError as error:
            wrong.append(f"{operation.label}: {error}")
    print(f"{sum(codes.values())} requests: {dict(codes.most_common())}")
    assert not wrong, "\n\n".join(wrong)


def _fuzz(
    operation: Operation, examples: int, real: Real, portal: BlockingPortal, codes: Counter[str]
) -> None:
    app: ASGIApp = real.job.http.app

    @seed(SEED)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(operation), data=st.data())
    def send(case: Any, data: st.DataObject) -> None:
        sent = request_of(case, data, real.job.credentials, {"script_id": real.script_id})
        began = time.monotonic()
        found = answer(portal, app, sent)
        codes[_code(found)] += 1
        took = time.monotonic() - began
        assert took < SECONDS, f"took {took:.1f} s: {sent}"
        wrong = _wrong(operation, found)
        assert not wrong, f"{wrong}\n{sent}\n{found.body[:2000]!r}"

    send()


def _wrong(operation: Operation, found: Answer) -> str:
    """What is wrong with a reply, in words; empty if nothing is."""
    if found.status >= 500 and found.status != NOT_IMPLEMENTED:
        return f"HTTP {found.status}"
    if b"Traceback (most recent" in found.body or b'File \\"/' in found.body:
        return "a stack trace"
    if found.media != "application/json":
        return "" if found.media in ("text/event-stream", "application/gzip") else f"is {found.media}"
    reply = found.json()
    if _code(found) == "1240002":
        return "an internal error"
    return "; ".join(mistakes(operation.path, operation.method.lower(), found.status, reply))


def _code(found: Answer) -> str:
    if found.media != "application/json":
        return found.media
    reply = found.json()
    if "error" in reply:
        return str(reply["error"]["details"][0]["code"])
    return str(reply.get("code", 0))
