"""Is a host's end in the store the one that its plugin recorded and that Ansible told of?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapter.ansible.runner_events import HostEvent
from adapter.audit.finding import Disagreement, Kind
from adapter.job.model import HostResult, StepInstance
from adapter.job.status import HostStatus, RunStatus

#: Ends that the service itself gives a host of which nobody has said anything.
_WITHOUT_A_WORD = frozenset(
    {
        HostStatus.INVALID_HOST,
        HostStatus.NO_AGENT,
        HostStatus.LAST_SUCCESS,
        HostStatus.TIMEOUT,
        HostStatus.FILE_TIMEOUT,
        HostStatus.TASK_ERROR,
        HostStatus.TERMINATED,
        HostStatus.TERMINATE_FAILED,
        HostStatus.SKIPPED_UNKNOWN,
    }
)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the artifacts say of a host's end."""

    recorded: HostEvent | None = None  #: what the action plugin made durable
    told: Sequence[HostEvent] = ()  #: ends in Ansible's events, of all attempts, in order


def is_of_another_attempt(result: HostResult, evidence: Evidence) -> bool:
    """True if the record is not what the store was written from: another node may have gone on with the job."""
    recorded = evidence.recorded
    if recorded is None or recorded.end_time is None:
        return False
    return result.end_time != max(result.start_time or 0, recorded.end_time)


def of_end(step: StepInstance, result: HostResult, evidence: Evidence) -> Iterator[Disagreement]:
    """Compares what is known of a host that has finished in the store."""
    recorded = evidence.recorded
    for event in evidence.told:
        if event.is_answer and recorded is None:
            yield Kind.STATE, f"Ansible told {_words(event)}, and no result is recorded"
        elif event.is_answer and recorded is not None and _end(event) != _end(recorded):
            yield Kind.STATE, f"Ansible told {_words(event)}, the plugin recorded {_words(recorded)}"
    if recorded is not None:
        yield from _of_record(step, result, recorded)
    elif not _is_the_services_own(step, result) and result.status not in {
        item.status for item in evidence.told
    }:
        told = " and ".join(_words(event) for event in evidence.told) or "nothing"
        yield Kind.STATE, f"reads {_name(result.status)}, Ansible's events tell {told}"


def _of_record(step: StepInstance, result: HostResult, recorded: HostEvent) -> Iterator[Disagreement]:
    if result.status is not recorded.status:
        yield Kind.STATE, f"reads {_name(result.status)}, the plugin recorded {_words(recorded)}"
    if result.exit_code != recorded.exit_code:
        yield Kind.EXIT_CODE, f"reads exit code {result.exit_code}, the plugin recorded {recorded.exit_code}"
    if step.script is not None and result.log_bytes != (recorded.log_bytes or 0):
        yield Kind.LOG, f"reads {result.log_bytes} bytes printed, the plugin recorded {recorded.log_bytes}"
    if is_of_another_attempt(result, Evidence(recorded=recorded)):
        yield Kind.TIME, f"ended at {result.end_time}, the plugin recorded {recorded.end_time}"


def _is_the_services_own(step: StepInstance, result: HostResult) -> bool:
    """True for an end that needs nobody's word; a step that broke off ends its hosts LOG_ERROR."""
    if step.status is RunStatus.ABNORMAL and result.status is HostStatus.LOG_ERROR:
        return True
    return result.status in _WITHOUT_A_WORD


def _end(event: HostEvent) -> tuple[object, ...]:
    return event.status, event.exit_code, event.end_time


def _words(event: HostEvent) -> str:
    return f"{_name(event.status)}, exit code {event.exit_code}"


def _name(status: HostStatus) -> str:
    return f"{status.name} ({status:d})"
