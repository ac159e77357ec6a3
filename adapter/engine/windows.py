"""Scripts on Windows hosts are started at most once: nothing there remembers that one runs.

So the store does, before it starts. Who goes on with the step after a crash finds the host taken up, and leaves it.
"""

from __future__ import annotations

from collections.abc import Collection

from adapter.ansible.runner_events import HostEvent
from adapter.engine.board import HostBoard
from adapter.engine.recorder import Recorder
from adapter.job.status import HostStatus

_LOST = (
    "the service was interrupted after it had taken up this Windows host: what became of the script cannot be "
    "learned, and it is not started again"
)


def take_up(names: Collection[str], mine: set[str], board: HostBoard, recorder: Recorder) -> None:
    """Store that these hosts run, those that wait; end those that somebody else has taken up.

    `mine` are those that this execution of the step has taken up; it grows.
    """
    if not names:
        return
    recorder.take_recorded()
    for item in board.unfinished:
        name = item.host.name
        if name not in names or name in mine:
            continue
        was_taken_up = item.status is HostStatus.RUNNING
        recorder.apply(
            HostEvent(
                name=name,
                status=HostStatus.LOG_ERROR if was_taken_up else HostStatus.RUNNING,
                message=_LOST if was_taken_up else "",
            )
        )
        mine.add(name)
    recorder.flush()
