"""Reading a definition file so that every complaint names its place: `templates[0].steps[1].file.account: …`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import yaml

from adapter.service import rules

Rule = Callable[[Any], str | None]
_MISSING: Any = object()


class ApplyError(ValueError):
    """The file cannot be applied; the message says where and why, and never a secret."""


class Node:
    """A mapping of the file. Each key is asked for; finish() refuses those that nobody asked for."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise ApplyError(f"{path or 'file'}: must be a mapping of keys to values, not {_kind(value)}")
        self._values = value
        self._path = path
        self._asked: set[str] = set()

    def fail(self, key: str, problem: str) -> NoReturn:
        """Raises ApplyError at `key`; with an empty key, at the mapping itself."""
        raise ApplyError(f"{self.path(key) or 'file'}: {problem}")

    def path(self, key: str) -> str:
        """Where `key` is."""
        return ".".join(part for part in (self._path, key) if part)

    def has(self, key: str) -> bool:
        """True if the key is there, be it without a value."""
        self._asked.add(key)
        return key in self._values

    def raw(self, key: str) -> Any:
        """The value as YAML gave it, None if absent."""
        return self._values.get(key) if self.has(key) else None

    def text(self, key: str, default: Any = _MISSING, rule: Rule = rules.text) -> Any:
        """A text that obeys `rule`."""
        value = self._value(key, default)
        if value is default:
            return default
        if not isinstance(value, str):
            quotes = "" if isinstance(value, (dict, list)) else "; put it in quotes"
            self.fail(key, f"must be a text, not {_kind(value)}{quotes}")
        return self.checked(key, value, rule)

    def number(self, key: str, default: Any = _MISSING, rule: Rule = lambda value: None) -> Any:
        """A whole number that obeys `rule`."""
        value = self._value(key, default)
        if value is default:
            return default
        if not isinstance(value, int) or isinstance(value, bool):
            self.fail(key, f"must be a whole number, not {_kind(value)}")
        return self.checked(key, value, rule)

    def identifier(self, key: str = "id") -> int | None:
        """An id that the file may give, None if it leaves it to the database."""
        number: int | None = self.number(key, None, rules.given_id)
        return number

    def flag(self, key: str, default: Any) -> Any:
        """true or false."""
        value = self._value(key, default)
        if value is not default and not isinstance(value, bool):
            self.fail(key, f"must be true or false, not {_kind(value)}")
        return value

    def is_absent(self) -> bool:
        """True if the file says `state: absent`: what it names is to go."""
        states = ("present", "absent")
        rule: Rule = lambda value: None if value in states else f"must be {' or '.join(states)}"  # noqa: E731
        return bool(self.text("state", "present", rule) == "absent")

    def items(self, key: str) -> list[Any]:
        """A list; empty if absent."""
        value = self._value(key, [])
        if not isinstance(value, list):
            self.fail(key, f"must be a list, not {_kind(value)}")
        return list(value)

    def numbers(self, key: str) -> tuple[int, ...]:
        """A list of ids."""
        values = self.items(key)
        for index, value in enumerate(values):
            self.checked(f"{key}[{index}]", value, rules.given_id)
        return tuple(values)

    def texts(self, key: str, rule: Rule = rules.text) -> tuple[str, ...]:
        """A list of texts that obey `rule`."""
        values = self.items(key)
        for index, value in enumerate(values):
            if not isinstance(value, str):
                self.fail(f"{key}[{index}]", f"must be a text, not {_kind(value)}; put it in quotes")
            self.checked(f"{key}[{index}]", value, rule)
        return tuple(values)

    def child(self, key: str) -> Node:
        """A mapping that must be there."""
        return Node(self._value(key, _MISSING), self.path(key))

    def children(self, key: str) -> list[Node]:
        """A list of mappings; empty if absent."""
        return [Node(item, self.path(f"{key}[{index}]")) for index, item in enumerate(self.items(key))]

    def finish(self) -> None:
        """Raises ApplyError for a key that was never asked for: a typo is not ignored."""
        for key in self._values:
            if key not in self._asked:
                self.fail(str(key), f"unknown key; known here are {', '.join(sorted(self._asked))}")

    def checked(self, key: str, value: Any, rule: Rule) -> Any:
        """The value, if `rule` finds no problem with it."""
        problem = rule(value)
        if problem:
            self.fail(key, problem)
        return value

    def _value(self, key: str, default: Any) -> Any:
        value = self.raw(key)
        if value is None:
            if default is _MISSING:
                self.fail(key, "is missing")
            return default
        return value


def refuse_repeated(nodes: list[Node], key: str, values: list[Any]) -> None:
    """Raises ApplyError at `key` of a node whose value (None aside) an earlier node has too."""
    seen: set[Any] = set()
    for node, value in zip(nodes, values, strict=True):
        if value is not None and value in seen:
            node.fail(key, f"[{value}] is listed twice")
        seen.add(value)


def load(text: str) -> Node:
    """The file's mapping. Raises ApplyError if it is not YAML, or says a key twice."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_repeated_keys(root, set())
        return Node(yaml.safe_load(text), "")
    except yaml.YAMLError as error:
        raise ApplyError(f"not YAML: {error}") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, ApplyError):
            raise
        raise ApplyError(f"not YAML that can be read: {error}") from error


def _refuse_repeated_keys(node: yaml.Node | None, seen: set[int]) -> None:
    if node is None or id(node) in seen or isinstance(node, yaml.ScalarNode):
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_repeated_keys(item, seen)
    elif isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys:
                    line = key.start_mark.line + 1
                    raise ApplyError(f"line {line}: the key {key.value} is there twice")
                keys.add(key.value)
            _refuse_repeated_keys(value, seen)


def _kind(value: Any) -> str:
    names = {dict: "a mapping", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value)) or f"{type(value).__name__} {value}"
