"""A plan's variables as a run of a script is given them: a file without secrets, and secrets by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from adapter.job import arrays
from adapter.job.model import HostResult, JobVariable
from adapter.job.status import VariableType
from adapter.job.variables import StepVariables

#: The inventory's name for what namespace variables are on one host.
NAMESPACE_VARIABLE = "job_namespace"
_ARRAYS = (VariableType.ASSOC_ARRAY, VariableType.INDEX_ARRAY)


@dataclass(frozen=True)
class ScriptVariables:
    """`text` is the file for adapter.job.script; `secrets` are what the run's secret socket answers."""

    text: str
    secrets: dict[str, str] = field(repr=False)

    @classmethod
    def of(cls, variables: StepVariables, script: str, last: Sequence[HostResult]) -> ScriptVariables:
        """All that a script is given; `last` are the hosts of the step before."""
        given = [_given(each) for each in variables.variables if each.type != VariableType.HOSTS]
        given += [
            {"name": name, "type": int(VariableType.STRING), "value": value}
            for name, value in variables.imports(script, last).items()
        ]
        content = {"variables": given, "capture": [each.name for each in variables.captured]}
        secrets = {_secret_name(name): value for name, value in variables.secrets.items()}
        return cls(json.dumps(content, ensure_ascii=False, indent=1), secrets)


def _given(variable: JobVariable) -> dict[str, Any]:
    about = {"name": variable.name, "type": int(variable.type)}
    if variable.type == VariableType.CIPHER:
        return {**about, "secret": _secret_name(variable.name)}
    if variable.type in _ARRAYS:
        return {**about, "items": arrays.parse(variable.value, VariableType(variable.type))}
    return {**about, "value": variable.value}


def _secret_name(name: str) -> str:
    return f"variable-{name}-value"  # whatever the name ends with, this is no key of an account
