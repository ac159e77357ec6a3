"""Following a job or a host's log: readers that are asked again and again, and go on where they were.

They hold nothing between two reads but their place: no thread, no connection, no transaction.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from adapter import errors
from adapter.job.model import FileLog, HostChange, HostResult, JobInstance, Scope, StepInstance
from adapter.messages import say
from adapter.service.query import visible
from adapter.store.changes import Change, JobChanges, Place, after
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore

#: Changes in one batch, and bytes of a log: bounds what is in memory for one reader.
_CHANGES = 500
_LOG_BYTES = 64 * 1024


@dataclass(frozen=True)
class LogPart:
    """A piece of a host's log: whole characters, beginning at a byte's offset."""

    offset: int
    content: str


@dataclass(frozen=True)
class JobEnd:
    """The job has ended, and everything that changed has been told."""

    job: JobInstance


@dataclass(frozen=True)
class LogEnd:
    """The host has ended, and its whole log has been told: up to `offset`."""

    result: HostResult
    offset: int


What = JobInstance | StepInstance | HostChange | LogPart | FileLog | JobEnd | LogEnd


@dataclass(frozen=True)
class Event:
    """Something to tell. With an `id`: whoever comes back with it has heard everything up to here."""

    what: What
    id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one read found. `more`: read on at once; `ended`: there will never be more."""

    events: tuple[Event, ...] = ()
    more: bool = False
    ended: bool = False


class Follower(Protocol):
    """A reader of one thing for one client."""

    def read(self) -> Batch:
        """What is new since the last call; often nothing."""
        ...


class JobFollower:
    """The job, its steps and hosts in order of their changes; without `since`, from their whole present state."""

    def __init__(self, changes: JobChanges, job: JobInstance, since: int | None) -> None:
        self._changes = changes
        self._job = job
        self._known = -1 if since is None else since
        self._place: Place = after(self._known)
        self._upto: int | None = None  # how far this round goes
        self._told: frozenset[Place] = frozenset()
        self._begins = since is None

    def read(self) -> Batch:
        """The next changes, as they are now."""
        head: tuple[Change, ...] = ()
        if self._upto is None:
            upto = self._changes.last(self._job.id)
            if upto is None:
                return Batch(ended=True)
            if upto == self._known:
                return self._end() if self._job.status.is_finished else Batch()
            self._upto, self._place = upto, after(self._known)
            head = self._head()
        return self._next_page(head, self._upto)

    def _end(self) -> Batch:
        return Batch(events=(Event(JobEnd(self._job), self._known),), ended=True)

    def _head(self) -> tuple[Change, ...]:
        """The job and its steps, at the very beginning: whoever hears of a host knows its step."""
        if not self._begins:
            return ()
        self._begins = False
        head = self._changes.head(self._job.id)
        self._told = frozenset(change.place for change in head)
        return head

    def _next_page(self, head: tuple[Change, ...], upto: int) -> Batch:
        found = self._changes.page(self._job.id, self._place, upto, _CHANGES + 1)
        page, is_last = found[:_CHANGES], len(found) <= _CHANGES
        told = [*head, *(change for change in page if change.place not in self._told)]
        for change in told:
            self._job = change.job or self._job
        next_number = upto + 1 if is_last else found[-1].number
        events = list(_events(told, len(head), next_number))
        if is_last:
            self._known, self._upto, self._told = upto, None, frozenset()
            if events:
                events[-1] = replace(events[-1], id=upto)
        else:
            self._place = page[-1].place
        return Batch(events=tuple(events), more=not is_last or self._job.status.is_finished)


def _events(changes: list[Change], without_id: int, next_number: int) -> Iterable[Event]:
    """An id goes with the last change of a number: only then everything up to it has been told."""
    following = [*(change.number for change in changes[1:]), next_number]
    for position, (change, number) in enumerate(zip(changes, following, strict=False)):
        what = change.job or change.step or change.host
        assert what is not None
        yield Event(what, change.number if change.number < number and position >= without_id else None)


class LogFollower:
    """What a host prints, from a byte's offset on. Bytes that are no UTF-8 are told as U+FFFD."""

    def __init__(
        self, jobs: JobStore, logs: LogStore, step: StepInstance, bk_host_id: int, offset: int
    ) -> None:
        self._jobs = jobs
        self._logs = logs
        self._of = (step.id, step.execute_count, bk_host_id)
        self._offset = offset

    def _is_removed(self, result: HostResult) -> bool:
        step = self._jobs.step(self._of[0])
        removed = None if step is None else self._jobs.logs_removed_time(step.job_instance_id)
        return removed is not None and result.end_time is not None and result.end_time <= removed

    def read(self) -> Batch:
        """The next piece. A character whose bytes have not all come yet waits for the next one."""
        result = self._jobs.host(*self._of)  # first: a host that reads as ended has its whole log
        raw = self._logs.read(*self._of, self._offset, _LOG_BYTES)
        is_whole = result is None or (result.status.is_finished and len(raw) < _LOG_BYTES)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        content = decoder.decode(raw, final=is_whole)
        if not raw and self._offset == 0 and result is not None and self._is_removed(result):
            content = f"[{say('this log was removed for its age')}]\n"
        begin, self._offset = self._offset, self._offset + len(raw) - len(decoder.getstate()[0])
        events = [Event(LogPart(begin, content), self._offset)] if content else []
        if is_whole and result is not None:
            events.append(Event(LogEnd(result, self._offset), self._offset))
        return Batch(events=tuple(events), more=len(raw) == _LOG_BYTES, ended=is_whole)


class FileLogFollower:
    """Where the files of a host stand; each is told again whenever that has changed. Has no order to resume in."""

    def __init__(self, jobs: JobStore, logs: LogStore, step: StepInstance, bk_host_id: int) -> None:
        self._jobs = jobs
        self._logs = logs
        self._of = (step.id, step.execute_count)
        self._host_id = bk_host_id
        self._told: frozenset[FileLog] = frozenset()

    def read(self) -> Batch:
        """Entries that are new or have changed."""
        result = self._jobs.host(*self._of, self._host_id)
        entries = self._logs.file_logs(*self._of, (self._host_id,))
        events = [Event(entry) for entry in entries if entry not in self._told]
        self._told = frozenset(entries)
        ended = result is None or result.status.is_finished
        if ended and result is not None:
            events.append(Event(LogEnd(result, 0)))
        return Batch(events=tuple(events), ended=ended)


class Follow:
    """Finds what is to be followed; the errors are those of Query."""

    def __init__(self, jobs: JobStore, logs: LogStore, changes: JobChanges) -> None:
        self._jobs = jobs
        self._logs = logs
        self._changes = changes

    def job(self, scope: Scope, job_instance_id: int, since: int | None) -> JobFollower:
        """The job from a change's number on. Raises JobUnknown, MissingOrInvalid for a number it never had."""
        job = visible(self._jobs.get(job_instance_id), scope, job_instance_id)
        last = self._changes.last(job.id) or 0
        if since is not None and since > last:
            raise errors.MissingOrInvalid(
                "Last-Event-ID", say("this job has had {last} changes, not {since}", last=last, since=since)
            )
        return JobFollower(self._changes, job, since)

    def step(self, scope: Scope, step_instance_id: int, execute_count: int | None) -> StepInstance:
        """The step, as of that execution (the latest if None). Raises StepInstanceUnknown."""
        step = self._jobs.step(step_instance_id)
        if step is None:
            raise errors.StepInstanceUnknown(step_instance_id)
        try:
            visible(self._jobs.get(step.job_instance_id), scope, step.job_instance_id)
        except errors.JobUnknown:
            raise errors.StepInstanceUnknown(step_instance_id) from None
        return step if execute_count is None else replace(step, execute_count=execute_count)

    def log(self, step: StepInstance, bk_host_id: int, offset: int) -> Follower:
        """The host's log from an offset on; where its files stand, in a file step. Raises MissingOrInvalid."""
        result = self._jobs.host(step.id, step.execute_count, bk_host_id)
        if result is None:
            raise errors.MissingOrInvalid(
                "bk_host_id",
                say(
                    "host {id} is not in execution {count} of the step",
                    id=bk_host_id,
                    count=step.execute_count,
                ),
            )
        step = replace(step, execute_count=result.executed_in)  # of a host that was not run again
        if step.file is not None:
            return FileLogFollower(self._jobs, self._logs, step, bk_host_id)
        size = self._logs.size(step.id, step.execute_count, bk_host_id)
        if offset > size:
            raise errors.MissingOrInvalid(
                "Last-Event-ID", say("the log has {size} bytes, not {offset}", size=size, offset=offset)
            )
        return LogFollower(self._jobs, self._logs, step, bk_host_id, offset)
