"""What people wrote for the document: descriptions of fields, and of each API a summary and an example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_DIRECTORY = Path(__file__).parent / "texts"


@dataclass(frozen=True, kw_only=True)
class Text:
    """What is written of an API."""

    summary: str
    example: Mapping[str, Any]  #: a request that is carried out, without scope and credentials
    file: str  #: where it is written


@dataclass(frozen=True, kw_only=True)
class Texts:
    """All of it. Descriptions are looked up by `dialect.Schema.field`, `Schema.field`, `dialect.field`, `field`."""

    fields: Mapping[str, str]
    apis: Mapping[str, Mapping[str, Text]]  #: by dialect and name

    def key(self, dialect: str, schema: str, name: str) -> str | None:
        """Where the most particular description of a field stands, None if there is none."""
        keys = (f"{dialect}.{schema}.{name}", f"{schema}.{name}", f"{dialect}.{name}", name)
        return next((key for key in keys if key in self.fields), None)

    def api(self, dialect: str, name: str) -> Text:
        """What is written of an API; of one that nobody has written of, its name."""
        return self.apis.get(dialect, {}).get(name) or Text(summary=name, example={}, file="")


@cache
def texts() -> Texts:
    """Reads the files of `texts/`. Raises ValueError for an API that two of them have."""
    fields: dict[str, str] = {}
    apis: dict[str, dict[str, Text]] = {}
    for path in sorted(_DIRECTORY.glob("*.yml")):
        loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or {}
        if path.stem.startswith("fields"):
            _add(fields, {str(key): " ".join(text.split()) for key, text in loaded.items()}, path)
            continue
        for dialect, named in loaded.items():
            found = {
                name: Text(summary=said["summary"], example=said.get("example") or {}, file=path.name)
                for name, said in named.items()
            }
            _add(apis.setdefault(dialect, {}), found, path)
    return Texts(fields=fields, apis=apis)


def _add(known: dict[str, Any], new: Mapping[str, Any], path: Path) -> None:
    if twice := known.keys() & new.keys():
        raise ValueError(f"{path.name}: {', '.join(sorted(twice))} stand in another file as well")
    known |= new
