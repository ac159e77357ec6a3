"""Paths of file transfers and their macros."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.job import paths
from adapter.job.model import Host

HOST = Host(bk_host_id=1, bk_cloud_id=0, ip="10.0.0.1", name="web1")
#: 2024-07-04 05:06:07.089 UTC
AT = 1720069567089


@pytest.mark.parametrize(
    ("path", "directory", "name", "kind"),
    [
        ("/tmp/a.txt", "/tmp", "a.txt", "file"),
        ("/a", "/", "a", "file"),
        ("/var/log/", "/var", "log", "directory"),
        ("/log//", "/", "log", "directory"),
        ("/", "/", "", "directory"),
        ("/tmp/REGEX:[a-z]*.txt", "/tmp", "[a-z]*.txt", "regex"),
        ("/tmp/*.txt", "/tmp", "*.txt", "glob"),
        ("/tmp/a?", "/tmp", "a?", "glob"),
        ("/tmp/a[1].txt", "/tmp", "a[1].txt", "file"),
    ],
)
def test_a_source_path_says_what_it_names(path: str, directory: str, name: str, kind: str) -> None:
    """A slash at the end makes a directory, REGEX: and wildcards a pattern."""
    source = paths.split_source(path)
    assert (source.directory, source.name, source.kind) == (directory, name, kind)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/tmp", "/tmp/"),
        ("/tmp/[FILESRCIP]/", "/tmp/0_10.0.0.1/"),
        ("/tmp/[DATE:yyyy-MM-dd HH:mm:ss.SSS]", "/tmp/2024-07-04 05:06:07.089/"),
        ("/tmp/[DATE:yyMMdd'T''x']/", "/tmp/240704T'x/"),
        ("/tmp/[DATE:M/d/H]/", "/tmp/7/4/5/"),
        ("/tmp/[DATE:yyyy'/']/", "/tmp/2024//"),
        ("/tmp/[DATE:MMM]/", "/tmp/[DATE:MMM]/"),
        ("/tmp/[DATE:nonsense]/", "/tmp/[DATE:nonsense]/"),
        ("/tmp/[DATE:'open]/", "/tmp/[DATE:'open]/"),
        ("/tmp/[DATE:]/", "/tmp/[DATE:]/"),
        ("/tmp/[DATEFMT:%Y-%m-%d]/x", "/tmp/2024-07-04/x/"),
        ("/tmp/[YYYY-MM-DD]/[FILESRCIP]", "/tmp/2024-07-04/0_10.0.0.1/"),
        ("/tmp/[OTHER]", "/tmp/[OTHER]/"),
    ],
)
def test_macros_of_a_target_path(path: str, expected: str) -> None:
    """What is no macro, or a date pattern that is none, is kept as it is."""
    assert paths.expand_target_path(path, HOST, AT, UTC) == expected


def test_the_source_of_an_ipv6_host_has_no_colon() -> None:
    """Every colon becomes an underscore; a host without an address goes by its name."""
    six = Host(bk_host_id=1, bk_cloud_id=2, ip="fe80::1", name="six")
    named = Host(bk_host_id=2, bk_cloud_id=0, ip="", name="db.example.com")
    assert paths.expand_target_path("/[FILESRCIP]", six, AT, UTC) == "/2_fe80__1/"
    assert paths.expand_target_path("/[FILESRCIP]", named, AT, UTC) == "/0_db.example.com/"


def test_dates_are_the_time_zone_s() -> None:
    """The day may be another one there."""
    west = timezone(-timedelta(hours=8))
    assert paths.expand_target_path("/[DATE:dd]", HOST, AT, west) == "/03/"
    assert paths.timestamp_name(AT, UTC) == "20240704050607089"


def test_a_param_has_dates_only_by_datefmt() -> None:
    """The other macros are paths' alone."""
    at = datetime(2024, 7, 4)
    assert paths.expand_param("[DATEFMT:%F] [DATE:yyyy] [FILESRCIP] [DATEFMT:]", at) == (
        "2024-07-04 [DATE:yyyy] [FILESRCIP] [DATEFMT:]"
    )


@pytest.mark.parametrize(
    ("path", "mode", "expected"),
    [
        ("/t", 1, ("/t", 1)),
        ("/t", 2, ("/t", 2)),
        ("/t", 3, ("/t/[FILESRCIP]", 2)),
        ("/t/", 4, ("/t/[YYYY-MM-DD]/[FILESRCIP]", 2)),
        ("/t", 99, ("/t", 2)),
    ],
)
def test_prefix_modes_become_a_path(path: str, mode: int, expected: tuple[str, int]) -> None:
    """A step then has mode 1 or 2 only."""
    assert paths.path_of_mode(path, mode) == expected


def test_absolute_paths() -> None:
    """POSIX, Windows, and what only a variable makes absolute."""
    assert paths.is_absolute("/tmp")
    assert paths.is_absolute("C:\\tmp")
    assert paths.is_windows("d:/tmp")
    assert not paths.is_windows("/c:/tmp")
    assert not paths.is_absolute("tmp/${x}")
    assert not paths.is_absolute("/tmp/a\nb"), "it would be two paths to whoever reads lines"
    assert paths.has_variable("tmp/${x}")
    assert not paths.has_variable("${9}")


@given(st.text(max_size=60), st.integers(0, 4102444800000))
def test_a_target_is_always_a_directory_and_never_an_error(path: str, at_ms: int) -> None:
    """Whatever is in it."""
    expanded = paths.expand_target_path("/" + path, HOST, at_ms, UTC)
    assert expanded.startswith("/")
    assert expanded.endswith("/")


@given(st.text(st.sampled_from("yMdHmsS-/' x[]%"), max_size=20), st.integers(0, 4102444800000))
def test_date_patterns_are_kept_or_replaced_whole(pattern: str, at_ms: int) -> None:
    """An error never escapes."""
    assert paths.expand_target_path(f"/[DATE:{pattern}]/[DATEFMT:{pattern}]", HOST, at_ms, UTC)


@given(st.text(st.sampled_from("ab/*?.:REGX"), max_size=20))
def test_a_source_path_can_be_put_together_again(path: str) -> None:
    """Directory and name lose nothing but slashes."""
    source = paths.split_source("/" + path)
    again = source.directory.rstrip("/") + "/" + ("REGEX:" if source.kind == "regex" else "") + source.name
    assert again.rstrip("/").replace("//", "/") == ("/" + path).rstrip("/").replace("//", "/") or "//" in path
