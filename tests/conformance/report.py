"""What a run of the kit prints: what failed and why, counts by section, and rules of the contract without a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from tests.conformance.playing import Outcome
from tests.conformance.rows import Rule

_VERDICTS = ("passed", "failed", "not run")


def report(
    outcomes: Sequence[Outcome], contract: Mapping[str, Sequence[str]], not_over_http: Mapping[Rule, str]
) -> str:
    """All of it as text."""
    lines = [
        *_details(outcomes),
        "",
        *_sections(outcomes),
        "",
        *_uncovered(outcomes, contract, not_over_http),
    ]
    counts = Counter(outcome.verdict for outcome in outcomes)
    said = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _VERDICTS)
    return "\n".join([*lines, "", f"{len(outcomes)} rows: {said}"])


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


def _uncovered(
    outcomes: Iterable[Outcome], contract: Mapping[str, Sequence[str]], not_over_http: Mapping[Rule, str]
) -> Iterator[str]:
    covered = {rule for outcome in outcomes for rule in outcome.row.rules}
    rules = [(section, rule) for section, found in contract.items() for rule in found]
    left = [rule for rule in rules if rule not in covered]
    other = [rule for rule in left if rule in not_over_http]
    yield f"rules of the contract with a row: {len(rules) - len(left)} of {len(rules)}"
    yield f"which no request shows: {len(other)}"
    yield from _by_section(other, lambda rule: f" ({not_over_http[rule]})")
    bare = [rule for rule in left if rule not in not_over_http]
    yield f"without a row: {len(bare)}"
    yield from _by_section(bare, lambda _: "")


def _by_section(rules: Sequence[Rule], why: Callable[[Rule], str]) -> Iterator[str]:
    for section in dict.fromkeys(section for section, _ in rules):
        yield f"  {section}"
        yield from (f"    - {rule[1]}{why(rule)}" for rule in rules if rule[0] == section)
