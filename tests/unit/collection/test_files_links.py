"""files.sh and symbolic links at the destination: what is followed, replaced, refused (decision 31)."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from tests.unit.collection.programs import Program, Reply
from tests.unit.collection.test_files import BLOCK, line, names, piece, put, sha, size


@pytest.fixture
def files(path: str) -> Program:
    """The program under each shell."""
    return Program("files.sh", path)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A directory with nothing in it."""
    directory = tmp_path / "target"
    directory.mkdir()
    return directory


def instead(files: Program, tmp_path: Path, program: str, text: str) -> Program:
    """The files program on a host where that program is this text; what it stands for is still found."""
    if Path(shutil.which("sh", path=files.path) or "").resolve().name == "busybox":
        pytest.skip("busybox has programs of its own that no PATH changes")
    programs = tmp_path / "programs"
    programs.mkdir(exist_ok=True)
    (programs / program).write_text(f"#!/bin/sh\nPATH={files.path}\nexport PATH\n{text}\n")
    (programs / program).chmod(stat.S_IRWXU)
    return Program("files.sh", f"{programs}:{files.path}", files.key)


def moving(files: Program, tmp_path: Path, first: str) -> Program:
    """The program on a host where this happens right before something is moved."""
    return instead(files, tmp_path, "mv", f'{first}\nexec mv "$@"')


@pytest.mark.parametrize("leads_to", ["file", "nowhere", "."])
def test_a_link_in_a_file_s_place(files: Program, target: Path, leads_to: str) -> None:
    """Is replaced, wherever it leads; only into a directory nothing is put."""
    (target / "file").write_text("untouched")
    (target / "link").symlink_to(leads_to)
    if leads_to == ".":
        assert put(files, target, "link", b"new").state == "failed"
        assert (target / "link").is_symlink()
        assert names(target) == ["file", "link"]
        return
    assert put(files, target, "link", b"new").state == "ok"
    assert not (target / "link").is_symlink()
    assert (target / "link").read_text() == "new"
    assert (target / "file").read_text() == "untouched"
    assert names(target) == ["file", "link"]


@pytest.mark.parametrize("transfer", ["strict", "force"])
def test_a_link_to_the_target_directory(files: Program, tmp_path: Path, transfer: str) -> None:
    """Is followed: `current` may lead to a release."""
    (tmp_path / "release").mkdir()
    (tmp_path / "current").symlink_to("release")
    assert piece(files, tmp_path / "current", "f", b"x", transfer=transfer).state == "ok"
    assert (tmp_path / "release" / "f").read_text() == "x"
    assert names(tmp_path / "release") == ["f"]
    assert (tmp_path / "current").is_symlink()


@pytest.mark.parametrize(("transfer", "state"), [("strict", "no_directory"), ("force", "failed")])
def test_a_target_directory_that_is_a_dangling_link(
    files: Program, target: Path, transfer: str, state: str
) -> None:
    """Is none: what it leads to is not made."""
    (target / "current").symlink_to("release")
    assert piece(files, target / "current", "f", b"x", transfer=transfer).state == state
    assert names(target) == ["current"]


def directory_of(files: Program, target: Path, content: bytes) -> Reply:
    """Sends a directory `tree` as one stream."""
    return put(files, target, "tree", content, mode="755", kind="directory")


@pytest.fixture
def tree(tmp_path: Path) -> bytes:
    """A directory's stream: a file, and a directory with one."""
    source = tmp_path / "source"
    (source / "sub").mkdir(parents=True)
    (source / "sub" / "f").write_text("new")
    (source / "f").write_text("new")
    made = tmp_path / "tree.tar"
    assert os.system(f"tar -cf {made} -C {source} .") == 0
    return made.read_bytes()


def test_links_in_the_place_of_a_directory(files: Program, target: Path, tree: bytes) -> None:
    """Those to directories are followed, those to files replaced, as for single files."""
    (target / "elsewhere" / "below").mkdir(parents=True)
    (target / "precious").write_text("untouched")
    (target / "elsewhere" / "f").symlink_to("../precious")
    (target / "elsewhere" / "sub").symlink_to("below")
    (target / "tree").symlink_to("elsewhere")
    assert directory_of(files, target, tree).state == "ok"
    assert (target / "precious").read_text() == "untouched"
    assert not (target / "elsewhere" / "f").is_symlink()
    assert (target / "elsewhere" / "f").read_text() == "new"
    assert (target / "elsewhere" / "below" / "f").read_text() == "new"
    assert (target / "tree").is_symlink()
    assert names(target) == ["elsewhere", "precious", "tree"]


def test_a_dangling_link_in_the_place_of_a_directory(files: Program, target: Path, tree: bytes) -> None:
    """Is said, and nothing is left."""
    (target / "tree").symlink_to("nowhere")
    assert directory_of(files, target, tree).state == "failed"
    assert names(target) == ["tree"]


def test_a_link_that_comes_between_look_and_rename(
    files: Program, target: Path, tmp_path: Path, tree: bytes
) -> None:
    """To a file it is replaced; into a directory nothing gets."""
    (target / "file").write_text("untouched")
    (tmp_path / "elsewhere").mkdir()
    to_file = moving(files, tmp_path, f"ln -s file {target}/link")
    assert put(to_file, target, "link", b"new").state == "ok"
    assert (target / "file").read_text() == "untouched"
    assert (target / "link").read_text() == "new"
    to_directory = moving(files, tmp_path, f"ln -s ../elsewhere {target}/other")
    assert put(to_directory, target, "other", b"new").state == "failed"
    assert names(tmp_path / "elsewhere") == []
    (target / "other").unlink()
    to_tree = moving(files, tmp_path, f"ln -s ../elsewhere {target}/tree")
    assert directory_of(to_tree, target, tree).state == "failed"
    assert names(tmp_path / "elsewhere") == []
    assert names(target) == ["file", "link", "tree"]


@pytest.mark.parametrize("length", [1, BLOCK + 1])
def test_a_staging_place_that_somebody_else_made(
    files: Program, target: Path, tmp_path: Path, length: int
) -> None:
    """In a directory that everybody writes to, a link in its place would lead what is staged elsewhere."""
    content = os.urandom(length)
    trap = tmp_path / "trap"
    trap.mkdir()
    (tmp_path / "precious").write_text("untouched")
    (trap / sha(content)).symlink_to("../precious")
    (target / f".job-{files.key}").symlink_to(trap)
    assert put(files, target, "f", content).state == "failed"
    assert (tmp_path / "precious").read_text() == "untouched"
    assert names(trap) == [sha(content)]
    assert not (target / "f").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give directories away")
def test_a_staging_place_of_another_user(files: Program, target: Path, tmp_path: Path) -> None:
    """Also without a link of its own."""
    content = b"content"
    (tmp_path / "precious").write_text("untouched")
    place = target / f".job-{files.key}"
    place.mkdir()
    (place / sha(content)).symlink_to("../../precious")
    os.chown(place, 12345, 12345)
    assert put(files, target, "f", content).state == "failed"
    assert (tmp_path / "precious").read_text() == "untouched"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give directories away")
def test_a_file_system_that_says_itself_whose_files_are(files: Program, target: Path, tmp_path: Path) -> None:
    """Root's are nobody's on NFS: what is of the same owner as all that is made there is as good as our own."""
    make = 'mkdir "$@" || exit; for made; do :; done; chown 12345 "$made"'
    elsewhere = instead(files, tmp_path, "mkdir", make)
    content = os.urandom(2 * BLOCK)
    assert put(elsewhere, target, "f", content).state == "ok"
    os.chown(target / "f", 12345, 12345)
    assert size(elsewhere, target, "f", content).state == "placed"
    assert names(target) == ["f"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_the_same_file_of_another_user_is_replaced(files: Program, target: Path) -> None:
    """Who has it could change it afterwards, or put a link in its place before its mode is set."""
    content = b"content"
    (target / "f").write_bytes(content)
    os.chown(target / "f", 12345, 12345)
    assert size(files, target, "f", content) == Reply(b"", "ok", ["0"])
    assert put(files, target, "f", content).state == "ok"
    assert (target / "f").stat().st_uid == 0


def test_dropping_follows_no_link(files: Program, target: Path, tmp_path: Path) -> None:
    """What is removed at the end is the link."""
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "f").touch()
    (target / f".job-{files.key}").symlink_to("../precious")
    assert files("drop", data=line(f"{target}/")).state == "ok"
    assert names(tmp_path / "precious") == ["f"]
