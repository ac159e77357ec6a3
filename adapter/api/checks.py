"""Checks that come after the schema, each with the code JOB gives it (contract c, g)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adapter.api.json_text import shown
from adapter.api.schemas_v3 import MAX_SENSITIVE_PARAM_BYTES
from adapter.errors import FieldInvalid, InvalidParameter, MissingOrInvalid, MissingParameter, NotSupported
from adapter.job.commands import AccountRef, ConfigFile, ScriptRef
from adapter.job.paths import has_variable, is_absolute
from adapter.job.status import EXECUTABLE_LANGUAGES, FileType, ScriptLanguage, TransferMode
from adapter.messages import say

_USE = "{name} {value} ({meaning}); use {allowed}"
_MAX_FILE_NAME = 255  #: bytes, on every file system that is in use


def require_id(
    name: str, value: int | None, error: type[InvalidParameter] | type[MissingOrInvalid] = InvalidParameter
) -> int:
    """An id of at least 1."""
    if value is None or value < 1:
        raise error(name, say("must be a whole number of at least 1, not {value}", value=shown(value)))
    return value


def require_account(name: str, account: AccountRef | None) -> AccountRef:
    """The account, if one is named."""
    if account is None:
        raise MissingParameter(name)
    return account


def require_db_account(id_: int | None) -> int:
    """The id of a database's account: without one, or with one below 1, it is missing."""
    if id_ is None or id_ < 1:
        raise MissingParameter("db_account_id")
    return id_


def check_language(name: str, language: int | None) -> None:
    """A number of JOB's languages, whether or not this service can run it."""
    if language is None or language not in set(ScriptLanguage):
        raise InvalidParameter(
            name,
            say(
                "must be 1 shell, 2 bat, 3 perl, 4 python, 5 powershell or 6 sql, not {value}",
                value=shown(language),
            ),
        )


def check_executable(name: str, script: ScriptRef) -> None:
    """NotSupported if the script comes as text of a language that runs in another way: SQL."""
    language = script.language
    if script.content is not None and language is not None and language not in EXECUTABLE_LANGUAGES:
        raise NotSupported(
            say(
                _USE,
                name=name,
                value=language,
                meaning=ScriptLanguage(language).name.lower(),
                allowed=", ".join(str(int(one)) for one in sorted(EXECUTABLE_LANGUAGES)),
            )
        )


def script_param(param: str | None, sensitive: bool | None) -> str:
    """The parameter on one line. A sensitive one must fit once it is encrypted."""
    if param is None:
        return ""
    if sensitive and (size := len(param.encode())) > MAX_SENSITIVE_PARAM_BYTES:
        limit = MAX_SENSITIVE_PARAM_BYTES
        raise FieldInvalid(
            "script_param",
            say("must decode to at most {limit} bytes if sensitive, not {size}", limit=limit, size=size),
        )
    return param.replace("\n", " ")


def is_path(path: str) -> bool:
    """An absolute path, or one that a variable completes."""
    return is_absolute(path) or has_variable(path)


def check_source_files(name: str, files: Iterable[str]) -> None:
    """Absolute paths, each of them."""
    for path in files:
        if not is_path(path):
            raise InvalidParameter(
                name, say("must be absolute paths without line breaks, not {value}", value=shown(path))
            )


def file_type(name: str, value: int | None) -> FileType:
    """Where a source's files are; on servers if it does not say."""
    if value not in (None, FileType.SERVER, FileType.LOCAL, FileType.FILE_SOURCE):
        raise InvalidParameter(
            name, say("must be 1 (server file), 2 (local file) or 3 (file source), not {value}", value=value)
        )
    return FileType.SERVER if value is None else FileType(value)


def check_file_name(name: str, file_name: str | None) -> None:
    """A bare name, if there is one."""
    if file_name is None:
        return
    if any(mark in file_name for mark in "/\\") or not _is_file_name(file_name):
        raise InvalidParameter(
            name,
            say(
                "must be a file's name without a directory or line break, not {value}", value=shown(file_name)
            ),
        )


def _is_file_name(name: str) -> bool:
    return name not in ("", ".", "..") and "\n" not in name and len(name.encode()) <= _MAX_FILE_NAME


def config_files(items: Iterable[Mapping[str, Any]]) -> tuple[ConfigFile, ...]:
    """The files that a request brings, each by the last part of its name. Raises InvalidParameter."""
    return tuple(map(_config_file, items))


def bare_file_name(field: str, path: str) -> str:
    """The last part of a name that may have directories, which are the client's own. Raises InvalidParameter."""
    # A path of Windows has a last part too: JOB cuts there as well.
    name = path.replace("\\", "/").rpartition("/")[2].strip()
    if not _is_file_name(name):
        raise InvalidParameter(
            field,
            say(
                "must be the name of a file, of at most {limit} bytes, not {value}",
                limit=_MAX_FILE_NAME,
                value=shown(name),
            ),
        )
    return name


def _config_file(item: Mapping[str, Any]) -> ConfigFile:
    name = bare_file_name("file_list.file_name", item["file_name"] or "")
    if item["content"] is None:
        raise InvalidParameter("file_list.content", say("must not be empty"))
    return ConfigFile(name=name, content=item["content"])


def transfer_mode(mode: int | None) -> int:
    """Strict if asked for, force for everything else, as JOB reads it."""
    return TransferMode.STRICT if mode == TransferMode.STRICT else TransferMode.FORCE


def speed_limit(limit: int | None) -> int | None:
    """MB/s; nothing and less mean unlimited."""
    return limit if limit is not None and limit > 0 else None
