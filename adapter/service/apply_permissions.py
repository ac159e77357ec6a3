"""The `permissions` of a definition file: what users of applications may do in the file's business."""

from __future__ import annotations

from adapter.job.actions import Action
from adapter.service.apply_file import Node, refuse_repeated
from adapter.service.apply_session import Session
from adapter.service.names import is_name
from adapter.store.permissions import UserPermission

_ACTIONS = ", ".join(map(str, Action))


def apply_permissions(session: Session, nodes: list[Node]) -> None:
    """Register each in place of what the user had there. Without `actions` or `accounts` it is all of them."""
    seen = []
    for node in nodes:
        app_code = node.text("app")
        if session.apps.get(app_code) is None:
            node.fail("app", f"APP Code [{app_code}] is not registered; make it with `adapter app create`")
        user = node.text("user", rule=lambda value: None if is_name(value) else "must be a user's name, or *")
        actions = _actions(node)
        accounts = frozenset(node.texts("accounts")) if node.has("accounts") else None
        node.finish()
        name = f"{user} of {app_code}"
        seen.append(name)
        wanted = UserPermission(
            app_code=app_code, user=user, scope=session.scope, actions=actions, accounts=accounts
        )
        stored = session.permissions.get(app_code, user, session.scope)
        if stored != wanted:
            session.permissions.set(wanted)
            session.changed("updated" if stored else "created", "permission", name, session.scope.text)
    refuse_repeated(nodes, "user", seen)


def _actions(node: Node) -> frozenset[Action] | None:
    if not node.has("actions"):
        return None
    return frozenset(map(Action, node.texts("actions", _action)))


def _action(name: str) -> str | None:
    return None if name in list(Action) else f"must be one of {_ACTIONS}, not {name!r}"
