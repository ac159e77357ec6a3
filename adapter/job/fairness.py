"""Which waiting jobs begin next: no business keeps the others from running."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

from adapter.job.model import Scope


def fair_choice(
    waiting: Mapping[Scope, Sequence[int]], running: Mapping[Scope, int], room: int, per_scope: int
) -> list[int]:
    """At most `room` ids of `waiting`: each time of the scope that has the fewest running, then the oldest.

    `waiting` holds the ids of each scope, oldest first; `per_scope` is the most that one scope may have running.
    """
    turns = [(running.get(scope, 0), ids[0], 0, scope) for scope, ids in waiting.items() if ids]
    heapq.heapify(turns)
    chosen: list[int] = []
    while turns and len(chosen) < room:
        has, job_id, position, scope = heapq.heappop(turns)
        if has >= per_scope:
            break  # nobody has fewer
        chosen.append(job_id)
        rest = waiting[scope]
        if position + 1 < len(rest):
            heapq.heappush(turns, (has + 1, rest[position + 1], position + 1, scope))
    return chosen


def share_of_one_scope(max_running_jobs: int, workers: int) -> int:
    """Three quarters of what all workers together may run: some of it is always free for another business."""
    return max(1, max_running_jobs * max(1, workers) * 3 // 4)
