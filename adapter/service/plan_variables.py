"""The variables of a plan as one launch has them, and what can be said of its steps by them (contract c, f8, g, h).

A step's texts are stored as the plan has them: scripts may change variables while the job runs, so a step reads
them when it begins (adapter.job.variables). What will not do, whatever they become, is refused here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from adapter import errors
from adapter.job.arrays import NotAnArray, parse
from adapter.job.commands import VariableValue
from adapter.job.model import Host, JobVariable, Server
from adapter.job.plan import GlobalVariable
from adapter.job.status import ScriptLanguage, VariableType
from adapter.job.variables import imported_names, is_captured, labels, names_in, substitute
from adapter.messages import say

_ARRAYS = (VariableType.ASSOC_ARRAY, VariableType.INDEX_ARRAY)


@dataclass(frozen=True, kw_only=True)
class PlanVariables:
    """A plan's variables, by name and in its order. A fast task has none of them."""

    variables: Mapping[str, JobVariable] = field(default_factory=dict)
    servers: Mapping[str, Server] = field(default_factory=dict)

    @classmethod
    def of(cls, variables: Iterable[GlobalVariable], given: Iterable[VariableValue] = ()) -> PlanVariables:
        """A plan's variables with the values a request gives, by id, else by name; unknown ones are ignored.

        Raises InvalidParameter for an array's value that is none.
        """
        current = _overridden(tuple(variables), given)
        for variable in current:
            _require_array(variable)
        return cls(
            variables={
                one.name: JobVariable(
                    name=one.name,
                    type=one.type,
                    value="" if one.type == VariableType.HOSTS else one.value,
                    changeable=one.changeable,
                )
                for one in current
            },
            servers={one.name: one.server or Server() for one in current if one.type == VariableType.HOSTS},
        )

    def for_job(
        self, scripts: Iterable[str], resolve: Callable[[Server], tuple[Host, ...]]
    ) -> tuple[JobVariable, ...]:
        """What is stored with the job. The hosts of a host variable that a script imports are looked up, once."""
        imported = {name for script in scripts for name in imported_names(script)}
        return tuple(
            replace(variable, value=labels(_valid(resolve(self.servers[name]))))
            if name in imported and name in self.servers and not self.servers[name].is_empty
            else variable
            for name, variable in self.variables.items()
        )

    def is_secret(self, param: str) -> bool:
        """True if the parameter reads a cipher variable."""
        return not names_in(param).isdisjoint(self._of(VariableType.CIPHER))

    def path(self, text: str) -> str | None:
        """The path as it will be; None if a script may change what is in it. Raises NotSupported for a cipher."""
        used = names_in(text)
        for name in sorted(used.intersection(self._of(VariableType.CIPHER))):
            raise errors.NotSupported(
                say(
                    "cipher variable [{name}] in the path {path}; use a string variable", name=name, path=text
                )
            )
        strings = self._of(VariableType.STRING)
        if any(is_captured(strings[name]) for name in used.intersection(strings)):
            return None
        return substitute(text, {name: variable.value for name, variable in strings.items()})

    def server(self, server: Server) -> Server:
        """The server itself, or what its host variable lists. Raises HostVariableMissing."""
        if not server.variable:
            return server
        if server.variable not in self.servers:
            raise errors.HostVariableMissing(server.variable)
        return replace(self.servers[server.variable], variable=None)

    def _of(self, type_: VariableType) -> dict[str, JobVariable]:
        return {name: variable for name, variable in self.variables.items() if variable.type == type_}


def reads_variables(language: int) -> bool:
    """True for a script that is given variables, and whose imports count."""
    return language == ScriptLanguage.SHELL


def _valid(hosts: tuple[Host, ...]) -> tuple[Host, ...]:
    return tuple(host for host in hosts if not host.is_invalid)


def _require_array(variable: GlobalVariable) -> None:
    if variable.type not in _ARRAYS:
        return
    try:
        parse(variable.value, variable.type)
    except NotAnArray as error:
        reason = say("variable [{name}]: {reason}", name=variable.name, reason=error.reason)
        raise errors.InvalidParameter("global_var.value", reason) from error


def _overridden(
    variables: tuple[GlobalVariable, ...], given: Iterable[VariableValue]
) -> tuple[GlobalVariable, ...]:
    current = {variable.id: variable for variable in variables}
    ids = {variable.name: variable.id for variable in variables}
    for value in given:
        id_ = value.id if value.id is not None else ids.get(value.name or "")
        if id_ in current:
            # An empty value with hosts is the hosts; neither of them empties the variable (contract c).
            has_hosts = not value.value and value.server is not None and not value.server.is_empty
            current[id_] = replace(
                current[id_], value=value.value or "", server=value.server if has_hosts else None
            )
    return tuple(current.values())
