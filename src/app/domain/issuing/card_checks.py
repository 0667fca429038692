"""What a card's own settings say to a purchase. Pure."""

from collections.abc import Sequence

from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.facts import PROBE_MINOR, Facts
from app.domain.issuing.merchant_names import merchant_key, same_merchant
from app.domain.issuing.rules import Refusal, Rule


def active_dates(facts: Facts, _: Sequence[Rule]) -> Refusal | None:
    assert facts.card is not None
    until = facts.card.active_until
    if until is not None and facts.at >= until:
        return Refusal(DeclineReason.OUTSIDE_ACTIVE_DATES)
    return None


def single_use(facts: Facts, _: Sequence[Rule]) -> Refusal | None:
    assert facts.card is not None
    if facts.card.single_use and facts.usage.card_purchases > 0:
        return Refusal(DeclineReason.SINGLE_USE_SPENT)
    return None


def lock(facts: Facts, _: Sequence[Rule]) -> Refusal | None:
    """Keep a card at its merchant: the one it was locked to, or the first it was used at.

    A merchant has several ids and spellings, so its name may show that it is the same.
    """
    card, asked = facts.card, facts.purchase
    assert card is not None
    if card.merchant_lock is not None:
        held = card.merchant_lock == asked.merchant_network_id
        return None if held else Refusal(DeclineReason.LOCKED_TO_MERCHANT)
    first = facts.usage.first_merchant
    if not card.lock_to_first_merchant or first is None or asked.amount_minor <= PROBE_MINOR:
        return None
    same_id = first.network_id is not None and first.network_id == asked.merchant_network_id
    if same_id or same_merchant(merchant_key(first.name), merchant_key(asked.merchant_name)):
        return None
    return Refusal(DeclineReason.LOCKED_TO_MERCHANT)


def places(facts: Facts, _: Sequence[Rule]) -> Refusal | None:
    card, asked = facts.card, facts.purchase
    assert card is not None
    if not _allows(card.allowed_categories, card.blocked_categories, asked.merchant_category):
        return Refusal(DeclineReason.CATEGORY_NOT_ALLOWED)
    if not _allows(card.allowed_countries, card.blocked_countries, asked.merchant_country):
        return Refusal(DeclineReason.COUNTRY_NOT_ALLOWED)
    return None


def _allows(allowed: Sequence[str], blocked: Sequence[str], value: str | None) -> bool:
    return value not in blocked and (not allowed or value in allowed)


def limits(facts: Facts, _: Sequence[Rule]) -> Refusal | None:
    """Find the first limit that the amount goes over, and how much room it leaves."""
    card, customer, usage = facts.card, facts.customer, facts.usage
    assert card is not None
    assert customer is not None
    amount = facts.purchase.amount_minor
    if amount == 0:
        return None
    a_purchase = card.purchase_limit_minor
    rooms = (
        (
            DeclineReason.OVER_PURCHASE_LIMIT,
            amount if a_purchase is None else a_purchase - facts.approved_before_minor,
        ),
        (DeclineReason.OVER_DAILY_LIMIT, card.daily_limit_minor - usage.card_day_minor),
        (DeclineReason.OVER_MONTHLY_LIMIT, card.monthly_limit_minor - usage.card_month_minor),
        (
            DeclineReason.OVER_EXPOSURE_LIMIT,
            customer.exposure_limit_minor - usage.customer_open_minor,
        ),
    )
    return next((Refusal(reason, room) for reason, room in rooms if amount > room), None)
