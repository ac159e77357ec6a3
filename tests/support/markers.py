"""Secrets that are looked for afterwards, in each form in which they could have got somewhere."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus


def forms(secret: str) -> dict[str, bytes]:
    """The secret's bytes as they are, in base64 at any place of a longer text, in a URL, in JSON, in hex."""
    raw = secret.encode()
    found = {
        "plain": raw,
        "in hex": raw.hex().encode(),
        "in a URL": quote(secret, safe="").encode(),
        "in a form": quote_plus(secret).encode(),
        "in JSON": json.dumps(secret)[1:-1].encode(),
        "in JSON of any letters": json.dumps(secret, ensure_ascii=False)[1:-1].encode(),
        "in Python": repr(secret)[1:-1].encode(),
        "in a shell": shlex.quote(secret)[1:-1].encode(),
    }
    for shift in range(3):
        # Characters that also depend on what stands before and after are left out.
        text = base64.b64encode(b"\0" * shift + raw)
        found[f"in base64, shifted by {shift}"] = text[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
    return found


def words_of(secrets: Mapping[str, str]) -> dict[str, bytes]:
    """Every form of each secret by a name to tell it by."""
    return {
        f"{name} {form}": word for name, secret in secrets.items() for form, word in forms(secret).items()
    }


def cores_of(secrets: Mapping[str, str]) -> dict[str, bytes]:
    """Of each secret a part of letters and digits, if one is long: it stays as it is however often it is quoted."""
    longest = {name: max(re.findall("[A-Za-z0-9]+", secret), key=len) for name, secret in secrets.items()}
    return {f"{name} in part": part.encode() for name, part in longest.items() if len(part) >= 12}


def found_in(content: bytes, words: Mapping[str, bytes]) -> list[str]:
    """The names of those words that are in it."""
    return [name for name, word in words.items() if word in content]


def files_with(directory: Path, words: Mapping[str, bytes]) -> list[str]:
    """Which words are in which files."""
    return [
        f"{name} is in {path}"
        for path in directory.rglob("*")
        if path.is_file() and not path.is_symlink()
        for name in found_in(path.read_bytes(), words)
    ]
