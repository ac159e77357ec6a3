# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells how runs of scripts stand on a host, and changes nothing there: for `adapter audit --hosts`.

    - adapter.job.look:
        installation: a1b2      # whose runs
        user: root              # whom the scripts ran as

The result holds `runs`: step_instance_id, execute_count, state, exit_code, printed (bytes), sha256 (or None).
"""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.adapter.job.plugins.plugin_utils.exchange import Exchange, NoAnswer


class ActionModule(ActionBase):  # type: ignore[misc]
    """One look at one host."""

    _requires_connection = True
    _supports_check_mode = True
    _VALID_ARGS = frozenset({"installation", "user"})

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ansible's entry."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        host_id = (task_vars or {}).get("bk_host_id", 0)
        args = self._task.args
        try:
            answer = Exchange(self, "runs.sh", "look.sh")("look", args["installation"], args["user"], host_id)
        except NoAnswer as error:
            return {**result, "failed": True, "msg": str(error)}
        if answer.state != "ok":
            return {**result, "failed": True, "msg": answer.detail}
        return {**result, "runs": [_run(line) for line in answer.output.decode().splitlines()]}


def _run(line: str) -> dict[str, Any]:
    step, count, state, code, printed, sha256 = line.split(" ")
    return {
        "step_instance_id": int(step),
        "execute_count": int(count),
        "state": state,
        "exit_code": None if code == "-" else int(code),
        "printed": int(printed),
        "sha256": None if sha256 == "-" else sha256,
    }
