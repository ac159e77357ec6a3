"""Plays rows: sends their steps one after another, and says of each row whether it passed."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx

from tests.conformance.caller import Caller, Reply
from tests.conformance.matching import differences
from tests.conformance.profile import Profile
from tests.conformance.receiver import Receiver, receiving
from tests.conformance.rows import Row
from tests.conformance.values import Unknown, at, filled

_POLL_SECONDS = 0.3
_PATIENCE_SECONDS = 60.0
_DAY_MS = 86_400_000
#: What would be long in a row.
_LONG: Mapping[str, Any] = {
    "long_name": "x" * 513,
    **{f"text_of_{length}": "x" * length for length in (173, 48_129, 65_536)},
    "deep": "[" * 100_000,
    "ids_501": list(range(1, 502)),
    "paths_33334": [f"/tmp/{number}" for number in range(33_334)],
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a row: `passed`, `failed`, or `not run` with the reason."""

    row: Row
    verdict: str
    reasons: tuple[str, ...] = ()


class Failed(Exception):
    """A step got something else than its row expects."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


class NotSupported(Exception):
    """The service says that it does not support what a step asks for: so its row shows nothing."""


#: JOB's code for that, and v4's HTTP status.
_NOT_SUPPORTED, _NOT_IMPLEMENTED = 1241011, 501


def play_all(profile: Profile, table: Iterable[Row], workers: int = 6) -> list[Outcome]:
    """Every row, several at a time: none depends on another."""
    address = profile.values["callback_host"]
    with (
        receiving(profile.values.get("listen", address)) as receiver,
        httpx.Client(timeout=30, trust_env=False) as http,
        ThreadPoolExecutor(workers) as pool,
    ):
        player = Player(profile, Caller(profile, http), receiver)
        return list(pool.map(player.play, table))


class Player:
    """Plays single rows."""

    def __init__(self, profile: Profile, caller: Caller, receiver: Receiver) -> None:
        self._profile, self._caller, self._receiver = profile, caller, receiver

    def play(self, row: Row) -> Outcome:
        """The row's steps, until one fails."""
        missing = [name for name in row.needs if self._profile.values.get(name) is None]
        if missing:
            return Outcome(row=row, verdict="not run", reasons=(f"the profile has no {', '.join(missing)}",))
        unique = uuid.uuid4().hex[:12]
        callback = f"http://{self._profile.values['callback_host']}:{self._receiver.port}/{unique}"
        known = {**_LONG, **self._profile.values, "unique": unique, "callback": callback}
        now = int(time.time() * 1000)
        known |= {
            "now": now,
            "day_ago": now - _DAY_MS,
            "day_ahead": now + _DAY_MS,
            "in_3_seconds": now // 1000 + 4,
        }
        try:
            for number, step in enumerate(row.steps, 1):
                try:
                    self._step(step, known)
                except Failed as failed:
                    return Outcome(
                        row=row,
                        verdict="failed",
                        reasons=tuple(f"step {number}: {text}" for text in failed.reasons),
                    )
        except NotSupported as refused:
            return Outcome(row=row, verdict="not run", reasons=(f"not supported by the service: {refused}",))
        except (Unknown, httpx.HTTPError) as error:
            return Outcome(row=row, verdict="failed", reasons=(f"{type(error).__name__}: {error}",))
        return Outcome(row=row, verdict="passed")

    def _step(self, step: Mapping[str, Any], known: dict[str, Any]) -> None:
        if "run" in step:
            self._run(step, known)
        elif "told" in step:
            self._told(step, known)
        elif "until" in step:
            self._poll(step, known, step["until"])
        else:
            self._once(step, known)

    def _once(self, step: Mapping[str, Any], known: dict[str, Any]) -> Any:
        return _kept(step, known, self._caller.send(step, known))

    def _poll(self, step: Mapping[str, Any], known: dict[str, Any], until: Any) -> Any:
        limit = time.monotonic() + step.get("seconds", _PATIENCE_SECONDS)
        while True:
            reply = self._caller.send(step, known)
            found = differences(filled(until, known), reply.body)
            if not found:
                return _kept(step, known, reply)
            if time.monotonic() > limit:
                raise Failed("in vain waited", *found)
            time.sleep(_POLL_SECONDS)

    def _run(self, step: Mapping[str, Any], known: dict[str, Any]) -> None:
        """Launches, waits for the end in v3's status, and compares states: `ends: {job, step, hosts}`, `log`."""
        launched = {**step, "call": step["run"], "save": {"job": "data.job_instance_id"}}
        launched["expect"] = {"data": {"job_instance_id": "<id>"}, **step.get("expect", {})}
        self._once(launched, known)
        asked = {"job_instance_id": "${job}", "return_ip_result": True}
        status = {"call": "v3 get_job_instance_status", "body": asked, "seconds": step.get("seconds", 60)}
        ended = self._poll(status, known, {"data": {"finished": True}})["data"]
        steps = ended["step_instance_list"]
        known["step"] = steps[0]["step_instance_id"]
        ends = step.get("ends", {})
        told = {
            "job": ended["job_instance"]["status"],
            "step": steps[0]["status"],
            "steps": [item["status"] for item in steps],
            "hosts": [host["status"] for host in steps[0]["step_ip_result_list"]],
            "exit_codes": [host["exit_code"] for host in steps[0]["step_ip_result_list"]],
            "tags": [host["tag"] for host in steps[0]["step_ip_result_list"]],
        }
        found = differences(filled(ends, known), told, "ends")
        if "log" in step:
            found += self._log(step["log"], known)
        if found:
            raise Failed(*found, f"the status was {str(ended)[:600]}")

    def _log(self, expected: str, known: dict[str, Any]) -> list[str]:
        asked = {"job_instance_id": "${job}", "step_instance_id": "${step}", "bk_host_id": "${host}"}
        reply = self._caller.send({"call": "v3 get_job_instance_ip_log", "body": asked}, known)
        return differences(filled(expected, known), at(reply.body, "data.log_content"), "log")

    def _told(self, step: Mapping[str, Any], known: dict[str, Any]) -> None:
        """Waits for POSTs of a callback: `told: {path, count, bodies, types}`."""
        told = step["told"]
        path = "/" + known["unique"] + told.get("path", "")
        received = self._receiver.wait(path, told.get("count", 1), told.get("seconds", 30))
        bodies = [json.loads(item.body) for item in received]
        found = differences(filled(told["bodies"], known), bodies, "told")
        types = [item.content_type.partition(";")[0] for item in received]
        found += differences(told["types"], types, "types") if "types" in told else []
        if found:
            raise Failed(*found)


def _kept(step: Mapping[str, Any], known: dict[str, Any], reply: Reply) -> Any:
    """The reply's body, if it is what the step expects; what is to be saved of it is known then."""
    found = differences(step.get("status", 200), reply.status, "HTTP status")
    if reply.status == _NOT_IMPLEMENTED or at(reply.body, "code") == _NOT_SUPPORTED:
        raise NotSupported(step.get("call") or step.get("path"))
    found += differences(filled(step.get("expect", {}), known), reply.body)
    if found:
        raise Failed(*found, f"the reply was {str(reply.body)[:600]}")
    for name, path in step.get("save", {}).items():
        known[name] = at(reply.body, path)
    return reply.body
