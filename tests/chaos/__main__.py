"""`make chaos`: rounds of faults on a lab of many hosts, with a seed that repeats them."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.chaos.rounds import Measure, Round
from tests.lab import start_lab


def main() -> int:
    """Run rounds; 0 if nothing was wrong after any."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of all chance [default: a new one, printed]")
    parser.add_argument("--rounds", type=int, default=5, help="each with 10 kills and 3 other faults")
    parser.add_argument("--hosts", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=60, help="after which no further round begins")
    options = parser.parse_args()
    seed = options.seed or random.SystemRandom().randrange(1, 10**6)
    print(f"CHAOS_SEED={seed} CHAOS_ROUNDS={options.rounds}: {options.hosts} hosts", flush=True)
    began, wrong, happened = time.monotonic(), list[str](), Counter[str]()

    def log(line: str) -> None:
        print(f"{time.monotonic() - began:7.1f} s {line}", flush=True)

    # Half of a lab's hosts are in business 1.
    with start_lab(2 * options.hosts) as lab, tempfile.TemporaryDirectory(prefix="chaos") as directory:
        for number in range(1, options.rounds + 1):
            if time.monotonic() > began + options.minutes * 60:
                log(f"{options.minutes:g} minutes are over")
                break
            chance = random.Random(seed * 1000 + number)
            one = Round(lab, Path(directory), number, chance, Measure(), log)
            found = one.run()
            happened += one.happened
            wrong += [f"round {number}: {line}" for line in found]
            log(f"round {number}: {len(found)} things wrong")
            for line in found:
                log(f"  {line}")
    log(f"seed {seed}: {sum(happened.values())} faults {dict(happened)}, {len(wrong)} things wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
