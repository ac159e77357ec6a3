"""A file on its way into the controller's cache: one process at a time brings it, and what is wrong is not kept."""

from __future__ import annotations

import hashlib
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.unit.collection.programs import PROGRAMS

COLLECTIONS = PROGRAMS.parents[4]
BLOCK = 65536
CONTENT = os.urandom(3 * BLOCK + 5)
#: Brings the file as adapter.job.fetch does, or finds it; slowly, and says how many bytes it brought.
BRINGER = """
import sys, time
from pathlib import Path
from ansible_collections.adapter.job.plugins.plugin_utils.cache_part import CachePart
content, final = Path(sys.argv[1]).read_bytes(), Path(sys.argv[2])
brought = 0
with CachePart(final, len(content), lambda: time.sleep(0.01)) as part:
    while not part.is_complete:
        for at in range(part.size, len(content), 65536):
            part.add(content[at : at + 65536])
            brought += len(content[at : at + 65536])
            time.sleep(0.1)
        part.complete()
print(brought)
"""


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module, which imports others of its collection."""
    monkeypatch.syspath_prepend(str(COLLECTIONS))
    return importlib.import_module("ansible_collections.adapter.job.plugins.plugin_utils.cache_part")


@pytest.fixture
def final(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / hashlib.sha256(CONTENT).hexdigest()


def never() -> None:
    """Nobody else has it."""
    raise AssertionError("waited for nobody")


def names(final: Path) -> list[str]:
    """What there is beside it."""
    return sorted(path.name for path in final.parent.iterdir())


def test_what_is_there_is_gone_on_with(parts: Any, final: Path) -> None:
    """From a whole block on; the sum is taken over all of it."""
    with parts.CachePart(final, len(CONTENT), never) as part:
        part.add(CONTENT[: 2 * BLOCK + 9])
    assert names(final) == [f"{final.name}.part"]
    with parts.CachePart(final, len(CONTENT), never) as part:
        assert part.size == 2 * BLOCK
        part.add(CONTENT[2 * BLOCK :])
        assert part.complete()
    assert final.read_bytes() == CONTENT
    assert names(final) == [final.name]
    with parts.CachePart(final, len(CONTENT), never) as part:
        assert part.is_complete


def test_wrong_bytes_are_not_kept(parts: Any, final: Path) -> None:
    """The part is empty again and can be brought anew."""
    final.with_name(f"{final.name}.part").write_bytes(bytes(2 * BLOCK))
    with parts.CachePart(final, len(CONTENT), never) as part:
        part.add(CONTENT[part.size :])
        assert not part.complete()
        assert (part.size, part.is_complete) == (0, False)
        part.add(CONTENT)
        assert part.complete()
    assert final.read_bytes() == CONTENT


def test_a_disk_without_room_is_told_before_it_is_full(
    parts: Any, final: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left of the attempt."""

    class Disk:
        free = 64 * 1024 * 1024

    monkeypatch.setattr(parts.shutil, "disk_usage", lambda _: Disk)
    with pytest.raises(OSError, match="no room for"):
        parts.CachePart(final, len(CONTENT), never).__enter__()
    assert names(final) == []


def test_several_processes_bring_it_once(final: Path, tmp_path: Path) -> None:
    """The others wait and find it."""
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    command = [sys.executable, "-c", BRINGER, str(source), str(final)]
    environment = {**os.environ, "PYTHONPATH": str(COLLECTIONS)}
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) for _ in range(4)
    ]
    brought = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sorted(brought) == [0, 0, 0, len(CONTENT)]
    assert final.read_bytes() == CONTENT
    assert names(final) == sorted([final.name, "source"])


def test_what_was_cut_off_within_a_block_is_asked_for_again(parts: Any, final: Path) -> None:
    """A source goes on at whole blocks: the bytes beyond must not be there twice."""
    with parts.CachePart(final, len(CONTENT), never) as part:
        part.add(CONTENT[: BLOCK + 9])
        part.go_on()
        assert part.size == BLOCK
        part.add(CONTENT[BLOCK:])
        part.go_on()
        assert part.complete()
    assert final.read_bytes() == CONTENT
