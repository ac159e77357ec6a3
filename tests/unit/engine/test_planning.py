"""What a planned run is, where there is one."""

from __future__ import annotations

import pytest

from adapter.engine.planning import Planning
from adapter.errors import AccountUnknown
from adapter.job.model import Approval, ScriptTask, StepInstance
from adapter.job.status import StepType

from .conftest import ONE, Bench


def test_a_step_that_waits_for_somebody_has_no_run(bench: Bench) -> None:
    """Ansible has no part in it."""
    step = StepInstance(name="sign", type=StepType.APPROVAL, approval=Approval(message="go on?"))
    assert Planning(bench.preparation()).plan(step, ()) is None


def test_an_account_that_went_meanwhile_is_unknown(bench: Bench) -> None:
    """As if it had not been there when the launch looked it up."""
    step = StepInstance(script=ScriptTask(language=1, content="true", account_id=7), create_time=1)
    with pytest.raises(AccountUnknown, match="ID=7"):
        Planning(bench.preparation()).plan(step, [ONE])
