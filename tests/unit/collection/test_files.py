"""files.sh: files are listed, read, staged, verified and renamed into place, whatever they are called."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.collection.programs import Program, Reply, decoded

NAMES = (
    "plain.txt", "with space", "quote'double\"", "{{ 7 * 7 }}", "-rf", "back\\slash\\n", "$(touch x)`id`",
    "ünïcode 🚀", ".hidden", "*", "[a]", "~", "#", "%s", "a;b&c|d", " lead and trail ",
)  # fmt: skip


@pytest.fixture
def files(path: str) -> Program:
    """The program under each shell."""
    return Program("files.sh", path)


def line(path: Path | str) -> bytes:
    """A path as it is sent."""
    return os.fsencode(str(path)) + b"\n"


def entries(reply: Reply) -> dict[str, tuple[str, int, str, str]]:
    """Name to (type, size, mode, sha256)."""
    assert reply.state == "ok", reply
    found = {}
    for item in reply.output.split(b"\0")[:-1]:
        kind, size, mode, sha256, name = os.fsdecode(item).split(" ", 4)
        found[name] = (kind, int(size), mode, sha256)
    return found


def names(directory: Path) -> list[str]:
    """What is in it, sorted."""
    return sorted(path.name for path in directory.iterdir())


def sha(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def put(
    files: Program, target: Path, name: str, content: bytes, *, mode: str = "644", kind: str = "file"
) -> Reply:
    """All exchanges of one file, as the plugin has them; the answer to the first that is refused, or the last."""
    begun = files("begin", "force", data=line(target))
    if begun.state != "ok":
        return begun
    staged = f"{target}/.job-{files.key}/1"
    half = len(content) // 2
    for offset, piece in ((0, content[:half]), (half, content[half:])):
        written = files("write", offset, len(piece), data=line(staged) + piece)
        if written.state != "ok":
            return written
    placed = files("place", sha(content), mode, kind, data=line(staged) + line(target / name))
    files("drop", data=line(f"{target}/.job-{files.key}"))
    return placed


@pytest.mark.parametrize("name", NAMES)
def test_names_are_only_names(path: str, tmp_path: Path, name: str) -> None:
    """What a shell, a template or a program could take for something else is listed, read and written as it is."""
    files = Program("files.sh", path)
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    (source / name).write_bytes(b"content")
    (source / name).chmod(0o640)
    found = entries(files("list", "file", data=line(source / name)))
    assert found == {name: ("file", 7, "640", sha(b"content"))}
    assert decoded(files("read", 2, 3, data=line(source / name))) == b"nte"
    assert put(files, target, name, b"content", mode="640").state == "ok"
    assert (target / name).read_bytes() == b"content"
    assert (target / name).stat().st_mode & 0o7777 == 0o640
    assert names(target) == [name]
    assert entries(files("list", "regex", data=line(f"{source}/REGEX:.*"))) == found
    assert names(source) == [name]


def test_what_is_not_a_readable_file(files: Program, tmp_path: Path) -> None:
    """Missing, a directory, a file asked for as a directory: each is said, with the path."""
    (tmp_path / "dir").mkdir()
    (tmp_path / "file").touch()
    for path, kind in (("none", "file"), ("dir", "file"), ("file/", "directory"), ("none/x*", "glob")):
        reply = files("list", kind, data=line(f"{tmp_path}/{path}"))
        assert reply.state == "missing"
        assert str(tmp_path) in " ".join(reply.words)


def test_patterns(files: Program, tmp_path: Path) -> None:
    """A regex matches whole names, a glob as the shell has it; directories do not match; links to files do."""
    for name in ("a.txt", "b.txt", "c.txt.bak", "A.txt", ".d.txt", "a b.txt"):
        (tmp_path / name).touch()
    (tmp_path / "dir.txt").mkdir()
    (tmp_path / "link.txt").symlink_to("a.txt")

    def found(pattern: str, kind: str) -> set[str]:
        return set(entries(files("list", kind, data=line(f"{tmp_path}/{pattern}"))))

    assert found(r"REGEX:[a-z]*\.txt", "regex") == {"a.txt", "b.txt", "link.txt"}
    assert found(r"REGEX:\w \w\.txt", "regex") == {"a b.txt"}
    assert found("?.txt", "glob") == {"a.txt", "b.txt", "A.txt"}
    assert found("a*.t*", "glob") == {"a.txt", "a b.txt"}
    for pattern, kind, state in (
        ("REGEX:none", "regex", "missing"),
        ("none*", "glob", "missing"),
        ("REGEX:[a", "regex", "failed"),
    ):
        assert files("list", kind, data=line(f"{tmp_path}/{pattern}")).state == state


def test_a_file_that_changed_on_its_way_is_not_placed(files: Program, tmp_path: Path) -> None:
    """The sum is checked on the target; what was there before stays."""
    (tmp_path / "f").write_text("old")
    files("begin", "force", data=line(tmp_path))
    staged = f"{tmp_path}/.job-{files.key}/1"
    files("write", 0, 3, data=line(staged) + b"new")
    assert (
        files("place", sha(b"other"), "644", "file", data=line(staged) + line(tmp_path / "f")).state
        == "corrupt"
    )
    assert (tmp_path / "f").read_text() == "old"


def test_pieces_go_where_they_belong(files: Program, tmp_path: Path) -> None:
    """A piece for another offset, or one that was cut off, is answered with how far it has come."""
    files("begin", "force", data=line(tmp_path))
    staged = f"{tmp_path}/.job-{files.key}/1"
    assert files("write", 0, 5, data=line(staged) + b"he").words == ["2"]
    assert files("write", 5, 2, data=line(staged) + b"xx") == Reply(b"", "at", ["2"])
    assert files("write", 0, 0, data=line(staged)).state == "ok"


def test_modes_of_the_target_directory(files: Program, tmp_path: Path) -> None:
    """Strict asks for it, force makes it; a file in its place or in its path is said."""
    (tmp_path / "file").touch()
    assert files("begin", "strict", data=line(tmp_path / "none")).state == "no_directory"
    assert files("begin", "force", data=line(tmp_path / "a/b c/d")).state == "ok"
    assert (tmp_path / "a/b c/d").stat().st_mode & 0o777 == 0o755
    assert files("begin", "force", data=line(tmp_path / "file/x")).state == "failed"
    assert files("begin", "force", data=line(tmp_path / "file")).state == "failed"


def test_a_reason_of_several_lines_is_one_line(files: Program, tmp_path: Path) -> None:
    """An answer ends with its line: what follows may be a logout's farewell."""
    files("begin", "force", data=line(tmp_path))
    staged = f"{tmp_path}/.job-{files.key}/1"
    files("write", 0, 7, data=line(staged) + b"no tar\n")
    nonce, process = files.popen("place", sha(b"no tar\n"), "755", "directory")
    stdout, _ = process.communicate(line(staged) + line(tmp_path / "x"))
    begin, empty, end = stdout.decode().splitlines()
    assert (begin, empty) == (f"{nonce} BEGIN 0", "")
    assert end.startswith(f"{nonce} END failed tar: ")


def test_a_directory_in_the_place_of_a_file_is_not_moved_into(files: Program, tmp_path: Path) -> None:
    """Neither is what a link leads to: the link is replaced."""
    (tmp_path / "f").mkdir()
    assert put(files, tmp_path, "f", b"x").state == "failed"
    assert names(tmp_path / "f") == []
    (tmp_path / "elsewhere").write_text("untouched")
    (tmp_path / "link").symlink_to("elsewhere")
    assert put(files, tmp_path, "link", b"x").state == "ok"
    assert (tmp_path / "elsewhere").read_text() == "untouched"
    assert (tmp_path / "link").read_text() == "x"


# --- directories -----------------------------------------------------------------------------------------

Send = Callable[[Path, Path], Reply]


@pytest.fixture
def send(files: Program) -> Send:
    """Sends a directory as the plugins do: an archive is listed, read, dropped, staged and unpacked."""

    def run(source: Path, target: Path) -> Reply:
        ((name, (kind, size, mode, _)),) = entries(
            files("list", "directory", data=line(f"{source}/"))
        ).items()
        archive = kind.removeprefix("archive:")
        content = decoded(files("read", 0, size, data=line(archive)))
        files("drop", data=line(archive))
        assert not Path(archive).exists()
        return put(files, target, name, content, mode=mode, kind="directory")

    return run


def test_a_directory_with_everything_in_it(send: Send, tmp_path: Path) -> None:
    """Empty files and directories, modes, links as links, names of every kind."""
    source, target = tmp_path / "in" / "tree", tmp_path / "out"
    (source / "sub" / "empty").mkdir(parents=True)
    for name in NAMES:
        (source / "sub" / name).write_text(name)
    (source / "none").touch(mode=0o600)
    (source / "sub").chmod(0o750)
    (source / "to-dir").symlink_to("sub/empty")
    (source / "to-nowhere").symlink_to("nowhere")
    assert send(source, target).state == "ok"
    arrived = target / "tree"
    assert {path.name: path.read_text() for path in (arrived / "sub").iterdir() if path.is_file()} == {
        name: name for name in NAMES
    }
    assert (arrived / "sub" / "empty").is_dir()
    assert [(arrived / name).stat().st_mode & 0o777 for name in ("none", "sub")] == [0o600, 0o750]
    assert [str((arrived / name).readlink()) for name in ("to-dir", "to-nowhere")] == ["sub/empty", "nowhere"]
    assert names(target) == ["tree"]


def test_a_directory_is_merged_into_one_that_is_there(send: Send, tmp_path: Path) -> None:
    """Files of the same name are replaced, others stay; twice is the same as once, links included."""
    source, target = tmp_path / "tree", tmp_path / "out"
    (source / "sub").mkdir(parents=True)
    (source / "sub" / "same").write_text("new")
    (source / "link").symlink_to("sub")
    (target / "tree" / "sub").mkdir(parents=True)
    (target / "tree" / "sub" / "same").write_text("old")
    (target / "tree" / "sub" / "kept").write_text("kept")
    for _ in range(2):
        assert send(source, target).state == "ok"
        assert names(target / "tree") == ["link", "sub"]
        assert {path.name: path.read_text() for path in (target / "tree" / "sub").iterdir()} == {
            "same": "new",
            "kept": "kept",
        }
        assert (target / "tree" / "link").is_symlink()


def test_a_directory_does_not_go_where_something_else_is(send: Send, tmp_path: Path) -> None:
    """A file in a directory's place, a directory in a file's: refused, and nothing is moved into it."""
    source, target = tmp_path / "tree", tmp_path / "out"
    source.mkdir()
    (source / "x").write_text("file")
    (target / "tree" / "x").mkdir(parents=True)
    assert send(source, target).state == "failed"
    assert names(target / "tree" / "x") == []
    (target / "second").mkdir()
    (target / "second" / "tree").touch()
    assert send(source, target / "second").state == "failed"


def test_a_directory_s_name_does_not_depend_on_slashes(files: Program, tmp_path: Path) -> None:
    """`/tmp/tree//` is called tree."""
    (tmp_path / "tree").mkdir()
    reply = files("list", "directory", data=line(f"{tmp_path}/tree//"))
    ((name, (kind, *_)),) = entries(reply).items()
    Path(kind.removeprefix("archive:")).unlink()
    assert name == "tree"


@pytest.mark.skipif(os.getuid() != 0, reason="only root's files can belong to others")
def test_what_arrives_is_the_account_s(send: Send, tmp_path: Path) -> None:
    """As for single files, the owner at the source does not matter."""
    source = tmp_path / "tree"
    source.mkdir()
    (source / "f").touch()
    os.chown(source / "f", 12345, 12345)
    assert send(source, tmp_path / "out").state == "ok"
    assert (tmp_path / "out/tree/f").stat().st_uid == 0


def test_only_places_of_this_run_are_dropped(files: Program, tmp_path: Path) -> None:
    """A path that is not one of its own staging places is left alone."""
    (tmp_path / "precious").touch()
    files("drop", data=line(tmp_path / "precious"))
    files("drop", data=line(tmp_path))
    assert (tmp_path / "precious").exists()


def test_another_user_than_the_one_asked_for_does_nothing(files: Program, tmp_path: Path) -> None:
    """Become may have gone wrong silently."""
    assert files("begin", "force", data=line(tmp_path / "x"), user="nosuchuser").state == "wrong_user"
    assert subprocess.run(["test", "-e", tmp_path / "x"], check=False).returncode == 1
