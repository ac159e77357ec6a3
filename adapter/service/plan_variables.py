"""The variables of a plan as one launch has them, and what they make of its steps (contract c, f8, g, h)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from adapter import errors
from adapter.job.commands import VariableValue
from adapter.job.model import JobVariable, Server
from adapter.job.plan import GlobalVariable
from adapter.job.status import ScriptLanguage, VariableType
from adapter.job.variables import imported_names, is_used_by_shell, names_in, substitute, with_variables

_TO_COME = {
    VariableType.NAMESPACE: "namespace",
    VariableType.ASSOC_ARRAY: "associative array",
    VariableType.INDEX_ARRAY: "array",
}
_BUILT_IN = "JOB_"  #: JOB_LAST_ALL, JOB_NAMESPACE_<name> and their like


@dataclass(frozen=True, kw_only=True)
class PlanVariables:
    """Values by name. A fast task has none of them.

    Cipher values only ever go into a script's parameter, which makes it sensitive and so encrypted: in a
    path or a script they would be stored in clear, so a plan that wants them there is refused.
    """

    strings: Mapping[str, str] = field(default_factory=dict)
    ciphers: Mapping[str, str] = field(default_factory=dict, repr=False)
    servers: Mapping[str, Server] = field(default_factory=dict)

    @classmethod
    def of(cls, variables: Iterable[GlobalVariable], given: Iterable[VariableValue] = ()) -> PlanVariables:
        """A plan's variables with the values a request gives, by id, else by name; unknown ones are ignored.

        Raises NotSupported for a variable of a type that is not built yet, used or not.
        """
        current = _overridden(tuple(variables), given)
        for variable in current:
            if variable.type in _TO_COME:
                raise errors.NotSupported(
                    f"variable [{variable.name}] of type {int(variable.type)} ({_TO_COME[variable.type]}); "
                    "take it out of the plan"
                )
        return cls(
            strings={one.name: one.value for one in current if one.type == VariableType.STRING},
            ciphers={one.name: one.value for one in current if one.type == VariableType.CIPHER},
            servers={one.name: one.server or Server() for one in current if one.type == VariableType.HOSTS},
        )

    @property
    def told(self) -> tuple[JobVariable, ...]:
        """What may be told of them afterwards: strings, in the plan's order."""
        return tuple(
            JobVariable(name=name, type=VariableType.STRING, value=value)
            for name, value in self.strings.items()
        )

    def param(self, text: str) -> tuple[str, bool]:
        """The parameter with `${NAME}` replaced, and whether that put a secret into it."""
        is_secret = not names_in(text).isdisjoint(self.ciphers)
        return substitute(text, {**self.strings, **self.ciphers}), is_secret

    def path(self, text: str) -> str:
        """The path with `${NAME}` replaced. Raises NotSupported for a cipher variable."""
        for name in sorted(names_in(text).intersection(self.ciphers)):
            raise errors.NotSupported(f"cipher variable [{name}] in the path {text}; use a string variable")
        return substitute(text, self.strings)

    def script(self, content: str, language: int) -> str:
        """The script with the string variables before it, if it is a shell script.

        Raises NotSupported for a cipher variable, a host variable or one of JOB's own that it wants to read.
        """
        if language != ScriptLanguage.SHELL:
            return content
        for name in self.ciphers:
            if is_used_by_shell(content, name):
                raise errors.NotSupported(
                    f"cipher variable [{name}] in a script; write ${{{name}}} into the step's script_param"
                )
        for name in imported_names(content):
            if name in self.servers or name.startswith(_BUILT_IN):
                raise errors.NotSupported(f"job_import of [{name}]; only string variables can be imported")
        return with_variables(content, language, self.strings)

    def server(self, server: Server) -> Server:
        """The server itself, or what its host variable lists. Raises HostVariableMissing."""
        if not server.variable:
            return server
        if server.variable not in self.servers:
            raise errors.HostVariableMissing(server.variable)
        return replace(self.servers[server.variable], variable=None)


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
