"""The variables and steps of a template in a definition file: reading them, nothing is written here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.errors import FileSourceCodeUnknown, LocalFileUnknown
from adapter.job.file_source import file_source_path_problem
from adapter.job.model import PUBLIC, IpRef, Script, Server, TopoNode
from adapter.job.paths import has_variable
from adapter.job.plan import (
    ConfirmerRole,
    GlobalVariable,
    PlanApproval,
    PlanFile,
    PlanFileSource,
    PlanScript,
    PlanStep,
)
from adapter.job.status import FileType, StepType, TransferMode, VariableType
from adapter.service import rules
from adapter.service.apply_file import Node
from adapter.service.apply_session import Session

_MAX_NAME = 255
_KINDS = {"script": StepType.SCRIPT, "file": StepType.FILE, "approval": StepType.APPROVAL}
_FILE_TYPES = (FileType.SERVER, FileType.LOCAL, FileType.FILE_SOURCE)
_SERVER_KEYS = ("host_id_list", "ip_list", "dynamic_group_list", "topo_node_list")

_NEVER_CHANGEABLE = {
    VariableType.HOSTS: "scripts cannot change hosts",
    VariableType.CIPHER: "its value would lie on the hosts until it is collected",
}

VariableTypes = Mapping[str, VariableType]


def read_variable(node: Node) -> GlobalVariable:
    """A global variable; its id is 0 if the file gives none. Host variables have a `server`, others a `value`."""
    variable_id = node.identifier() or 0
    name = node.text("name", rule=rules.variable_name)
    kind = VariableType(
        node.number("type", int(VariableType.STRING), lambda n: rules.one_of(n, tuple(VariableType)))
    )
    value, server = "", None
    if kind == VariableType.HOSTS:
        server = read_server(node.child("server"), None) if node.raw("server") is not None else Server()
        if node.has("value"):
            node.fail("value", "a variable of type 3 has a server instead")
    else:
        value = node.text("value", "", lambda text: rules.variable_value(text, kind))
        if node.has("server"):
            node.fail("server", "only a variable of type 3 has one")
    changeable = node.flag("changeable", False)
    if changeable and kind in _NEVER_CHANGEABLE:
        node.fail("changeable", f"a variable of type {int(kind)} cannot be: {_NEVER_CHANGEABLE[kind]}")
    variable = GlobalVariable(
        id=variable_id,
        name=name,
        type=kind,
        value=value,
        server=server,
        description=node.text("description", ""),
        required=node.flag("required", False),
        changeable=changeable,
    )
    node.finish()
    return variable


def read_step(session: Session, node: Node, variables: VariableTypes) -> PlanStep:
    """A step; its id is 0 if the file gives none."""
    kinds = [key for key in _KINDS if node.raw(key) is not None]
    if len(kinds) != 1:
        node.fail("", "needs exactly one of script, file and approval")
    expected = _KINDS[kinds[0]]
    given = node.number("type", int(expected))
    if given != expected:
        node.fail("type", f"must be {int(expected)} for a step with {kinds[0]}")
    if expected == StepType.APPROVAL:
        return _approval_step(node)
    step = PlanStep(
        id=node.identifier() or 0,
        name=node.text("name", rule=lambda value: rules.label(value, _MAX_NAME)),
        type=expected,
        target=_needed_server(node, "target", variables),
        script=_script(session, node.child("script")) if expected == StepType.SCRIPT else None,
        file=_file(session, node.child("file"), variables) if expected == StepType.FILE else None,
        ignore_error=node.flag("ignore_error", False),
    )
    node.finish()
    return step


def _approval_step(node: Node) -> PlanStep:
    child = node.child("approval")
    approval = PlanApproval(
        message=child.text("message", ""),
        users=child.texts("users", lambda value: rules.label(value, _MAX_NAME)),
        roles=child.texts("roles", _role),
    )
    if not approval.users and not approval.roles:
        child.fail("users", "needs somebody to ask; give users or roles")
    child.finish()
    for key in ("target", "ignore_error"):
        if node.has(key):
            node.fail(key, "an approval step has none")
    step = PlanStep(
        id=node.identifier() or 0,
        name=node.text("name", rule=lambda value: rules.label(value, _MAX_NAME)),
        type=StepType.APPROVAL,
        target=Server(),
        approval=approval,
    )
    node.finish()
    return step


def _role(value: str) -> str | None:
    known = [str(role) for role in ConfirmerRole]
    return None if value in known else f"must be {' or '.join(known)}; others are known to a CMDB only"


def read_server(node: Node, variables: VariableTypes | None) -> Server:
    """Hosts as a request lists them; `variable` names one of `variables`, None where there can be none."""
    variable = None
    if variables is not None:
        variable = node.text("variable", None)
        if variable is not None and variables.get(variable) != VariableType.HOSTS:
            node.fail("variable", f"no variable [{variable}] of type 3 in this template")
    server = Server(
        variable=variable,
        host_ids=node.numbers("host_id_list"),
        ips=tuple(_ip(item) for item in node.children("ip_list")),
        dynamic_groups=_dynamic_groups(node),
        topo_nodes=tuple(_topo_node(item) for item in node.children("topo_node_list")),
    )
    node.finish()
    if variable is not None and server != Server(variable=variable):
        node.fail("variable", f"stands alone: it cannot be beside {', '.join(_SERVER_KEYS)}")
    return server


def _needed_server(node: Node, key: str, variables: VariableTypes) -> Server:
    server = read_server(node.child(key), variables)
    if server.is_empty:
        node.fail(key, f"lists nothing; give variable or one of {', '.join(_SERVER_KEYS)}")
    return server


def _ip(node: Node) -> IpRef:
    ip = IpRef(
        bk_cloud_id=node.number("bk_cloud_id", 0, lambda n: None if 0 <= n < 2**53 else "must be 0 or more"),
        ip=node.text("ip", rule=rules.ipv4),
    )
    node.finish()
    return ip


def _dynamic_groups(node: Node) -> tuple[str, ...]:
    groups = []
    for item in node.children("dynamic_group_list"):
        groups.append(item.text("id", rule=lambda value: rules.label(value, _MAX_NAME)))
        item.finish()
    return tuple(groups)


def _topo_node(node: Node) -> TopoNode:
    topo = TopoNode(
        id=node.number("id", rule=rules.given_id),
        node_type=node.text("node_type", rule=lambda value: rules.label(value, _MAX_NAME)),
    )
    node.finish()
    return topo


def _script(session: Session, node: Node) -> PlanScript:
    sensitive = node.flag("param_sensitive", False)
    script = PlanScript(
        account_id=session.account_of(node).id,
        param=node.text("param", "", lambda value: rules.param(value, sensitive=sensitive)),
        param_sensitive=sensitive,
        timeout=node.number("timeout", 7200, rules.timeout),
        **_script_text(session, node),
    )
    node.finish()
    return script


def _script_text(session: Session, node: Node) -> dict[str, Any]:
    ways = [key for key in ("content", "name", "script_id", "script_version_id") if node.raw(key) is not None]
    if len(ways) != 1:
        node.fail("", "needs exactly one of content, name, script_id and script_version_id")
    if ways == ["content"]:
        return {
            "language": node.number("language", rule=rules.language),
            "content": node.text("content", rule=rules.content),
        }
    if ways == ["script_version_id"]:
        version = session.scripts.version(node.number("script_version_id", rule=rules.given_id))
        if version is None or version.scope not in (session.scope, PUBLIC):
            node.fail("script_version_id", f"no such script version in {session.scope}, nor a public one")
        return {
            "script_id": version.script_id,
            "script_version_id": version.id,
            "is_public": version.scope == PUBLIC,
        }
    key = ways[0]
    named = node.text(key)
    script = _named_script(session, named) if key == "name" else session.scripts.get(named)
    if script is None or script.scope not in (session.scope, PUBLIC):
        node.fail(key, f"no script [{named}] in {session.scope}, nor a public one")
    is_public = script.scope == PUBLIC
    name = node.text("version", None)
    if name is None:
        if script.online_version_id is None:
            node.fail(key, f"script [{script.name}] has no online version; publish one, or name a version")
        return {"script_id": script.id, "is_public": is_public}
    version = session.scripts.version_named(script.id, name)
    if version is None:
        node.fail("version", f"script [{script.name}] has no version [{name}]")
    return {"script_id": script.id, "script_version_id": version.id, "is_public": is_public}


def _named_script(session: Session, name: str) -> Script | None:
    """The scope's own, else the public one of that name."""
    return session.scripts.by_name(session.scope, name) or session.scripts.by_name(PUBLIC, name)


def _file(session: Session, node: Node, variables: VariableTypes) -> PlanFile:
    account_id = session.account_of(node).id
    sources = tuple(_source(session, item, variables, account_id) for item in node.children("sources"))
    if not sources:
        node.fail("sources", "needs at least one source")
    file = PlanFile(
        account_id=account_id,
        target_path=node.text("target_path", rule=rules.remote_path),
        sources=sources,
        transfer_mode=node.number(
            "transfer_mode", int(TransferMode.FORCE), lambda n: rules.one_of(n, tuple(TransferMode))
        ),
        timeout=node.number("timeout", 7200, rules.timeout),
        upload_speed_limit=_speed_limit(node, "upload_speed_limit"),
        download_speed_limit=_speed_limit(node, "download_speed_limit"),
    )
    node.finish()
    return file


def _source(session: Session, node: Node, variables: VariableTypes, account_id: int) -> PlanFileSource:
    """`account_id` is the step's own, as which there is nothing to read of files that are on no host."""
    kind = node.number("file_type", int(FileType.SERVER), lambda n: rules.one_of(n, _FILE_TYPES))
    if kind == FileType.LOCAL:
        return _local_source(session, node, account_id)
    if kind == FileType.FILE_SOURCE:
        return _of_file_source(session, node, account_id)
    files = node.texts("files", rules.remote_path)
    if not files:
        node.fail("files", "needs at least one path")
    source = PlanFileSource(
        files=files,
        account_id=session.account_of(node).id,
        server=_needed_server(node, "server", variables),
    )
    node.finish()
    return source


def _local_source(session: Session, node: Node, account_id: int) -> PlanFileSource:
    """Files that were uploaded to the same scope."""
    files = node.texts("files", rules.text)
    if not files:
        node.fail("files", "needs at least one path")
    for index, path in enumerate(files):
        try:
            session.uploads.require((session.scope,), path)
        except LocalFileUnknown as error:
            node.fail(f"files[{index}]", error.message)
    source = PlanFileSource(files=files, account_id=account_id, file_type=FileType.LOCAL)
    node.finish()
    return source


def _of_file_source(session: Session, node: Node, account_id: int) -> PlanFileSource:
    """Files of a file source of the same scope, by its code."""
    code, files = node.text("file_source_code"), node.texts("files", rules.text)
    if not files:
        node.fail("files", "needs at least one path")
    try:
        found = session.file_sources.by_code(session.scope, code)
    except FileSourceCodeUnknown as error:
        node.fail("file_source_code", error.message)
    for index, path in enumerate(files):
        problem = file_source_path_problem(path) if has_variable(path) else found.path_problem(path)
        if problem:
            node.fail(f"files[{index}]", problem)
    source = PlanFileSource(
        files=files,
        account_id=account_id,
        file_type=FileType.FILE_SOURCE,
        file_source_id=found.id,
        file_source_code=found.code,
    )
    node.finish()
    return source


def _speed_limit(node: Node, key: str) -> int | None:
    limit: int = node.number(key, 0, lambda n: None if n < 2**31 else "must be below 2**31")
    return limit if limit > 0 else None
