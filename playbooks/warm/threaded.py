# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's linear strategy with a worker process for many hosts instead of one for each (decision 16).

Ansible forks a process for every host of every task. Parent and child share memory until one of them writes to it,
which in Python is whoever looks at an object: some 3,500 pages are copied for each host, half of what a host
costs. Here a worker (a crew) has a thread for each of its hosts. What a run does and says stays the same.

Only connections that are known to bear it are threaded: others keep things of a host where all of a process sees
them (winrm has its Kerberos ticket in the environment), and have a process of their own as ever, as have tasks
with a timeout, which is a signal.
"""

from __future__ import annotations

import contextvars
import copy
import inspect
import math
import os
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from ansible import context
from ansible._internal._task import TaskContext
from ansible.errors import AnsibleError
from ansible.executor import task_queue_manager
from ansible.executor.process.worker import WorkerProcess
from ansible.plugins import loader as plugins
from ansible.plugins.strategy import linear

#: Connection plugins that keep nothing of one host where another's thread could find it.
_THREADED = frozenset({"ssh", "ansible.builtin.ssh", "local", "ansible.builtin.local"})
#: Hosts of a crew at most: more would wait for each other, as one thread of a process runs at a time.
_LARGEST = 25
#: Seconds between looks at results and at crews that have ended.
_LOOK = 0.005
#: What a worker process is made with.
_OF_WORKERS = {
    *("host", "task", "task_vars", "play_context", "worker_id"),
    *("final_q", "loader", "variable_manager", "shared_loader_obj", "cliargs"),
}


class Crew(WorkerProcess):  # type: ignore[misc]
    """A worker process for some hosts at once; `members` hold what WorkerProcess knows of its one host."""

    def __init__(self, members: list[dict[str, Any]], **common: Any) -> None:
        super().__init__(**members[0], **common)
        self._members = members

    def _run(self) -> None:
        _load_plugins_one_at_a_time()
        threads = []
        for member in self._members:
            run = contextvars.Context().run  # an empty one: what Ansible keeps there is each thread's own
            threads.append(threading.Thread(target=run, args=(self._run_member, member), daemon=True))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _run_member(self, member: dict[str, Any]) -> None:
        """As a worker does for its host, with its own copy of the task: running changes it."""
        try:
            worker = copy.copy(self)
            vars(worker).update({f"_{name}": value for name, value in member.items()})
            worker._task = member["task"].copy(exclude_parent=True, exclude_tasks=True)
            worker._task._parent = member["task"]._parent
            with _task_context(worker):
                WorkerProcess._run(worker)
        except BaseException:  # noqa: BLE001 whose host never answers: Ansible ends the run when a worker fails
            self._hard_exit(traceback.format_exc())


def _task_context(worker: WorkerProcess) -> Any:
    """What Ansible looks up the task by: ansible-core 2.21 also has the host and its variables there."""
    if hasattr(TaskContext, "create"):
        return TaskContext.create(task=worker._task, task_vars=worker._task_vars, host_name=worker._host.name)
    return TaskContext(worker._task)


class ThreadedLinear(linear.StrategyModule):  # type: ignore[misc]
    """Linear, with crews."""

    def __init__(self, tqm: Any) -> None:
        super().__init__(tqm)
        self._mustered: list[dict[str, Any]] = []  # hosts that wait for their crew to be full
        self._early: list[Any] = []  # results that came while a crew waited for its turn
        self._iterator: Any = None

    def run(self, iterator: Any, play_context: Any) -> int:
        """Ansible's entry."""
        self._iterator = iterator
        result: int = super().run(iterator, play_context)
        return result

    @property
    def _crew_size(self) -> int:
        """So many that all may be spoken to at once, and that every core has something to do."""
        return max(1, min(_LARGEST, math.ceil(len(self._workers) / (2 * len(os.sched_getaffinity(0))))))

    def _queue_task(self, host: Any, task: Any, task_vars: dict[str, Any], play_context: Any) -> None:
        if not _can_be_threaded(task, task_vars, play_context):
            self._slot_for(1)
            super()._queue_task(host, task, task_vars, play_context)
            return
        member = {"host": host, "task": task, "task_vars": task_vars, "play_context": play_context}
        self._queued_task_cache[(host.name, task._uuid)] = dict(member)
        self._tqm.send_callback("v2_runner_on_start", host, task)
        self._pending_results += 1
        self._mustered.append(member)
        if len(self._mustered) >= self._crew_size:
            self._start_crew()

    def _start_crew(self) -> None:
        slot = self._slot_for(len(self._mustered))
        members, self._mustered = self._mustered, []
        if slot is None:
            return
        if self._workers[slot] is not None:
            self._workers[slot].close()
        self._workers[slot] = crew = Crew(
            members,
            final_q=self._final_q,
            loader=self._loader,
            variable_manager=self._variable_manager,
            shared_loader_obj=plugins.get_plugin_loader_namespace(),
            worker_id=slot,
            cliargs=context.CLIARGS,
        )
        crew.start()

    def _slot_for(self, count: int) -> int | None:
        """A place among the workers for so many hosts, as soon as no more are spoken to than forks allow.

        Results are taken meanwhile, so that they are told of. None if the run is over instead. Raises AnsibleError
        once a worker was killed: its hosts never answer.
        """
        while not self._tqm._terminated:
            if self._tqm.has_dead_workers():
                raise AnsibleError("A worker was found in a dead state")
            slot = self._free_slot(count)
            if slot is not None:
                return slot
            self._early += super()._process_pending_results(self._iterator)
            time.sleep(_LOOK)
        return None

    def _free_slot(self, count: int) -> int | None:
        alive = [worker is not None and worker.is_alive() for worker in self._workers]
        crews = (worker for worker, is_alive in zip(self._workers, alive, strict=True) if is_alive)
        busy = sum(len(worker._members) if isinstance(worker, Crew) else 1 for worker in crews)
        return alive.index(False) if busy + count <= len(alive) else None

    def _process_pending_results(self, iterator: Any, **how: Any) -> list[Any]:
        early, self._early = self._early, []
        return early + super()._process_pending_results(iterator, **how)  # type: ignore[no-any-return]

    def _wait_on_pending_results(self, iterator: Any) -> list[Any]:
        if self._mustered:
            self._start_crew()
        return super()._wait_on_pending_results(iterator)  # type: ignore[no-any-return]


def _can_be_threaded(task: Any, task_vars: dict[str, Any], play_context: Any) -> bool:
    if task.timeout or task.delegate_to or task.throttle:
        return False
    return task_vars.get("ansible_connection", task.connection or play_context.connection) in _THREADED


_loading = threading.RLock()


def _load_plugins_one_at_a_time() -> None:
    """Ansible's loader shows a module to everybody before it is whole."""
    load: Callable[..., Any] = plugins.PluginLoader._load_module_source

    def guarded(self: Any, **which: Any) -> Any:
        with _loading:
            return load(self, **which)

    plugins.PluginLoader._load_module_source = guarded


class Strategies:
    """Ansible's loader of strategies, to which `linear` means ThreadedLinear.

    The module's own name for it has to stay: linear finds its parent class by it.
    """

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def get(self, name: str, tqm: Any) -> Any:
        """The strategy of a play, None if there is none of that name."""
        is_linear = self._loader.get(name, class_only=True) is linear.StrategyModule
        return ThreadedLinear(tqm) if is_linear else self._loader.get(name, tqm)


def install() -> bool:
    """From now on plays of this process and its forks that name no other strategy run with crews.

    False, and nothing is changed, if this ansible-core's workers are not as those of 2.19 to 2.21.
    """
    known = set(inspect.signature(WorkerProcess.__init__).parameters) - {"self"} == _OF_WORKERS
    has_context = hasattr(TaskContext, "create") or "task" in inspect.signature(TaskContext).parameters
    if known and has_context:
        task_queue_manager.strategy_loader = Strategies(plugins.strategy_loader)
    return known and has_context
