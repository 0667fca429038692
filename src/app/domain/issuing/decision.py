"""Say yes or no to a purchase. Pure: everything it needs is in its arguments."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from app.domain.funding.pricing import MAXIMUM_CHARGE_MINOR
from app.domain.identity.states import CustomerState
from app.domain.issuing import rules as conditions
from app.domain.issuing.card_checks import active_dates, limits, lock, places, single_use
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.facts import PROBE_MINOR, Facts, SourceFacts
from app.domain.issuing.rules import Refusal, Rule, RuleMode, refusal_of, stopped_sources
from app.domain.issuing.states import CardState
from app.money import Currency


class Fund(msgspec.Struct, frozen=True):
    """Put the amount on the first linked card that takes it, then approve.

    `approved_minor` is what the merchant gets: less than was asked for where a limit left less.
    """

    amount_minor: int
    approved_minor: int
    currency: Currency
    stripe_customer_id: str
    sources: list[SourceFacts]


class ApproveWithoutFunding(msgspec.Struct, frozen=True):
    """Approve a check of the card that moves no money."""


class Decline(msgspec.Struct, frozen=True):
    reason: DeclineReason


Decision = Fund | ApproveWithoutFunding | Decline


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one check or rule said: `passed`, `refused`, `would refuse` in shadow, `let pass`."""

    check: str
    verdict: str
    reason: DeclineReason | None = None
    rule: UUID | None = None


class Decided(msgspec.Struct, frozen=True):
    """A decision with what every check said on the way to it, in order."""

    decision: Decision
    verdicts: list[Verdict]


Check = Callable[[Facts, Sequence[Rule]], Refusal | None]


def decide(facts: Facts, rules: Sequence[Rule]) -> Decided:
    """Run the checks in order; the first that refuses is the reason.

    Where the merchant takes less than it asks for and the refusing limit leaves room, what there
    is room for is decided instead.
    """
    in_force = [rule for rule in rules if rule.in_force(facts.at)]
    while True:
        verdicts = list(_run(facts, in_force))
        refused = next((v.reason for v, _ in verdicts if v.verdict == REFUSED), None)
        room = next((r.room_minor for v, r in verdicts if v.verdict == REFUSED and r), None)
        told = [verdict for verdict, _ in verdicts]
        if refused is None:
            return Decided(_approval(facts, in_force), told)
        if room is None or not facts.purchase.controllable:
            return Decided(Decline(refused), told)
        if room < max(PROBE_MINOR, facts.purchase.least_minor):
            return Decided(Decline(refused), told)
        smaller = msgspec.structs.replace(facts.purchase, amount_minor=room)
        facts = msgspec.structs.replace(facts, purchase=smaller)


PASSED, REFUSED, LET_PASS, WOULD_REFUSE = "passed", "refused", "let pass", "would refuse"


def _run(facts: Facts, rules: Sequence[Rule]) -> Iterator[tuple[Verdict, Refusal | None]]:
    """Say what each step finds, up to the first that refuses."""
    by_kind: defaultdict[type, list[Rule]] = defaultdict(list)
    for rule in rules:
        by_kind[type(rule.condition)].append(rule)
    for name, step in STEPS:
        if isinstance(step, type):
            found: list[tuple[Refusal | None, Rule | None]] = [
                (refusal_of(rule.condition, facts), rule) for rule in by_kind[step]
            ]
        else:
            found = [(step(facts, rules), None)]
        for refusal, by in found:
            verdict = _verdict(name, refusal, by, facts)
            yield verdict, refusal
            if verdict.verdict == REFUSED:
                return


def _verdict(name: str, refusal: Refusal | None, rule: Rule | None, facts: Facts) -> Verdict:
    rule_id = rule.id if rule else None
    if refusal is None:
        return Verdict(name, PASSED, rule=rule_id)
    if rule is not None and rule.mode is RuleMode.SHADOW:
        return Verdict(name, WOULD_REFUSE, refusal.reason, rule_id)
    may_pass = facts.allowed_once and EXPLANATIONS[refusal.reason].allow_once
    return Verdict(name, LET_PASS if may_pass else REFUSED, refusal.reason, rule_id)


def _approval(facts: Facts, rules: Sequence[Rule]) -> Decision:
    if facts.purchase.amount_minor == 0:
        return ApproveWithoutFunding()
    assert facts.card is not None
    assert facts.customer is not None
    assert facts.customer.stripe_customer_id is not None
    return Fund(
        facts.hold_minor,
        facts.purchase.amount_minor,
        facts.card.currency,
        facts.customer.stripe_customer_id,
        _usable(facts, rules),
    )


def _debt(facts: Facts, _: Sequence[Rule]) -> Refusal | None:
    since = facts.customer.in_debt_since if facts.customer else None
    if since is None or facts.purchase.amount_minor == 0:
        return None
    too_long = facts.at - since > timedelta(days=facts.debt_allowed_days)
    return Refusal(DeclineReason.OPEN_DEBT) if too_long else None


_CARD_REASONS = {
    CardState.INACTIVE: DeclineReason.CARD_INACTIVE,
    CardState.FROZEN: DeclineReason.CARD_FROZEN,
    CardState.CLOSED: DeclineReason.CARD_CLOSED,
}


def _identity(facts: Facts, _: Sequence[Rule]) -> Refusal | None:
    if facts.card is None or facts.customer is None:
        return Refusal(DeclineReason.UNKNOWN_CARD)
    if facts.card.state is not CardState.ACTIVE:
        return Refusal(_CARD_REASONS[facts.card.state])
    if facts.customer.state is not CustomerState.ACTIVE:
        return Refusal(DeclineReason.CUSTOMER_NOT_ACTIVE)
    return None


def _amount(facts: Facts, _: Sequence[Rule]) -> Refusal | None:
    card, purchase = facts.card, facts.purchase
    assert card is not None
    if purchase.currency != card.currency:
        return Refusal(DeclineReason.WRONG_CURRENCY)
    if purchase.amount_minor < 0:
        return Refusal(DeclineReason.REFUND_REQUEST)
    if facts.price is None:
        return Refusal(DeclineReason.NO_PRICE_PLAN)
    if facts.hold_minor > MAXIMUM_CHARGE_MINOR:
        return Refusal(DeclineReason.AMOUNT_OUT_OF_RANGE)
    return None


def _ourselves(facts: Facts, _: Sequence[Rule]) -> Refusal | None:
    own = facts.own_descriptor.casefold()
    if own and facts.purchase.merchant_name.strip().casefold().startswith(own):
        return Refusal(DeclineReason.OWN_DESCRIPTOR)
    return None


def _funding(facts: Facts, rules: Sequence[Rule]) -> Refusal | None:
    assert facts.customer is not None
    nothing_to_pay = facts.purchase.amount_minor == 0
    if nothing_to_pay:
        return None
    if not facts.sources or facts.customer.stripe_customer_id is None:
        return Refusal(DeclineReason.NO_FUNDING_SOURCE)
    if not _usable(facts, rules):
        return Refusal(DeclineReason.STOPPED_FUNDING)
    return None


def _usable(facts: Facts, rules: Sequence[Rule]) -> list[SourceFacts]:
    stopped = {source.id for source in stopped_sources(rules, facts.sources)}
    return [source for source in facts.sources if source.id not in stopped]


# In this order: who, how much, where, how much is left, how it looks, who pays. A kind of rule
# stands for all rules of it, oldest first.
STEPS: Sequence[tuple[str, Check | type]] = (
    ("card and customer", _identity),
    ("stops", conditions.Stop),
    ("open debt", _debt),
    ("amount and price", _amount),
    ("our own descriptor", _ourselves),
    ("active until", active_dates),
    ("single use", single_use),
    ("merchant lock", lock),
    ("categories and countries", places),
    ("closed categories", conditions.ClosedCategories),
    ("closed countries", conditions.ClosedCountries),
    ("limits", limits),
    ("velocity", conditions.Velocity),
    ("new customer", conditions.NewCustomer),
    ("decline streak", conditions.DeclineStreak),
    ("card testing", conditions.CardTesting),
    ("risk score", conditions.RiskScore),
    ("linked cards", _funding),
)
