"""What Ansible would be given to run a step: for who wants to see it before it happens (plan_only)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapter.ansible.text import to_yaml
from adapter.engine.preparation import STEP_PLAYBOOK, AccountGone, Preparation
from adapter.errors import AccountUnknown
from adapter.job.commands import PlannedRun
from adapter.job.model import Host, StepInstance
from adapter.job.variables import StepVariables


@dataclass(frozen=True)
class Planning:
    """Answers with the very texts that PrivateData writes."""

    preparation: Preparation

    def plan(
        self, step: StepInstance, targets: Sequence[Host], variables: StepVariables | None = None
    ) -> PlannedRun | None:
        """The run of a step that is not stored; None for one that is neither a script nor files."""
        if step.script is None and step.file is None:
            return None
        try:
            run = self.preparation.planned_input(step, targets, variables)
        except AccountGone as error:  # since it was looked up
            raise AccountUnknown(str(error)) from error
        return PlannedRun(inventory=run.inventory.whole, playbook=to_yaml(run.playbooks[STEP_PLAYBOOK]))
