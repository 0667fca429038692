"""Rules that staff set, as data: what each refuses, and what it must know to. Pure.

A rule in shadow is evaluated and recorded, and refuses nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.facts import Facts, Scope, SourceFacts
from app.domain.issuing.merchant_names import matches


class RuleMode(StrEnum):
    SHADOW = "shadow"
    ENFORCED = "enforced"


class StopTarget(StrEnum):
    """What a stop stops."""

    ALL = "all"
    CUSTOMER = "customer"
    CARD = "card"
    MERCHANT = "merchant"
    FUNDING = "funding"


class CategoryGroup(StrEnum):
    """Why categories are closed."""

    CASH = "cash"
    QUASI_CASH = "quasi_cash"
    GAMBLING = "gambling"
    OTHER = "other"


class Stop(msgspec.Struct, frozen=True, tag_field="kind", tag="stop"):
    """Refuse everything, or all of one customer, card, merchant, or kind of linked card.

    `value` is our id of a customer or card; a merchant's name, with `*` for anything, or
    `id:` and the network's id of it; a linked card's `brand/funding/country`, each perhaps `*`.
    """

    target: StopTarget
    value: str = ""


class ClosedCategories(msgspec.Struct, frozen=True, tag_field="kind", tag="closed_categories"):
    """Refuse merchants of some categories, in Stripe's words."""

    group: CategoryGroup
    categories: list[str]


class ClosedCountries(msgspec.Struct, frozen=True, tag_field="kind", tag="closed_countries"):
    """Refuse merchants in some countries, by their two letters."""

    countries: list[str]


class Velocity(msgspec.Struct, frozen=True, tag_field="kind", tag="velocity"):
    """Refuse what goes over a number of purchases, or a sum of them, within so many minutes."""

    scope: Scope
    minutes: int
    purchases: int | None = None
    amount_minor: int | None = None


class NewCustomer(msgspec.Struct, frozen=True, tag_field="kind", tag="new_customer"):
    """Refuse what goes over a sum within a rolling window, while the first purchase is recent."""

    for_days: int
    window_days: int
    amount_minor: int


class DeclineStreak(msgspec.Struct, frozen=True, tag_field="kind", tag="decline_streak"):
    """Refuse a card after so many declines within so many minutes."""

    minutes: int
    declines: int


class CardTesting(msgspec.Struct, frozen=True, tag_field="kind", tag="card_testing"):
    """Refuse a card after so many probes within so many minutes: somebody may be trying it out."""

    minutes: int
    probes: int


class RiskScore(msgspec.Struct, frozen=True, tag_field="kind", tag="risk_score"):
    """Refuse what the network scores this high or higher, from 0 to 99."""

    at_least: int


Condition = (
    Stop
    | ClosedCategories
    | ClosedCountries
    | Velocity
    | NewCustomer
    | DeclineStreak
    | CardTesting
    | RiskScore
)


class Rule(msgspec.Struct, frozen=True):
    """A condition with a life: from when, until when, and whether it refuses or only watches."""

    id: UUID
    mode: RuleMode
    effective_from: datetime
    effective_until: datetime | None
    condition: Condition

    def in_force(self, at: datetime) -> bool:
        ended = self.effective_until is not None and self.effective_until <= at
        return self.effective_from <= at and not ended


class Refusal(msgspec.Struct, frozen=True):
    """Why a purchase is refused; `room_minor` is what would have passed, where less would."""

    reason: DeclineReason
    room_minor: int | None = None


class Window(msgspec.Struct, frozen=True):
    """What a rule must have counted."""

    scope: Scope
    minutes: int


def windows_of(rules: Sequence[Rule]) -> list[Window]:
    """Give every window that some rule looks at, once each."""
    found: dict[Window, None] = {}
    for rule in rules:
        match rule.condition:
            case Velocity(scope, minutes):
                found[Window(scope, minutes)] = None
            case NewCustomer(_, days):
                found[Window(Scope.CUSTOMER, _minutes(days))] = None
            case DeclineStreak(minutes) | CardTesting(minutes):
                found[Window(Scope.CARD, minutes)] = None
            case _:
                pass
    return list(found)


def refusal_of(condition: Condition, facts: Facts) -> Refusal | None:
    """Tell whether, and why, a condition refuses a purchase."""
    return _REFUSES[type(condition)](condition, facts)


def stopped_sources(rules: Sequence[Rule], sources: Sequence[SourceFacts]) -> Iterator[SourceFacts]:
    """Give the linked cards that an enforced stop keeps from paying."""
    stops = [
        rule.condition.value
        for rule in rules
        if isinstance(rule.condition, Stop)
        and rule.condition.target is StopTarget.FUNDING
        and rule.mode is RuleMode.ENFORCED
    ]
    return (source for source in sources if any(_is_kind(stop, source) for stop in stops))


def _is_kind(value: str, source: SourceFacts) -> bool:
    parts = (source.brand, source.funding, source.country or "")
    return all(map(matches, value.split("/"), parts))


_STOPPED = {
    StopTarget.ALL: DeclineReason.STOPPED_ALL,
    StopTarget.CUSTOMER: DeclineReason.STOPPED_CUSTOMER,
    StopTarget.CARD: DeclineReason.STOPPED_CARD,
    StopTarget.MERCHANT: DeclineReason.BLOCKED_MERCHANT,
    StopTarget.FUNDING: DeclineReason.STOPPED_FUNDING,
}
_CLOSED = {
    CategoryGroup.CASH: DeclineReason.CASH_NOT_ALLOWED,
    CategoryGroup.QUASI_CASH: DeclineReason.QUASI_CASH_NOT_ALLOWED,
    CategoryGroup.GAMBLING: DeclineReason.GAMBLING_NOT_ALLOWED,
    CategoryGroup.OTHER: DeclineReason.CATEGORY_CLOSED,
}


def _stop(condition: Stop, facts: Facts) -> Refusal | None:
    assert facts.card is not None
    assert facts.customer is not None
    value = condition.value
    match condition.target:
        case StopTarget.ALL:
            hit = True
        case StopTarget.CUSTOMER:
            hit = value == str(facts.customer.id)
        case StopTarget.CARD:
            hit = value == str(facts.card.id)
        case StopTarget.MERCHANT:
            hit = _is_merchant(value, facts)
        case StopTarget.FUNDING:
            # While another linked card is left, `stopped_sources` takes out what it stops.
            charges = facts.purchase.amount_minor > 0 and bool(facts.sources)
            hit = charges and all(_is_kind(value, source) for source in facts.sources)
    return Refusal(_STOPPED[condition.target]) if hit else None


def _is_merchant(value: str, facts: Facts) -> bool:
    if value.startswith("id:"):
        return value.removeprefix("id:") == facts.purchase.merchant_network_id
    return matches(value, facts.purchase.merchant_name)


def _closed_categories(condition: ClosedCategories, facts: Facts) -> Refusal | None:
    if facts.purchase.merchant_category in condition.categories:
        return Refusal(_CLOSED[condition.group])
    return None


def _closed_countries(condition: ClosedCountries, facts: Facts) -> Refusal | None:
    if facts.purchase.merchant_country in condition.countries:
        return Refusal(DeclineReason.COUNTRY_CLOSED)
    return None


def _velocity(condition: Velocity, facts: Facts) -> Refusal | None:
    used = facts.window(condition.scope, condition.minutes)
    if used is None or facts.purchase.amount_minor == 0:
        return None
    on_card = condition.scope is Scope.CARD
    another = facts.approved_before_minor == 0
    if condition.purchases is not None and another and used.purchases >= condition.purchases:
        return Refusal(
            DeclineReason.CARD_TOO_OFTEN if on_card else DeclineReason.CUSTOMER_TOO_OFTEN
        )
    if condition.amount_minor is not None:
        reason = DeclineReason.CARD_TOO_MUCH if on_card else DeclineReason.CUSTOMER_TOO_MUCH
        return _over(reason, condition.amount_minor - used.amount_minor, facts)
    return None


def _new_customer(condition: NewCustomer, facts: Facts) -> Refusal | None:
    first = facts.usage.first_purchase_at
    used = facts.window(Scope.CUSTOMER, _minutes(condition.window_days))
    if used is None or (first and facts.at - first >= timedelta(days=condition.for_days)):
        return None
    room = condition.amount_minor - used.amount_minor
    return _over(DeclineReason.NEW_CUSTOMER_LIMIT, room, facts)


def _decline_streak(condition: DeclineStreak, facts: Facts) -> Refusal | None:
    used = facts.window(Scope.CARD, condition.minutes)
    if used is not None and used.declines >= condition.declines:
        return Refusal(DeclineReason.TOO_MANY_DECLINES)
    return None


def _card_testing(condition: CardTesting, facts: Facts) -> Refusal | None:
    used = facts.window(Scope.CARD, condition.minutes)
    if used is not None and used.probes >= condition.probes:
        return Refusal(DeclineReason.SUSPECTED_CARD_TESTING)
    return None


def _risk_score(condition: RiskScore, facts: Facts) -> Refusal | None:
    score = facts.purchase.risk_score
    if score is not None and score >= condition.at_least:
        return Refusal(DeclineReason.RISK_SCORE_TOO_HIGH)
    return None


def _over(reason: DeclineReason, room_minor: int, facts: Facts) -> Refusal | None:
    return Refusal(reason, room_minor) if facts.purchase.amount_minor > room_minor else None


def _minutes(days: int) -> int:
    return days * 24 * 60


_REFUSES: Mapping[type, Callable[[Any, Facts], Refusal | None]] = {
    Stop: _stop,
    ClosedCategories: _closed_categories,
    ClosedCountries: _closed_countries,
    Velocity: _velocity,
    NewCustomer: _new_customer,
    DeclineStreak: _decline_streak,
    CardTesting: _card_testing,
    RiskScore: _risk_score,
}
