"""The rival that needs no Ansible: a script on many hosts with asyncssh. JSON on standard input and output."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

import asyncssh
from asyncssh.kex import get_default_kex_algs


async def _one(
    asked: dict[str, Any], host: list[Any], shared: dict[str, Any], gate: asyncio.Semaphore
) -> None:
    async with gate, asyncssh.connect(host[0], port=host[1], username="root", **shared) as connection:
        done = await connection.run("sh -s", input=asked["script"], check=True)
        assert done.stdout, f"{host[0]} printed nothing"


async def _all(asked: dict[str, Any]) -> dict[str, Any]:
    shared = {
        "client_keys": [asyncssh.read_private_key(asked["key"])],
        "known_hosts": asyncssh.read_known_hosts(asked["known_hosts"]),
        "config": None,
    }
    gate = asyncio.Semaphore(asked["at_once"])
    began = time.perf_counter()
    await asyncio.gather(*(_one(asked, host, shared, gate) for host in asked["hosts"]))
    seconds = time.perf_counter() - began
    known = subprocess.run(["ssh", "-Q", "kex"], capture_output=True, text=True, check=True).stdout.split()
    offered = (name.decode() for name in get_default_kex_algs())
    return {"seconds": seconds, "kex": next(name for name in offered if name in known)}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_all(json.load(sys.stdin)))))
