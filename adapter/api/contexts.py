"""What JOB's AI assistant asks about a host's failure (v4): the script and its log, or the files."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adapter.api import queries_v3
from adapter.api.call import Call
from adapter.api.fields import BaseSchema, Number, Text
from adapter.api.reports import HostRef, known_hosts, source_hosts
from adapter.errors import ExecuteObjectUnknown, MissingOrInvalid
from adapter.job.model import FileLog, Host, ScriptTask, StepInstance
from adapter.messages import Language, say

_HOST, _CONTAINER = 1, 2
_UPLOAD, _DOWNLOAD = 0, 1
_FAILED = 5
_MAX_LOG_CHARACTERS = 50_000


class _GetTaskContext(BaseSchema):
    job_instance_id = Number(required=True, at_least=1)
    step_instance_id = Number(required=True, at_least=1)
    execute_count = Number(required=True, at_least=0, at_most=2**31 - 1)
    batch = Number()
    execute_object_type = Number(required=True)
    execute_object_resource_id = Number(required=True, at_least=1)


class GetScriptTaskContext(_GetTaskContext):
    """get_script_task_context; `content` is the part of the log that matters, if the caller knows."""

    content = Text(keep_blank=True)


class GetFileTaskContext(_GetTaskContext):
    """get_file_task_context; `mode` says in which of its parts the host is meant."""

    mode = Number(required=True)


@dataclass(frozen=True, kw_only=True)
class ScriptContext:
    """A script step and the end of a host's log."""

    script: ScriptTask
    log: str
    language: Language


@dataclass(frozen=True, kw_only=True)
class FileContext:
    """What failed in a file step: uploads of any source, downloads of one host that are no upload's fault."""

    uploads: tuple[FileLog, ...]
    downloads: tuple[FileLog, ...]
    known: dict[int, Host]
    language: Language


def script_context(call: Call) -> ScriptContext:
    """get_script_task_context."""
    step = call.services.query.resolved(_step(call))
    if step.script is None:
        raise MissingOrInvalid("step_instance_id", say("is not a script step"))
    _require_host(call, is_there=_is_target(call, step))
    host_id = call["execute_object_resource_id"]
    log = call["content"] or ""
    if not log.strip():
        log = call.services.query.script_logs(step, [host_id]).get(host_id, "")
    return ScriptContext(script=step.script, log=_tail(log), language=call.language)


def file_context(call: Call) -> FileContext:
    """get_file_task_context."""
    step = _step(call)
    if step.file is None:
        raise MissingOrInvalid("step_instance_id", say("is not a file step"))
    if call["mode"] not in (_UPLOAD, _DOWNLOAD):
        raise MissingOrInvalid("mode", say("must be 0 (upload) or 1 (download)"))
    host_id, sources = call["execute_object_resource_id"], source_hosts(step)
    _require_host(call, is_there=host_id in sources if call["mode"] == _UPLOAD else _is_target(call, step))
    query = call.services.query
    failed = [entry for entry in query.file_logs(step, {*sources, host_id}) if entry.status == _FAILED]
    uploads = tuple(entry for entry in failed if entry.mode == _UPLOAD)
    missing = {(entry.src_host_id, entry.src_path) for entry in uploads}
    downloads = tuple(
        entry
        for entry in failed
        if entry.mode == _DOWNLOAD
        and entry.bk_host_id == host_id
        and (entry.src_host_id, entry.src_path) not in missing
    )
    known = known_hosts(query, step, [HostRef(bk_host_id=host_id)])
    return FileContext(uploads=uploads, downloads=downloads, known=known, language=call.language)


def _step(call: Call) -> StepInstance:
    """The step in the execution that is asked about. Raises StepInstanceUnknown."""
    step = queries_v3.step_of(call, call["job_instance_id"], call["step_instance_id"])
    return replace(step, execute_count=call["execute_count"])


def _is_target(call: Call, step: StepInstance) -> bool:
    """True if the host is one, in that batch of a rolling step if one is named."""
    found = call.services.query.hosts_named(step, [call["execute_object_resource_id"]], ())
    return any(call["batch"] in (None, 0, result.batch) for result in found)


def _require_host(call: Call, *, is_there: bool) -> None:
    """Raises ExecuteObjectUnknown for a host that is not in it, and for a container: there are none here."""
    kind = call["execute_object_type"]
    if kind not in (_HOST, _CONTAINER):
        raise MissingOrInvalid("execute_object_type", say("must be 1 (host) or 2 (container)"))
    if kind == _CONTAINER or not is_there:
        raise ExecuteObjectUnknown(call["execute_object_resource_id"])


def _tail(log: str) -> str:
    """The last whole lines of at most as many characters as JOB gives; of one long line its end."""
    if len(log) <= _MAX_LOG_CHARACTERS:
        return log
    tail = log[-_MAX_LOG_CHARACTERS:]
    return tail.partition("\n")[2] or tail
