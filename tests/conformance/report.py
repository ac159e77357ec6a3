"""What a run of the kit prints: what failed and why, counts by section, and rules of the contract without a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.conformance.playing import Outcome

_VERDICTS = ("passed", "failed", "not run")


def report(outcomes: Sequence[Outcome], contract: Mapping[str, Sequence[str]]) -> str:
    """All of it as text."""
    lines = [*_details(outcomes), "", *_sections(outcomes), "", *_uncovered(outcomes, contract), ""]
    counts = Counter(outcome.verdict for outcome in outcomes)
    said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _VERDICTS)
    return "\n".join([*lines, f"{len(outcomes)} rows: {said}"])


def has_failed(outcomes: Iterable[Outcome]) -> bool:
    """True if any row did."""
    return any(outcome.verdict == "failed" for outcome in outcomes)


def _details(outcomes: Iterable[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.verdict != "passed":
            yield f"{outcome.verdict}: {outcome.row.section}: {outcome.row.name} ({outcome.row.file})"
            if outcome.verdict == "failed":
                yield f"    the contract says: {outcome.row.says}"
            yield from (f"    {reason}" for reason in outcome.reasons)


def _sections(outcomes: Iterable[Outcome]) -> Iterator[str]:
    counts: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        counts.setdefault(outcome.row.section, Counter())[outcome.verdict] += 1
    yield f"{'section':<32}" + "".join(f"{verdict:>9}" for verdict in _VERDICTS)
    for section, found in counts.items():
        yield f"{section:<32}" + "".join(f"{found[verdict]:>9}" for verdict in _VERDICTS)


def _uncovered(outcomes: Iterable[Outcome], contract: Mapping[str, Sequence[str]]) -> Iterator[str]:
    covered = {(outcome.row.section, rule) for outcome in outcomes for rule in outcome.row.rules}
    total = sum(map(len, contract.values()))
    there = sum((section, rule) in covered for section, rules in contract.items() for rule in rules)
    yield f"rules of the contract with a row: {there} of {total}; without one:"
    for section, rules in contract.items():
        left = [rule for rule in rules if (section, rule) not in covered]
        if left:
            yield f"  {section}: {len(left)} of {len(rules)}"
            yield from (f"    - {rule}" for rule in left)
