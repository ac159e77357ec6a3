"""What a step run works with, whatever the step, and what it is told from outside while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from adapter.engine.given_files import Placing
from adapter.engine.preparation import Preparation
from adapter.engine.providing import Providing
from adapter.engine.warm import WarmAnsible
from adapter.job.model import StepInstance
from adapter.store.logs import LogStore


class HandedOver(BaseException):
    """Somebody else goes on with the step. Not an Exception: DBOS must not take it for the step's failure."""


class Order(Enum):
    """What is to become of a step that runs."""

    GO_ON = "go on"
    STOP = "stop"  #: its job is terminated
    LEAVE = "leave"  #: it is, or will be, somebody else's


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What an execution works with, whatever the step. `order` tells what is to become of a step."""

    preparation: Preparation
    placing: Placing
    providing: Providing
    logs: LogStore
    runtime: Path
    order: Callable[[StepInstance], Order]
    warm: WarmAnsible | None = None
