"""files.sh: files are listed, read, staged, verified and renamed into place, whatever they are called."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.collection.programs import Program, Reply, decoded, parse

NAMES = (
    "plain.txt", "with space", "quote'double\"", "{{ 7 * 7 }}", "-rf", "back\\slash\\n", "$(touch x)`id`",
    "ünïcode 🚀", ".hidden", "*", "[a]", "~", "#", "%s", "a;b&c|d", " lead and trail ",
)  # fmt: skip


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


BLOCK = 65536


def place(target: Path, name: str) -> bytes:
    """The two lines that say where a file goes."""
    return line(target) + line(target / name)


def piece(
    files: Program,
    target: Path,
    name: str,
    content: bytes,
    offset: int = 0,
    end: int | None = None,
    *,
    sha256: str = "",
    mode: str = "644",
    kind: str = "file",
    transfer: str = "force",
) -> Reply:
    """One exchange of a file: its bytes from an offset to an end."""
    part = content[offset:end]
    about = (offset, len(part), len(content), sha256 or sha(content), mode, kind, transfer)
    return files("put", *about, data=place(target, name) + part)


def put(
    files: Program, target: Path, name: str, content: bytes, *, mode: str = "644", kind: str = "file"
) -> Reply:
    """All exchanges of one file in pieces; the answer to the first that is refused, or the last."""
    for offset in range(0, max(1, len(content)), BLOCK):
        reply = piece(files, target, name, content, offset, offset + BLOCK, mode=mode, kind=kind)
        if reply.state != "ok":
            break
    return reply


def staged(files: Program, target: Path, content: bytes) -> Path:
    """Where a file is staged."""
    return target / f".job-{files.key}" / sha(content)


def size(files: Program, target: Path, name: str, content: bytes, *, mode: str = "644") -> Reply:
    """How much of a file is staged."""
    return files("size", sha(content), len(content), mode, "file", data=place(target, name))


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
    assert decoded(files("read", "file", 0, 3, "-", data=line(source / name))) == b"con"
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


def test_a_file_that_changed_on_its_way_is_not_placed(files: Program, target: Path) -> None:
    """The sum is checked on the target; what was there before stays, what was staged does not."""
    (target / "f").write_text("old")
    assert piece(files, target, "f", b"new", sha256=sha(b"other")).state == "corrupt"
    assert (target / "f").read_text() == "old"
    assert names(target) == ["f"]


def test_pieces_go_where_they_belong(files: Program, target: Path) -> None:
    """A piece past what is there, or one that was cut off, is answered with how far it has come."""
    content = os.urandom(2 * BLOCK + 7)
    assert piece(files, target, "f", content, BLOCK) == Reply(b"", "at", ["0"])
    about = (0, len(content), len(content), sha(content), "644", "file", "force")
    cut = files("put", *about, data=place(target, "f") + content[: BLOCK + 5])
    assert cut == Reply(b"", "at", [str(BLOCK + 5)])
    assert size(files, target, "f", content).words == [str(BLOCK + 5)]
    assert not (target / "f").exists()
    assert piece(files, target, "f", content, BLOCK).state == "ok"
    assert (target / "f").read_bytes() == content
    assert names(target) == ["f"]


def test_who_begins_anew_is_told_how_much_is_there(files: Program, target: Path) -> None:
    """If that is much: another worker's attempt may have left it. Going on from there is then right."""
    content = os.urandom(257 * BLOCK)
    assert piece(files, target, "f", content, 0, 256 * BLOCK).state == "ok"
    assert piece(files, target, "f", content) == Reply(b"", "at", [str(256 * BLOCK)])
    assert piece(files, target, "f", content, 256 * BLOCK).state == "ok"
    assert (target / "f").read_bytes() == content


def test_a_writer_that_wakes_up_again_does_no_harm(files: Program, tmp_path: Path) -> None:
    """It writes the same bytes to the same offsets, so what another has staged meanwhile stays right."""
    content = os.urandom(4 * BLOCK)
    about = (0, len(content), len(content), sha(content), "644", "file", "force")
    _, slow = files.popen("put", *about)
    assert slow.stdin
    slow.stdin.write(place(tmp_path, "f") + content[:BLOCK])
    slow.stdin.flush()
    until = time.monotonic() + 10
    while (
        not staged(files, tmp_path, content).exists() or not staged(files, tmp_path, content).stat().st_size
    ):
        assert time.monotonic() < until
        time.sleep(0.01)
    assert piece(files, tmp_path, "f", content, 0, 3 * BLOCK).state == "ok"
    slow.stdin.write(content[BLOCK : 2 * BLOCK])
    slow.communicate(timeout=10)
    assert size(files, tmp_path, "f", content).words == [str(3 * BLOCK)]
    assert piece(files, tmp_path, "f", content, 3 * BLOCK).state == "ok"
    assert (tmp_path / "f").read_bytes() == content


@pytest.mark.parametrize("read", [0, BLOCK])
def test_a_writer_that_was_overtaken_says_that_nothing_is_staged(
    files: Program, target: Path, read: int
) -> None:
    """Another attempt has brought the file to its place: whoever sends finds that by asking; nothing is left."""
    content = os.urandom(2 * BLOCK)
    about = (read, len(content) - read, len(content), sha(content), "644", "file", "force")
    assert piece(files, target, "f", content, 0, BLOCK).state == "ok"
    nonce, slow = files.popen("put", *about)
    assert slow.stdin
    slow.stdin.write(place(target, "f") + content[read : read + 1])
    slow.stdin.flush()
    time.sleep(0.3)
    assert piece(files, target, "f", content, BLOCK).state == "ok"
    stdout, stderr = slow.communicate(content[read + 1 :], timeout=10)
    assert parse(nonce, stdout, stderr) == Reply(b"", "at", ["0"])
    assert size(files, target, "f", content).state == "placed"
    assert piece(files, target, "g", content, BLOCK) == Reply(b"", "at", ["0"])
    assert names(target) == ["f"]
    assert (target / "f").read_bytes() == content


def test_what_is_in_its_place_is_not_sent_again(files: Program, tmp_path: Path) -> None:
    """Only the very same bytes count; the mode is set all the same."""
    content = os.urandom(100)
    (tmp_path / "f").write_bytes(content)
    assert size(files, tmp_path, "f", content, mode="600").state == "placed"
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600
    assert size(files, tmp_path, "f", content[::-1]) == Reply(b"", "ok", ["0"])
    (tmp_path / "link").symlink_to("f")
    assert size(files, tmp_path, "link", content) == Reply(b"", "ok", ["0"])


def test_a_file_as_it_is(files: Program, tmp_path: Path) -> None:
    """With a mark the bytes come before the frame, unchanged; a refusal announces none."""
    content = os.urandom(BLOCK + 100)
    (tmp_path / "f").write_bytes(content)
    for offset, count in ((0, len(content)), (BLOCK, 100)):
        nonce, process = files.popen("read", "file", offset, count, "MARK")
        stdout, stderr = process.communicate(line(tmp_path / "f"))
        assert stdout[:5] == b"MARK "
        head, _, rest = stdout.partition(b"\n")
        assert head == f"MARK {count}".encode()
        assert rest[:count] == content[offset:]
        assert parse(nonce, rest[count:], stderr).state == "ok"
    nonce, process = files.popen("read", "file", 0, 5, "MARK")
    stdout, stderr = process.communicate(line(tmp_path / "none"))
    assert stdout.startswith(b"MARK 0\n")
    assert parse(nonce, stdout, stderr).state == "unreadable"


def test_staging_places_of_long_ago_are_removed(files: Program, target: Path) -> None:
    """Those of hosts that never came back, once somebody sends something there; younger ones stay."""
    for name, days in ((".job-old", 8), (".job-young", 5), ("job-x", 9)):
        (target / name).mkdir()
        (target / name / "part").touch()
        then = time.time() - days * 86400
        os.utime(target / name, (then, then))
    assert put(files, target, "f", b"x").state == "ok"
    assert names(target) == [".job-young", "f", "job-x"]


def test_modes_of_the_target_directory(files: Program, tmp_path: Path) -> None:
    """Strict asks for it, force makes it; a file in its place or in its path is said."""
    (tmp_path / "file").touch()
    assert piece(files, tmp_path / "none", "f", b"", transfer="strict").state == "no_directory"
    assert not (tmp_path / "none").exists()
    assert put(files, tmp_path / "a/b c/d", "f", b"").state == "ok"
    assert (tmp_path / "a/b c/d").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "a/b c/d/f").read_bytes() == b""
    assert put(files, tmp_path / "file/x", "f", b"").state == "failed"
    assert put(files, tmp_path / "file", "f", b"").state == "failed"


def test_a_reason_of_several_lines_is_one_line(files: Program, target: Path) -> None:
    """An answer ends with its line: what follows may be a logout's farewell."""
    content = b"no tar\n"
    about = (0, len(content), len(content), sha(content), "755", "directory", "force")
    nonce, process = files.popen("put", *about)
    stdout, _ = process.communicate(place(target, "x") + content)
    begin, empty, end = stdout.decode().splitlines()
    assert (begin, empty) == (f"{nonce} BEGIN 0", "")
    assert end.startswith(f"{nonce} END failed tar: ")
    assert names(target) == []


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


@pytest.fixture(params=["stream", "pieces"])
def send(request: pytest.FixtureRequest, files: Program) -> Send:
    """Sends a directory as the plugins do: listed, read as a stream or packed first, staged and unpacked."""

    def run(source: Path, target: Path) -> Reply:
        ((name, (kind, length, mode, sha256)),) = entries(
            files("list", "directory", data=line(f"{source}/"))
        ).items()
        assert kind == "archive"
        if request.param == "stream":
            _, process = files.popen("read", "archive", 0, length, "M")
            content = process.communicate(line(source))[0].partition(b"\n")[2][:length]
        else:
            archive = os.fsdecode(files("pack", data=line(source)).output)
            content = decoded(files("read", "file", 0, length, "-", data=line(archive)))
            files("drop", data=line(archive))
            assert not Path(archive).exists()
        assert sha(content) == sha256
        return put(files, target, name, content, mode=mode, kind="directory")

    return run


def test_the_rest_of_a_directory_s_stream(files: Program, tmp_path: Path) -> None:
    """It is the same stream as before, from an offset on."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_bytes(os.urandom(2 * BLOCK))
    _, process = files.popen("read", "archive", 0, 0, "M")
    whole = process.communicate(line(f"{tmp_path}/d/"))[0].partition(b"\n")[2]
    _, process = files.popen("read", "archive", BLOCK, 0, "M")
    rest = process.communicate(line(f"{tmp_path}/d/"))[0].partition(b"\n")[2]
    assert rest[:BLOCK] == whole[BLOCK : 2 * BLOCK]


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
    assert list(entries(files("list", "directory", data=line(f"{tmp_path}/tree//")))) == ["tree"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root's files can belong to others")
def test_what_arrives_is_the_account_s(send: Send, tmp_path: Path) -> None:
    """As for single files, the owner at the source does not matter."""
    source = tmp_path / "tree"
    source.mkdir()
    (source / "f").touch()
    os.chown(source / "f", 12345, 12345)
    assert send(source, tmp_path / "out").state == "ok"
    assert (tmp_path / "out/tree/f").stat().st_uid == 0


def test_only_places_of_this_run_are_dropped(files: Program, target: Path) -> None:
    """Of a directory its staging place goes, and nothing else; other paths are left alone."""
    content = os.urandom(2 * BLOCK)
    (target / "precious").touch()
    (target / ".job-another").mkdir()
    piece(files, target, "f", content, 0, BLOCK)
    assert staged(files, target, content).exists()
    files("drop", data=line(target / "precious") + line(f"{target}/"))
    assert names(target) == [".job-another", "precious"]


def test_another_user_than_the_one_asked_for_does_nothing(files: Program, tmp_path: Path) -> None:
    """Become may have gone wrong silently."""
    data = place(tmp_path / "x", "f")
    about = (0, 0, 0, sha(b""), "644", "file", "force")
    assert files("put", *about, data=data, user="nosuchuser").state == "wrong_user"
    assert subprocess.run(["test", "-e", tmp_path / "x"], check=False).returncode == 1
