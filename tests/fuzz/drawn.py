"""What is sent: cases that schemathesis draws from the document, as they are or laid over the API's example."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from requests import Request
from schemathesis import Case, GenerationMode, openapi
from schemathesis.core.result import Err
from schemathesis.schemas import APIOperation

from tests.api.described import DOCUMENT
from tests.fuzz.exchange import Sent

HOST = "http://testserver"
CREDENTIALS = "X-Bkapi-Authorization"


Operation = APIOperation[Any, Any, Any, Any]


def operations() -> list[Operation]:
    """Every operation of the document that answers a body. Raises InvalidSchema if one is not understood."""
    found = []
    for result in openapi.from_dict(DOCUMENT).get_all_operations():
        if isinstance(result, Err):
            raise result.err()
        if result.ok().method != "head":
            found.append(result.ok())
    return found


def cases(operation: Operation) -> st.SearchStrategy[Case[Any]]:
    """What the document allows, and what it does not."""
    found: st.SearchStrategy[Case[Any]] = st.one_of(
        *(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)
    )
    return found


def request_of(
    case: Case[Any], data: st.DataObject, credentials: Mapping[str, str], known: Mapping[str, str]
) -> Sent:
    """The case as a request. Nine of ten come from the known caller; three of four are valid but for some changes.

    `known` are ids of this store that stand in examples under these names.
    """
    words: dict[str, Any] = case.as_transport_kwargs(base_url=HOST)
    if data.draw(st.integers(0, 3), label="as it is at 3") < 3:
        _lay_over(case, words, known, data)
    prepared = Request(
        **{name: words.get(name) for name in ("method", "url", "params", "json", "data")},
        headers={name: value for name, value in (words.get("headers") or {}).items() if value is not None},
    ).prepare()
    headers = dict(prepared.headers)
    if data.draw(st.integers(0, 9), label="a stranger at 9") < 9:
        headers[CREDENTIALS] = json.dumps(dict(credentials))
    body = prepared.body or b""
    return Sent(
        method=str(prepared.method),
        url=HOST + prepared.path_url,
        headers=headers,
        body=body.encode("utf-8", "replace") if isinstance(body, str) else body,
    )


def _lay_over(case: Case[Any], words: dict[str, Any], known: Mapping[str, str], data: st.DataObject) -> None:
    """Some members of the case, in the example for the rest."""
    described = DOCUMENT["paths"][case.operation.path][case.operation.method.lower()]
    place = "json" if "requestBody" in described else "params"
    drawn = words.get(place)
    if not isinstance(drawn, dict):
        return
    names = sorted(drawn)
    changed = data.draw(st.sets(st.sampled_from(names), max_size=3), label="changes") if names else set()
    example = {name: known.get(name, value) for name, value in _example(described).items()}
    words[place] = example | {name: drawn[name] for name in changed}


def _example(described: Mapping[str, Any]) -> dict[str, Any]:
    if "requestBody" in described:
        return dict(described["requestBody"]["content"]["application/json"]["example"])
    shown: dict[str, Any] = {}
    for parameter in described.get("parameters", ()):
        if parameter.get("in") != "query":
            continue
        if "example" in parameter:
            shown[parameter["name"]] = parameter["example"]
        elif "example" in (of := parameter.get("content", {}).get("application/json", {})):
            shown[parameter["name"]] = json.dumps(of["example"])
    return shown
