"""Uploaded files on their way to a run: linked or copied into the cache, or said to be missing."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapter.engine.providing import ProvidingEnded, Unavailable, Wanted
from adapter.engine.uploaded_files import UploadedFiles
from adapter.job.model import SERVICE_HOST, FileSource
from adapter.job.status import FileType
from adapter.job.upload import Upload, upload_path
from adapter.store.upload_files import UploadFiles
from adapter.store.uploads import UploadStore

from .conftest import SCOPE, Bench

CONTENT = b"uploaded" * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ID = "0" * 32
PATH = upload_path(SCOPE, ID, "ann", "a b.bin")


@pytest.fixture
def uploaded(bench: Bench) -> UploadedFiles:
    """The provider, with a whole file."""
    store, files = UploadStore(bench.engine), UploadFiles(bench.directory / "uploads")
    made = {"id": ID, "scope": SCOPE, "path": PATH, "name": "a b.bin", "app_code": "app", "creator": "ann"}
    times = {"create_time": 1, "expire_time": 2}
    upload: Any = Upload
    store.add([upload(**made, **times, token_hash="")])
    part = files.open(ID)
    part.add(CONTENT)
    store.complete(ID, part.size, part.sync(), 1, part.place)
    part.close()
    return UploadedFiles(store=store, files=files)


def wanted(bench: Bench, path: str = PATH, look: Any = lambda: None) -> Wanted:
    source = FileSource(files=(path,), account_id=1, hosts=(SERVICE_HOST,), file_type=FileType.LOCAL)
    step = bench.job("true").steps[0]
    cache = bench.directory / "cache"
    return Wanted(step=step, source=source, path=path, cache=cache, look=look, note=lambda **_: None)


def cached(bench: Bench) -> Path:
    return bench.directory / "cache" / SHA256[:2] / SHA256


def test_it_is_linked(bench: Bench, uploaded: UploadedFiles) -> None:
    """No byte is copied; it counts as used now, also if it is there already; its name is the upload's."""
    (entry,) = uploaded.provide(wanted(bench))
    assert entry == {
        "type": "file",
        "name": "a b.bin",
        "path": PATH,
        "mode": "644",
        "size": len(CONTENT),
        "sha256": SHA256,
    }
    assert cached(bench).samefile(uploaded.files.whole(ID))
    os.utime(cached(bench), (1, 1))
    assert uploaded.provide(wanted(bench)) == [entry]
    assert cached(bench).stat().st_mtime > 1


def _no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_self: Path, _target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", refused)


def test_from_another_disk_it_is_copied(
    bench: Bench, uploaded: UploadedFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readable by the service alone; no draft stays."""
    _no_links(monkeypatch)
    uploaded.provide(wanted(bench))
    assert cached(bench).read_bytes() == CONTENT
    assert not cached(bench).samefile(uploaded.files.whole(ID))
    assert cached(bench).stat().st_mode & 0o777 == 0o600
    assert list(cached(bench).parent.iterdir()) == [cached(bench)]


def test_a_copy_ends_with_its_step(
    bench: Bench, uploaded: UploadedFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the next piece; nothing half-written stays."""
    _no_links(monkeypatch)

    def look() -> None:
        raise ProvidingEnded

    with pytest.raises(ProvidingEnded):
        uploaded.provide(wanted(bench, look=look))
    assert list(cached(bench).parent.iterdir()) == []


def test_a_damaged_one_is_not_copied(
    bench: Bench, uploaded: UploadedFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sum is known."""
    _no_links(monkeypatch)
    uploaded.files.whole(ID).write_bytes(b"x")
    with pytest.raises(Unavailable, match="damaged") as told:
        uploaded.provide(wanted(bench))
    assert told.value.state == "failed"
    assert list(cached(bench).parent.iterdir()) == []


def test_one_that_is_on_another_machine(bench: Bench, uploaded: UploadedFiles) -> None:
    """The row is there and the bytes are not: step and log say where, and which setting mends it."""
    uploaded.files.whole(ID).unlink()
    with (
        capture_logs() as logs,
        pytest.raises(Unavailable, match=r"not on this machine.*ADAPTER_UPLOAD_DIR") as told,
    ):
        uploaded.provide(wanted(bench))
    assert told.value.state == "missing"
    assert [entry["event"] for entry in logs] == ["uploaded_file_not_here"]


@pytest.mark.parametrize("path", ["2/x/ann/n", upload_path(SCOPE, "1" * 32, "ann", "n"), f"{PATH}x"])
def test_one_that_is_gone(bench: Bench, uploaded: UploadedFiles, path: str) -> None:
    """It was removed for its age."""
    with pytest.raises(Unavailable, match="kept no longer"):
        uploaded.provide(wanted(bench, path))
