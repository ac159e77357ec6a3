"""Do scripts on a host stand as the store says?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from adapter.ansible import runner_events
from adapter.audit.finding import Disagreement, Kind
from adapter.job.model import HostResult
from adapter.job.status import HostStatus

#: Ends that say themselves that the script may still run, or may have ended otherwise.
_MAY_RUN = (
    HostStatus.TIMEOUT,
    HostStatus.LOG_ERROR,
    HostStatus.TERMINATE_FAILED,
    HostStatus.AGENT_ABNORMAL,
    HostStatus.SKIPPED_UNKNOWN,
)
#: What a run directory can say of a script that has ended.
_ENDED = ("finished", "timeout", "terminated")


@dataclass(frozen=True, kw_only=True)
class RunOnHost:
    """One run directory of a host.

    `state` is what `look.sh` answers: collected, running, launching, lost, unstarted, or how the script ended.
    """

    step_instance_id: int
    execute_count: int
    state: str
    exit_code: int | None = None
    printed: int = 0  #: bytes
    sha256: str | None = None  #: of these; None if it is not known


def of_run(
    run: RunOnHost, result: HostResult | None, is_to_be_cleaned: bool, stored_sha256: Callable[[], str]
) -> Iterator[Disagreement]:
    """`result` is the stored one, None if the store knows none. `is_to_be_cleaned`: it counts as collected.

    `stored_sha256` tells the sum of the stored bytes that the host printed; asked for only if it can be compared.
    """
    if result is None:
        yield (
            Kind.RUN,
            f"step {run.step_instance_id}.{run.execute_count}: {run.state}; the store knows no such run",
        )
    elif run.state in ("running", "launching"):
        if result.status.is_finished and result.status not in _MAY_RUN:
            yield Kind.RUN, f"reads {_name(result.status)}, the script is {run.state} on the host"
    elif run.state == "collected":
        if not result.status.is_finished:
            yield Kind.RUN, f"is {_name(result.status)}, the run was removed from the host"
    elif run.state in _ENDED:
        yield from _of_ended(run, result, is_to_be_cleaned, stored_sha256)


def _of_ended(
    run: RunOnHost, result: HostResult, is_to_be_cleaned: bool, stored_sha256: Callable[[], str]
) -> Iterator[Disagreement]:
    if not result.status.is_finished:
        return  # to be collected; whether somebody is there to do it is a question about the job
    job = {"state": run.state, "exit_code": run.exit_code}
    said = runner_events.of_result(result.host.name, job, is_file=False)
    on_host = f"the host says {_name(said.status)}, exit code {run.exit_code}"
    if result.status in _MAY_RUN:
        yield Kind.RUN, f"reads {_name(result.status)}; {on_host}, and nobody has collected that"
        return
    if result.status is not said.status:
        yield Kind.STATE, f"reads {_name(result.status)}, {on_host}"
    if result.exit_code != run.exit_code:
        yield Kind.EXIT_CODE, f"reads exit code {result.exit_code}, {on_host}"
    if run.printed < result.log_bytes:  # what the script left behind may go on printing
        yield Kind.LOG, f"reads {result.log_bytes} bytes printed, the host has {run.printed}"
    elif run.sha256 is not None and run.printed == result.log_kept and run.sha256 != stored_sha256():
        yield Kind.LOG, f"the {run.printed} bytes that are stored are not those that the host has"
    if not is_to_be_cleaned:
        yield Kind.RUN, "counts as removed from the host and is still there"


def _name(status: HostStatus) -> str:
    return f"{status.name} ({status:d})"
