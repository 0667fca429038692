"""Rules, and what they did or would do, as lines of text for a terminal. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from app.domain.issuing.backtest import Changed, Example, Outcome
from app.domain.issuing.control_models import DecisionRule
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.rule_words import condition_in_words, life_in_words
from app.domain.issuing.rules import Rule
from app.domain.issuing.shadow import Report
from app.money import readable

TELL_EVERY = 5_000


def rule_line(row: DecisionRule, rule: Rule, now: datetime) -> str:
    """Write a rule in one line, its id first."""
    words = condition_in_words(rule.condition)
    return f"{row.id}  {life_in_words(rule, now):<9} {row.name}: refuses {words}"


def rule_lines(row: DecisionRule, rule: Rule, now: datetime) -> Iterator[str]:
    """Write all there is about a rule."""
    ends = row.effective_until
    yield f"{row.name} ({life_in_words(rule, now)})"
    yield f"  Id       {row.id}"
    yield f"  Kind     {row.kind}"
    yield f"  Refuses  {condition_in_words(rule.condition)}"
    yield f"  Mode     {row.mode}"
    yield f"  From     {row.effective_from:%Y-%m-%d %H:%M} UTC"
    yield f"  Until    {f'{ends:%Y-%m-%d %H:%M} UTC' if ends else 'it is ended'}"
    yield f"  Note     {row.note}"


def report_lines(told: Report) -> Iterator[str]:
    """Write what a rule has said so far."""
    yield f"  looked at {told.looked_at:,} requests, and let {told.passed:,} pass"
    yield (
        f"  in shadow: would have refused {_changed(told.would_refuse)} that was approved,"
        f" and {told.declined_anyway:,} that were declined anyway"
    )
    yield f"  in force: refused {told.refused:,}, and let {told.let_pass:,} pass once on a word"
    yield from _examples(told.examples)


def backtest_lines(outcome: Outcome, days: int) -> Iterator[str]:
    """Write what a rule would have changed."""
    yield (
        f"Over {days} days: {outcome.looked_at:,} requests, {outcome.approved:,} of them approved."
    )
    yield f"Approved -> declined: {_changed(outcome.total)}"
    for reason, changed in sorted(outcome.refused.items()):
        yield f"  {EXPLANATIONS[reason].short}: {_changed(changed)}"
    yield f"Approved for less:    {outcome.lessened:,}"
    yield f"To another card:      {outcome.moved:,}"
    if outcome.without_record:
        yield f"Not looked at:        {outcome.without_record:,} approved without a record"
    yield from _examples(outcome.examples)


def progress_line(done: int, count: int) -> str | None:
    """Write how far a long run is, now and then."""
    due = count > TELL_EVERY and done % TELL_EVERY == 0
    return f"{done:,} of {count:,} requests" if due else None


def _changed(changed: Changed) -> str:
    return (
        f"{changed.count:,} ({readable(changed.amount_minor)} in all,"
        f" our fee {readable(changed.fee_minor)})"
    )


def _examples(examples: Iterable[Example]) -> Iterator[str]:
    for one in examples:
        yield (
            f"  {one.at:%Y-%m-%d %H:%M} {one.authorization} {readable(one.approved_minor)}"
            f" at {one.merchant_name}: {EXPLANATIONS[one.reason].short}"
        )
