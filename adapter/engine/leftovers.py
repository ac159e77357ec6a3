"""Ansible processes that an earlier attempt at a step left behind: a killed service leaves ansible-playbook, and
a killed ansible-playbook leaves its workers, which have sessions of their own.

They must end before the next attempt begins. Two that follow one host would both spool its log, and whoever
comes second would find the run removed from the host.
"""

from __future__ import annotations

from pathlib import Path

import structlog

from adapter.engine.processes import end_plays

log = structlog.get_logger(__name__)


def end_leftovers(private_data: Path) -> int:
    """Kill every ansible-playbook that works on this directory for a service; how many there were."""
    ended, stay = end_plays(private_data)
    if stay:
        log.warning("leftovers_stay", pids=stay)
    return ended
