"""Say yes or no to a purchase. Pure: everything it needs is in its arguments."""

from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec

from app.domain.funding.pricing import MAXIMUM_CHARGE_MINOR, Price
from app.domain.identity.states import CustomerState
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.states import CardState
from app.money import Currency


class CardFacts(msgspec.Struct, frozen=True):
    """A card's state and controls. Limits in minor units."""

    state: CardState
    currency: Currency
    daily_limit_minor: int
    monthly_limit_minor: int
    purchase_limit_minor: int | None
    allowed_categories: list[str]
    blocked_categories: list[str]
    allowed_countries: list[str]
    blocked_countries: list[str]
    merchant_lock: str | None
    single_use: bool


class CustomerFacts(msgspec.Struct, frozen=True):
    state: CustomerState
    exposure_limit_minor: int
    stripe_customer_id: str | None


class SourceFacts(msgspec.Struct, frozen=True):
    """A linked card that may pay, in the order it is tried."""

    id: UUID
    stripe_payment_method_id: str
    brand: str
    last4: str


class Usage(msgspec.Struct, frozen=True):
    """What other requests use of the limits, reservations included, in minor units."""

    card_day_minor: int
    card_month_minor: int
    customer_open_minor: int
    # Approved purchases of more than nothing with this card, on other authorizations.
    card_purchases: int


class Purchase(msgspec.Struct, frozen=True):
    """What the merchant asks for. The amount is what comes on top of anything approved before."""

    amount_minor: int
    currency: str
    merchant_name: str
    merchant_category: str
    merchant_country: str | None
    merchant_network_id: str | None


class Facts(msgspec.Struct, frozen=True):
    """All a decision may look at."""

    purchase: Purchase
    card: CardFacts | None
    customer: CustomerFacts | None
    sources: list[SourceFacts]
    price: Price | None
    usage: Usage
    # On the same authorization, before this request: approved, in minor units.
    approved_before_minor: int
    own_descriptor: str

    @property
    def hold_minor(self) -> int:
        assert self.price is not None
        return self.price.hold_for(self.approved_before_minor, self.purchase.amount_minor)


class Fund(msgspec.Struct, frozen=True):
    """Put the amount on the first linked card that takes it, then approve."""

    amount_minor: int
    currency: Currency
    stripe_customer_id: str
    sources: list[SourceFacts]


class ApproveWithoutFunding(msgspec.Struct, frozen=True):
    """Approve a check of the card that moves no money."""


class Decline(msgspec.Struct, frozen=True):
    reason: DeclineReason


Decision = Fund | ApproveWithoutFunding | Decline
Check = Callable[[Facts], DeclineReason | None]

_CARD_REASONS = {
    CardState.INACTIVE: DeclineReason.CARD_INACTIVE,
    CardState.FROZEN: DeclineReason.CARD_FROZEN,
    CardState.CLOSED: DeclineReason.CARD_CLOSED,
}


def decide(facts: Facts) -> Decision:
    """Run the checks in order; the first that refuses is the reason."""
    for check in CHECKS:
        reason = check(facts)
        if reason is not None:
            return Decline(reason)
    if facts.purchase.amount_minor == 0:
        return ApproveWithoutFunding()
    assert facts.card is not None
    assert facts.customer is not None
    assert facts.customer.stripe_customer_id is not None
    customer = facts.customer.stripe_customer_id
    return Fund(facts.hold_minor, facts.card.currency, customer, facts.sources)


def _identity(facts: Facts) -> DeclineReason | None:
    if facts.card is None or facts.customer is None:
        return DeclineReason.UNKNOWN_CARD
    if facts.card.state is not CardState.ACTIVE:
        return _CARD_REASONS[facts.card.state]
    if facts.customer.state is not CustomerState.ACTIVE:
        return DeclineReason.CUSTOMER_NOT_ACTIVE
    return None


def _amount(facts: Facts) -> DeclineReason | None:
    card, purchase = facts.card, facts.purchase
    assert card is not None
    if purchase.currency != card.currency:
        return DeclineReason.WRONG_CURRENCY
    if purchase.amount_minor < 0:
        return DeclineReason.REFUND_REQUEST
    if facts.price is None:
        return DeclineReason.NO_PRICE_PLAN
    if facts.hold_minor > MAXIMUM_CHARGE_MINOR:
        return DeclineReason.AMOUNT_OUT_OF_RANGE
    return None


def _merchant(facts: Facts) -> DeclineReason | None:
    card, purchase = facts.card, facts.purchase
    assert card is not None
    own = facts.own_descriptor.casefold()
    if own and purchase.merchant_name.strip().casefold().startswith(own):
        return DeclineReason.OWN_DESCRIPTOR
    if card.single_use and facts.usage.card_purchases > 0:
        return DeclineReason.SINGLE_USE_SPENT
    if card.merchant_lock is not None and card.merchant_lock != purchase.merchant_network_id:
        return DeclineReason.LOCKED_TO_MERCHANT
    if not _allows(card.allowed_categories, card.blocked_categories, purchase.merchant_category):
        return DeclineReason.CATEGORY_NOT_ALLOWED
    if not _allows(card.allowed_countries, card.blocked_countries, purchase.merchant_country):
        return DeclineReason.COUNTRY_NOT_ALLOWED
    return None


def _allows(allowed: Sequence[str], blocked: Sequence[str], value: str | None) -> bool:
    return value not in blocked and (not allowed or value in allowed)


def _limits(facts: Facts) -> DeclineReason | None:
    card, customer, usage = facts.card, facts.customer, facts.usage
    assert card is not None
    assert customer is not None
    amount = facts.purchase.amount_minor
    if amount == 0:
        return None
    if card.purchase_limit_minor is not None:
        total = facts.approved_before_minor + amount
        if total > card.purchase_limit_minor:
            return DeclineReason.OVER_PURCHASE_LIMIT
    if usage.card_day_minor + amount > card.daily_limit_minor:
        return DeclineReason.OVER_DAILY_LIMIT
    if usage.card_month_minor + amount > card.monthly_limit_minor:
        return DeclineReason.OVER_MONTHLY_LIMIT
    if usage.customer_open_minor + amount > customer.exposure_limit_minor:
        return DeclineReason.OVER_EXPOSURE_LIMIT
    return None


def _funding(facts: Facts) -> DeclineReason | None:
    assert facts.customer is not None
    nothing_to_pay = facts.purchase.amount_minor == 0
    if nothing_to_pay:
        return None
    if not facts.sources or facts.customer.stripe_customer_id is None:
        return DeclineReason.NO_FUNDING_SOURCE
    return None


# In this order: who, how much, where, how much is left, who pays.
CHECKS: Sequence[Check] = (_identity, _amount, _merchant, _limits, _funding)
