"""What JOB's AI assistant is told (v4): a list of named texts, each with a word of what it is."""

from __future__ import annotations

import json
from typing import Any

from adapter.api import file_logs
from adapter.api.contexts import FileContext, ScriptContext
from adapter.job.model import FileLog, Host
from adapter.job.status import ScriptLanguage
from adapter.messages import Language, Phrase, say


def script_context(context: ScriptContext) -> dict[str, Any]:
    """get_script_task_context; a sensitive parameter is not told."""
    script = context.script
    return _fields(
        context.language,
        ("scriptType", ScriptLanguage(script.language).name.lower(), say("Type of the script")),
        ("scriptContent", script.content, say("Text of the script")),
        ("secureParam", str(script.param_sensitive).lower(), say("Whether the parameters are sensitive")),
        (
            "scriptParams",
            "[Secure params ignored]" if script.param_sensitive else script.param,
            say("Parameters of the script"),
        ),
        ("errorLog", context.log, say("End of the log, at most 50000 characters")),
    )


def file_context(context: FileContext) -> dict[str, Any]:
    """get_file_task_context; the details are JSON in text."""
    known = context.known
    uploads = [
        {
            **_end("source", entry.src_host_id, known),
            "sourceFilePath": entry.src_path,
            "errorLog": _last_line(entry),
        }
        for entry in context.uploads
    ]
    downloads = [
        {
            **_end("source", entry.src_host_id, known),
            **_end("target", entry.dest_host_id, known),
            "targetFilePath": entry.dest_path,
            "errorLog": _last_line(entry),
        }
        for entry in context.downloads
    ]
    return _fields(
        context.language,
        ("errorSource", _cause(context).in_(context.language), say("Where it failed")),
        ("uploadFileErrorData", _json(uploads), say("Source files that could not be read, and why")),
        ("downloadFileErrorData", _json(downloads), say("Files that did not arrive, and why")),
    )


def _fields(language: Language, *fields: tuple[str, str, Phrase]) -> dict[str, Any]:
    return {
        "field_list": [
            {"name": name, "value": value, "description": description.in_(language)}
            for name, value, description in fields
        ]
    }


def _cause(context: FileContext) -> Phrase:
    if context.uploads and context.downloads:
        return say("Source files could not be read, and files did not arrive on the target")
    if context.uploads:
        return say("Source files could not be read")
    return say("Files did not arrive on the target") if context.downloads else say("Nothing failed")


def _end(role: str, host_id: int | None, known: dict[int, Host]) -> dict[str, Any]:
    host = None if host_id is None else known.get(host_id)
    if host is None:
        return {}
    return {f"{role}ExecuteObjectType": "HOST", f"{role}HostDescription": {"cloudIp": host.label}}


def _last_line(entry: FileLog) -> str:
    return file_logs.log_text(entry).rstrip("\n").rpartition("\n")[2]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
