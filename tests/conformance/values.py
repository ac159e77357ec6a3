"""Values of rows: `${name}` stands for what the profile or a step before has, `!b64 text` is in base64."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_NAME = re.compile(r"\$\{([a-z_0-9]+)\}")


class Unknown(Exception):
    """A row names a value that neither the profile nor a step before has."""


@dataclass(frozen=True)
class Base64:
    """Text that is sent in base64."""

    text: str


class Loader(yaml.SafeLoader):
    """YAML with `!b64`."""


def _base64(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Base64:
    return Base64(str(loader.construct_scalar(node)))


Loader.add_constructor("!b64", _base64)


def load(path: Path) -> Any:
    """A file of rows."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)


def filled(value: Any, known: Mapping[str, Any]) -> Any:
    """The value with every name replaced; one that stands alone keeps its type. Raises Unknown."""
    if isinstance(value, Base64):
        return base64.b64encode(str(filled(value.text, known)).encode()).decode()
    if isinstance(value, dict):
        return {key: filled(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, known) for item in value]
    if not isinstance(value, str):
        return value
    alone = _NAME.fullmatch(value)
    if alone:
        return _of(alone[1], known)
    return _NAME.sub(lambda match: str(_of(match[1], known)), value)


def _of(name: str, known: Mapping[str, Any]) -> Any:
    if name not in known:
        raise Unknown(f"nothing is known as ${{{name}}}")
    return known[name]


def at(value: Any, path: str) -> Any:
    """What is at a path like `data.step_list.0.id`; None if nothing is."""
    for part in path.split("."):
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict):
            value = value.get(part)
        else:
            return None
    return value
