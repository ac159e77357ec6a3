"""A plan's variables while its job runs: their values in each step, and in texts and shell scripts (contract g, h).

A step begins with what the job was launched with, and over that what scripts of earlier steps left: of a changeable
variable one value for the job, of a namespace variable a value for each host. An execution that is repeated begins
as the first did.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from adapter.job import arrays
from adapter.job.model import FileTask, Host, HostResult, JobInstance, JobVariable, StepInstance
from adapter.job.status import FileType, ScriptLanguage, StepType, VariableType

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_IMPORT = re.compile(r"^#\s+job_import\s+\{\{([A-Za-z0-9_]+)\}\}", re.MULTILINE)
_IN_TEXTS = (VariableType.STRING, VariableType.CIPHER)
_ARRAYS = (VariableType.ASSOC_ARRAY, VariableType.INDEX_ARRAY)
_LAST = "JOB_LAST_"
_NAMESPACE = "JOB_NAMESPACE_"

#: What a script left: a text, or an array's keys and values.
Captured = Mapping[str, Any]


def substitute(text: str, values: Mapping[str, str]) -> str:
    """Every `${NAME}` of `values` replaced, once; any other is kept as it is."""
    return _REFERENCE.sub(lambda found: values.get(found[1], found[0]), text)


def names_in(text: str) -> frozenset[str]:
    """The names that substitute() would look up."""
    return frozenset(_REFERENCE.findall(text))


def imported_names(content: str) -> tuple[str, ...]:
    """The names of a shell script's `# job_import {{NAME}}` lines, in order, each once."""
    return tuple(dict.fromkeys(_IMPORT.findall(content)))


def labels(hosts: Iterable[Host]) -> str:
    """Hosts as scripts are told of them: `cloud:ip,cloud:ip`."""
    return ",".join(host.label for host in hosts)


def is_captured(variable: JobVariable) -> bool:
    """True if the value at a script's end is taken over."""
    if variable.type == VariableType.NAMESPACE:
        return True
    return variable.changeable and variable.type in (VariableType.STRING, *_ARRAYS)


@dataclass(frozen=True, kw_only=True)
class CapturedValue:
    """A variable as one execution of a step left it, on a host; `bk_host_id` None: for the whole job.

    Of several hosts the one with the lowest `host_order`, its place among the step's targets, speaks for the job.
    """

    bk_host_id: int | None
    name: str
    value: str
    host_order: int = 0
    label: str = ""  #: `cloud:ip` of the host, where it is known


def taken_over(
    wanted: Collection[JobVariable], found: Captured, result: HostResult, order: int
) -> list[CapturedValue]:
    """What is kept of what a host's script left: of one that failed only what is the host's own.

    And only what was asked for: the host says what it likes.
    """
    values = []
    for variable in wanted:
        is_namespace = variable.type == VariableType.NAMESPACE
        value = _text_of(variable, found.get(variable.name))
        if value is not None and (is_namespace or result.exit_code == 0):
            values.append(
                CapturedValue(
                    bk_host_id=result.host.bk_host_id if is_namespace else None,
                    name=variable.name,
                    value=value,
                    host_order=order,
                )
            )
    return values


def _text_of(variable: JobVariable, found: object) -> str | None:
    if variable.type not in _ARRAYS:
        return found if isinstance(found, str) else None
    if not isinstance(found, list):
        return None
    if variable.type == VariableType.INDEX_ARRAY and not all(key.isdecimal() for key, _ in found):
        return None
    return arrays.literal(
        sorted(found, key=_place) if variable.type == VariableType.INDEX_ARRAY else sorted(found)
    )


def _place(pair: Sequence[str]) -> int:
    return int(pair[0])


@dataclass(frozen=True, kw_only=True)
class StepVariables:
    """The variables as one step has them.

    `hosts` are namespace variables of hosts that have values of their own, `labels` how scripts are told of these.
    """

    variables: tuple[JobVariable, ...]
    hosts: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    labels: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def after(cls, variables: Sequence[JobVariable], captured: Iterable[CapturedValue]) -> StepVariables:
        """With what was captured, in the order of steps and executions, over what the job was launched with."""
        shared: dict[str, str] = {}
        own: dict[int, dict[str, str]] = {}
        labels: dict[int, str] = {}
        for item in captured:
            if item.bk_host_id is None:
                shared[item.name] = item.value
            else:
                own.setdefault(item.bk_host_id, {})[item.name] = item.value
                labels[item.bk_host_id] = item.label
        return cls(
            variables=tuple(replace(each, value=shared.get(each.name, each.value)) for each in variables),
            hosts=own,
            labels=labels,
        )

    @property
    def captured(self) -> tuple[JobVariable, ...]:
        """Those whose values at a script's end are taken over."""
        return tuple(each for each in self.variables if is_captured(each))

    @property
    def secrets(self) -> dict[str, str]:
        """Values of cipher variables by name."""
        return {each.name: each.value for each in self.variables if each.type == VariableType.CIPHER}

    def text(self, text: str) -> str:
        """A script's parameter with `${NAME}` of strings and ciphers replaced."""
        return substitute(text, {each.name: each.value for each in self.variables if each.type in _IN_TEXTS})

    def path(self, text: str) -> str:
        """A path with `${NAME}` of strings replaced; a cipher stays unread."""
        strings = {each.name: each.value for each in self.variables if each.type == VariableType.STRING}
        return substitute(text, strings)

    def resolved(self, step: StepInstance) -> StepInstance:
        """The step with its texts as they are used; a parameter that is sensitive stays masked."""
        if step.file is not None:
            return replace(step, file=self._file(step.file))
        if step.script is None or step.script.param_sensitive:
            return step
        # A value's line breaks are a blank, as everywhere in a parameter.
        param = self.text(step.script.param).replace("\n", " ")
        return replace(step, script=replace(step.script, param=param))

    def _file(self, file: FileTask) -> FileTask:
        """An uploaded file's path is a name that was given out, whatever it looks like."""
        sources = tuple(
            source
            if source.file_type is FileType.LOCAL
            else replace(source, files=tuple(map(self.path, source.files)))
            for source in file.sources
        )
        return replace(file, target_path=self.path(file.target_path), sources=sources)

    def imports(self, content: str, last: Sequence[HostResult]) -> dict[str, str]:
        """What a shell script imports: host variables, and JOB's own; `last` are the hosts of the step before.

        A name that nobody knows is left out, as JOB does.
        """
        hosts = {each.name: each.value for each in self.variables if each.type == VariableType.HOSTS}
        found = {name: self._imported(name, hosts, last) for name in imported_names(content)}
        return {name: value for name, value in found.items() if value is not None}

    def _imported(self, name: str, hosts: Mapping[str, str], last: Sequence[HostResult]) -> str | None:
        if name in hosts:
            return hosts[name]
        if name == f"{_LAST}ALL":
            return labels(result.host for result in last)
        if name in (f"{_LAST}SUCCESS", f"{_LAST}FAIL"):
            is_success = name == f"{_LAST}SUCCESS"
            return labels(result.host for result in last if result.status.is_success is is_success)
        if name == f"{_NAMESPACE}ALL":
            names = [each.name for each in self.variables if each.type == VariableType.NAMESPACE]
            return _json({each: values for each in names if (values := self._namespace(each))})
        if name.startswith(_NAMESPACE):
            return _json(self._namespace(name.removeprefix(_NAMESPACE)))
        return None

    def _namespace(self, name: str) -> dict[str, str]:
        return {self.labels[host]: values[name] for host, values in self.hosts.items() if name in values}


def step_before(job: JobInstance, step: StepInstance) -> StepInstance | None:
    """The last step before that executes something; None for the first."""
    before = [each for each in job.steps if each.order < step.order and each.type != StepType.APPROVAL]
    return before[-1] if before else None


def has_variables(step: StepInstance) -> bool:
    """True for a step of a plan: a fast task has none of this, not even `${NAME}`."""
    return step.step_id > 0


def is_shell(step: StepInstance) -> bool:
    """True for a script that a shell runs."""
    return step.script is not None and step.script.language == ScriptLanguage.SHELL


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
