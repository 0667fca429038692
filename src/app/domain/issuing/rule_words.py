"""Rules in words, for whoever reads a list of them. Pure."""

from datetime import datetime

from app.domain.issuing.facts import Scope
from app.domain.issuing.rules import (
    CardTesting,
    ClosedCategories,
    ClosedCountries,
    Condition,
    DeclineStreak,
    NewCustomer,
    RiskScore,
    Rule,
    RuleMode,
    Stop,
    StopTarget,
    Velocity,
)
from app.money import readable

_HOUR, _DAY = 60, 24 * 60


def condition_in_words(condition: Condition) -> str:
    """Complete the sentence "this rule refuses …"."""
    match condition:
        case Stop(target, value):
            words = _stop(target, value)
        case ClosedCategories(group, categories):
            kinds = ", ".join(word.replace("_", " ") for word in categories)
            words = f"merchants of these kinds ({group.replace('_', '-')}): {kinds}"
        case ClosedCountries(countries):
            words = f"merchants in {', '.join(countries)}"
        case Velocity():
            words = _velocity(condition)
        case NewCustomer(for_days, window_days, amount):
            words = (
                f"what goes over {readable(amount)} of a customer within {_days(window_days)},"
                f" until {_days(for_days)} after the first purchase"
            )
        case DeclineStreak(minutes, declines):
            words = f"a card after {counted(declines, 'decline')} within {span(minutes)}"
        case CardTesting(minutes, probes):
            tries = counted(probes, "purchase")
            words = f"a card after {tries} of at most 1.00 within {span(minutes)}"
        case RiskScore(least):
            words = f"what the card network scores {least} or higher"
    return words


def life_in_words(rule: Rule, now: datetime) -> str:
    """Say whether a rule applies at a moment: "enforced", "in shadow", "ended", "not yet"."""
    if rule.effective_until is not None and rule.effective_until <= now:
        return "ended"
    if rule.effective_from > now:
        return "not yet"
    return "enforced" if rule.mode is RuleMode.ENFORCED else "in shadow"


def span(minutes: int) -> str:
    """Write minutes in the largest unit that holds them whole: "60 minutes" is "1 hour"."""
    for unit, length in (("day", _DAY), ("hour", _HOUR)):
        if minutes % length == 0:
            return counted(minutes // length, unit)
    return counted(minutes, "minute")


def counted(number: int, unit: str) -> str:
    """Write a number of things: "1 purchase", "2 purchases"."""
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


def _stop(target: StopTarget, value: str) -> str:
    match target:
        case StopTarget.ALL:
            words = "every purchase"
        case StopTarget.CUSTOMER:
            words = f"every purchase of the customer {value}"
        case StopTarget.CARD:
            words = f"every purchase with the card {value}"
        case StopTarget.MERCHANT if value.startswith("id:"):
            words = f"the merchant with the network's id {value.removeprefix('id:')}"
        case StopTarget.MERCHANT:
            words = f"merchants called “{value}”"
        case StopTarget.FUNDING:
            words = f"to charge linked cards that are {value}"
    return words


def _velocity(condition: Velocity) -> str:
    whose = "with a card" if condition.scope is Scope.CARD else "of a customer"
    most = []
    if condition.purchases is not None:
        most.append(counted(condition.purchases, "purchase"))
    if condition.amount_minor is not None:
        most.append(readable(condition.amount_minor))
    return f"what goes over {' or over '.join(most)} {whose} within {span(condition.minutes)}"


def _days(number: int) -> str:
    return counted(number, "day")
