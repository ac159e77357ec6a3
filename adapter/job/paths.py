"""Paths of file transfers: which are absolute, what a source path names, what macros become (contract g)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Literal

from adapter.job.model import Host
from adapter.job.status import TransferMode
from adapter.messages import say

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_JAVA_DATE = re.compile(r"\[DATE:([^\]]*)\]")
_STRFTIME = re.compile(r"\[DATEFMT:([^\]]+)\]")
_REGEX = "REGEX:"

#: Templates' transfer modes that are only a way to write a path (contract g): what they append to it.
_PREFIX_OF_MODE = {3: "[FILESRCIP]", 4: "[YYYY-MM-DD]/[FILESRCIP]"}


@dataclass(frozen=True, kw_only=True)
class SourcePath:
    """What a source path names: `name` in `directory`, or what matches `name` there."""

    directory: str  #: absolute, without a trailing slash but for "/" itself
    name: str  #: for a regex without the marker `REGEX:`; "" for the directory "/"
    kind: Literal["file", "directory", "regex", "glob"]


def is_absolute(path: str) -> bool:
    """True for a POSIX or a Windows absolute path; one with a line break is none."""
    return "\n" not in path and (path.startswith("/") or is_windows(path))


def is_windows(path: str) -> bool:
    """True for a path below a drive, e.g. `C:\\tmp`."""
    return _DRIVE.match(path) is not None


def has_variable(path: str) -> bool:
    """True if a `${name}` is in the path: JOB's validation then takes it for absolute."""
    return _VARIABLE.search(path) is not None


def path_problem(path: str) -> str | None:
    """Why a path, its variables replaced, is none that a POSIX host could use; None if it is one."""
    if not is_absolute(path) or is_windows(path):
        if has_variable(path):
            return say(
                "{path} is not an absolute path: no variable of that name has a value", path=repr(path)
            )
        return say("{path} is not an absolute path", path=repr(path))
    return say("a path cannot have a NUL character") if "\0" in path else None


def as_directory(path: str) -> str:
    """A target path is always a directory: with a slash at its end."""
    return path if path.endswith("/") else path + "/"


def path_of_mode(path: str, transfer_mode: int) -> tuple[str, TransferMode]:
    """A template's target path and transfer mode as a step has them: modes 3 and 4 are a path and mode 2."""
    if transfer_mode in _PREFIX_OF_MODE:
        return as_directory(path) + _PREFIX_OF_MODE[transfer_mode], TransferMode.FORCE
    return path, TransferMode.STRICT if transfer_mode == TransferMode.STRICT else TransferMode.FORCE


def split_source(path: str) -> SourcePath:
    """What the absolute POSIX path of a source names. Patterns are in the last component only."""
    if path.endswith("/"):
        directory, _, name = path.rstrip("/").rpartition("/")
        return SourcePath(directory=_directory(directory), name=name, kind="directory")
    directory, _, name = path.rpartition("/")
    if name.startswith(_REGEX):
        return SourcePath(directory=_directory(directory), name=name.removeprefix(_REGEX), kind="regex")
    is_glob = "*" in name or "?" in name
    return SourcePath(directory=_directory(directory), name=name, kind="glob" if is_glob else "file")


def expand_target_path(path: str, source: Host, at_ms: int, timezone: tzinfo | None) -> str:
    """The target directory for the files of `source`, macros replaced, with a slash at its end.

    `timezone` None is the local one. A date pattern that is none is kept as it is.
    """
    at = _local(at_ms, timezone)
    path = path.replace("[FILESRCIP]", f"{source.bk_cloud_id}_{source.ip or source.name}".replace(":", "_"))
    path = path.replace("[YYYY-MM-DD]", f"{at:%Y-%m-%d}")
    path = _JAVA_DATE.sub(lambda found: _java_date(found[1], at) or found[0], path)
    return as_directory(_expand_strftime(path, at))


def expand_param(param: str, at: datetime) -> str:
    """A script's parameter with `[DATEFMT:…]` replaced, the one macro it may have."""
    return _expand_strftime(param, at)


def timestamp_name(at_ms: int, timezone: tzinfo | None) -> str:
    """yyyyMMddHHmmssSSS, the end of the name of a task that was given none."""
    return f"{_local(at_ms, timezone):%Y%m%d%H%M%S}{at_ms % 1000:03d}"


def _directory(path: str) -> str:
    return path.rstrip("/") or "/"


def _local(at_ms: int, timezone: tzinfo | None) -> datetime:
    # Whole milliseconds, not a float of seconds, which would lose some of them.
    seconds = datetime.fromtimestamp(at_ms // 1000, timezone)
    return seconds + timedelta(milliseconds=at_ms % 1000)


def _expand_strftime(text: str, at: datetime) -> str:
    return _STRFTIME.sub(lambda found: _strftime(found[1], at) or found[0], text)


def _strftime(pattern: str, at: datetime) -> str | None:
    try:
        return at.strftime(pattern)
    except ValueError:  # a NUL, or a directive that the C library refuses
        return None


_JAVA_TOKEN = re.compile(
    r"'(?P<quoted>(?:[^']|'')*)'|(?P<letters>(?P<letter>[A-Za-z])(?P=letter)*)|(?P<other>[^A-Za-z'])"
)
_JAVA_FIELDS = {
    "y": lambda at: at.year,
    "M": lambda at: at.month,
    "d": lambda at: at.day,
    "H": lambda at: at.hour,
    "m": lambda at: at.minute,
    "s": lambda at: at.second,
    "S": lambda at: at.microsecond // 1000,
}


def _java_date(pattern: str, at: datetime) -> str | None:
    """SimpleDateFormat's numbers: y M d H m s S and quoted text. None for any other letter or an open quote."""
    parts: list[str] = []
    position = 0
    while position < len(pattern):
        token = _JAVA_TOKEN.match(pattern, position)
        text = None if token is None else _java_token(token, at)
        if token is None or text is None:
            return None
        parts.append(text)
        position = token.end()
    return "".join(parts) or None


def _java_token(token: re.Match[str], at: datetime) -> str | None:
    if token["other"]:
        return token["other"]
    if token["letters"] is None:
        return token["quoted"].replace("''", "'") or "'"
    letters = token["letters"]
    number = _JAVA_FIELDS.get(token["letter"])
    if number is None or (letters.startswith("MMM")):  # MMM is a month's name, in whose language?
        return None
    if letters == "yy":
        return f"{at.year % 100:02d}"
    return str(number(at)).zfill(len(letters))
