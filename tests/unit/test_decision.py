"""The checks of a decision, as a staircase: each row adds one more thing wrong."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.funding.pricing import MAXIMUM_CHARGE_MINOR, Price
from app.domain.identity.states import CustomerState
from app.domain.issuing.decision import (
    ApproveWithoutFunding,
    CardFacts,
    CustomerFacts,
    Decline,
    Facts,
    Fund,
    Purchase,
    SourceFacts,
    Usage,
    decide,
)
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.states import CardState
from app.money import Currency

SOURCE = SourceFacts(UUID(int=1), "pm_1", "visa", "4242")
CARD = CardFacts(
    state=CardState.ACTIVE,
    currency=Currency.USD,
    daily_limit_minor=100_000,
    monthly_limit_minor=500_000,
    purchase_limit_minor=None,
    allowed_categories=[],
    blocked_categories=[],
    allowed_countries=[],
    blocked_countries=[],
    merchant_lock=None,
    single_use=False,
)
GOOD = Facts(
    purchase=Purchase(1999, "usd", "Blue Bottle", "fast_food_restaurants", "US", "123"),
    card=CARD,
    customer=CustomerFacts(CustomerState.ACTIVE, 500_000, "cus_1"),
    sources=[SOURCE],
    price=Price(500, 50),
    usage=Usage(0, 0, 0, 0),
    approved_before_minor=0,
    own_descriptor="PROXYCARD",
)

# Each step keeps what was wrong before it and adds something that is checked earlier.
STAIRCASE: list[tuple[str, dict[str, Any], DeclineReason]] = [
    ("sources", {"sources": []}, DeclineReason.NO_FUNDING_SOURCE),
    ("usage", {"customer_open_minor": 498_002}, DeclineReason.OVER_EXPOSURE_LIMIT),
    ("usage", {"card_month_minor": 498_002}, DeclineReason.OVER_MONTHLY_LIMIT),
    ("usage", {"card_day_minor": 98_002}, DeclineReason.OVER_DAILY_LIMIT),
    ("card", {"purchase_limit_minor": 1998}, DeclineReason.OVER_PURCHASE_LIMIT),
    ("card", {"blocked_countries": ["US"]}, DeclineReason.COUNTRY_NOT_ALLOWED),
    ("card", {"allowed_categories": ["bakeries"]}, DeclineReason.CATEGORY_NOT_ALLOWED),
    ("card", {"merchant_lock": "456"}, DeclineReason.LOCKED_TO_MERCHANT),
    ("usage", {"card_purchases": 1}, DeclineReason.LOCKED_TO_MERCHANT),
    ("card", {"single_use": True}, DeclineReason.SINGLE_USE_SPENT),
    ("purchase", {"merchant_name": "ProxyCard* coffee"}, DeclineReason.OWN_DESCRIPTOR),
    ("facts", {"price": None}, DeclineReason.NO_PRICE_PLAN),
    ("purchase", {"amount_minor": -1}, DeclineReason.REFUND_REQUEST),
    ("purchase", {"currency": "eur"}, DeclineReason.WRONG_CURRENCY),
    ("customer", {"state": CustomerState.FROZEN}, DeclineReason.CUSTOMER_NOT_ACTIVE),
    ("card", {"state": CardState.FROZEN}, DeclineReason.CARD_FROZEN),
    ("card", {"state": CardState.CLOSED}, DeclineReason.CARD_CLOSED),
    ("card", {"state": CardState.INACTIVE}, DeclineReason.CARD_INACTIVE),
    ("facts", {"card": None}, DeclineReason.UNKNOWN_CARD),
]


def changed(facts: Facts, part: str, change: dict[str, Any]) -> Facts:
    if part in ("facts", "sources"):
        return msgspec.structs.replace(facts, **change)
    inner = msgspec.structs.replace(getattr(facts, part), **change)
    return msgspec.structs.replace(facts, **{part: inner})


def climb() -> list[tuple[Facts, DeclineReason]]:
    facts, rows = GOOD, []
    for part, change, reason in STAIRCASE:
        facts = changed(facts, part, change)
        rows.append((facts, reason))
    return rows


@pytest.mark.parametrize(("facts", "reason"), climb())
def test_the_first_reason_that_applies_is_given(facts: Facts, reason: DeclineReason) -> None:
    assert decide(facts) == Decline(reason)


def test_a_good_purchase_is_funded_with_the_fee_on_it() -> None:
    assert decide(GOOD) == Fund(2149, Currency.USD, "cus_1", [SOURCE])


def test_a_check_of_the_card_is_approved_without_funding() -> None:
    free = changed(GOOD, "purchase", {"amount_minor": 0})

    assert decide(changed(free, "sources", {"sources": []})) == ApproveWithoutFunding()


def test_limits_may_be_used_to_the_last_cent() -> None:
    spent = changed(GOOD, "usage", {"card_day_minor": 98_001, "card_month_minor": 498_001})

    assert isinstance(decide(spent), Fund)


def test_an_increment_counts_what_was_approved_before() -> None:
    limited = changed(GOOD, "card", {"purchase_limit_minor": 3000})
    increment = changed(limited, "facts", {"approved_before_minor": 1002})

    assert decide(increment) == Decline(DeclineReason.OVER_PURCHASE_LIMIT)


@given(amount=st.integers(0, 2**53))
def test_no_amount_is_funded_beyond_what_a_charge_may_be(amount: int) -> None:
    endless = {"daily_limit_minor": 2**60, "monthly_limit_minor": 2**60}
    facts = changed(GOOD, "card", endless)
    facts = changed(facts, "customer", {"exposure_limit_minor": 2**60})

    decision = decide(changed(facts, "purchase", {"amount_minor": amount}))

    match decision:
        case Fund(funded):
            assert amount < funded <= MAXIMUM_CHARGE_MINOR
        case ApproveWithoutFunding():
            assert amount == 0
        case Decline(reason):
            assert reason is DeclineReason.AMOUNT_OUT_OF_RANGE


@pytest.mark.parametrize("reason", DeclineReason)
def test_every_reason_is_explained(reason: DeclineReason) -> None:
    told = EXPLANATIONS[reason]

    assert all((told.short, told.customer, told.staff, told.next_step, told.decided_by))
