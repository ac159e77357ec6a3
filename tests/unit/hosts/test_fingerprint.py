"""Noticing that an inventory changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from adapter.hosts.fingerprint import fingerprint


def make(path: Path) -> None:
    """A directory with hosts and variables."""
    (path / "group_vars" / "web").mkdir(parents=True)
    (path / "hosts").write_text("a\n")
    (path / "group_vars" / "web" / "main.yml").write_text("x: 1\n")


def replace_with_same_size_and_time(path: Path) -> None:
    """As rsync does, or an editor that writes a new file and renames it."""
    (path / "new").write_text("z\n")
    os.utime(path / "new", ns=(0, (path / "hosts").stat().st_mtime_ns))
    (path / "new").replace(path / "hosts")


CHANGES: dict[str, Callable[[Path], object]] = {
    "written": lambda path: (path / "hosts").write_text("a\nb\n"),
    "variables written": lambda path: (path / "group_vars/web/main.yml").write_text("x: 12\n"),
    "added": lambda path: (path / "more").write_text(""),
    "removed": lambda path: (path / "group_vars/web/main.yml").unlink(),
    "renamed": lambda path: (path / "hosts").rename(path / "hosts2"),
    "replaced": replace_with_same_size_and_time,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen(tmp_path: Path, change: str) -> None:
    """In any file, at any depth."""
    make(tmp_path)
    before = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == before
    CHANGES[change](tmp_path)
    assert fingerprint(tmp_path) != before


def test_an_inventory_of_one_file_has_the_variables_beside_it(tmp_path: Path) -> None:
    """Ansible reads group_vars there; other files beside it are another's."""
    make(tmp_path)
    before = fingerprint(tmp_path / "hosts")
    (tmp_path / "other").write_text("")
    assert fingerprint(tmp_path / "hosts") == before
    CHANGES["variables written"](tmp_path)
    assert fingerprint(tmp_path / "hosts") != before


def test_what_editors_and_interpreters_leave_is_no_change(tmp_path: Path) -> None:
    """A script inventory may compile its modules each time it runs."""
    make(tmp_path)
    before = fingerprint(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    for name in (".hosts.swp", "hosts~", "__pycache__/x.pyc", "site.retry"):
        (tmp_path / name).write_text("")
    assert fingerprint(tmp_path) == before


def test_links_are_followed_and_may_go_in_circles(tmp_path: Path) -> None:
    """Each directory is looked at once."""
    make(tmp_path / "real")
    (tmp_path / "inventory").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "up").symlink_to(tmp_path)
    (tmp_path / "real" / "dangling").symlink_to(tmp_path / "nowhere")
    before = fingerprint(tmp_path / "inventory")
    CHANGES["written"](tmp_path / "real")
    assert fingerprint(tmp_path / "inventory") != before


def test_an_inventory_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    """It may come later."""
    assert fingerprint(tmp_path / "absent") == frozenset()
