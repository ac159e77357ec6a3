"""`make chaos` in short: one round of two kills and one other fault over few hosts."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from tests.chaos.rounds import Measure, Round
from tests.e2e.conftest import Prepared
from tests.lab import Lab

SEED = int(os.environ.get("CHAOS_SEED") or 0) or random.SystemRandom().randrange(1, 10**6)
_SHORT = Measure(kills=2, others=1, long_seconds=5, pause=1, file_bytes=1_500_000, cut=6)


def test_a_round_of_faults_leaves_nothing_wrong(lab: Lab, prepared: Prepared, tmp_path: Path) -> None:
    """Every script ran once, every log is whole, every job ended truthfully, and the audit finds nothing."""
    began = time.monotonic()

    def log(line: str) -> None:
        print(f"{time.monotonic() - began:5.1f} s {line}")

    log(f"CHAOS_SEED={SEED}")
    found = Round(lab, tmp_path, 1, random.Random(SEED), _SHORT, log, prepared.started).run()
    log("ended")
    assert not found, f"CHAOS_SEED={SEED}\n" + "\n".join(found)
