#!/usr/bin/env python3
"""Stands in for PowerShell on a host that Ansible takes for one of Windows: there is none on this machine.

It understands what Ansible's `script` action sends, and nothing of PowerShell's language but `& 'file' 'word' …`.
The file is run by `sh`, whatever its name. What it was told goes into `log`, beside it, a JSON object a line.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

#: Where a Windows host would have its temporary directory; here these are names of files.
_TEMPORARY = "C:\\temp dir\\ansible-tmp-1"
_WORD = re.compile("'((?:[^']|'')*)'")


def main() -> int:
    data = sys.stdin.buffer.read().decode()
    manifests = [json.loads(part) for part in data.split("\n\0\0\0\0\n") if part.strip()]
    for manifest in manifests:
        for name, script in (manifest.get("scripts") or {}).items():
            if name.startswith("ansible.builtin.script."):
                return _run(base64.b64decode(script["script"]).decode())
    if "mkdtemp" in data:
        print(_TEMPORARY)
        return 0
    _note({"removes": "Remove-Item" in _command()})
    for path in Path.cwd().glob(f"{_TEMPORARY}*"):
        path.unlink()
    return 0


def _command() -> str:
    return base64.b64decode(sys.argv[sys.argv.index("-EncodedCommand") + 1]).decode("utf-16-le")


def _run(text: str) -> int:
    words = [word.replace("''", "'") for word in _WORD.findall(text)]
    at = next(number for number, word in enumerate(words) if word.startswith(_TEMPORARY))
    content = Path(words[at]).read_bytes()
    _note(
        {
            "text": text,
            "program": words[:at],
            "name": words[at],
            "arguments": words[at + 1 :],
            "content": base64.b64encode(content).decode(),
        }
    )
    program = content.decode("utf-8-sig").replace("\r\n", "\n")
    return subprocess.run(["sh", "-c", program, "sh", *words[at + 1 :]], check=False).returncode


def _note(what: dict[str, Any]) -> None:
    with Path(__file__).with_name("log").open("a") as file:
        file.write(json.dumps(what) + "\n")


if __name__ == "__main__":
    sys.exit(main())
