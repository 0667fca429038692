"""The checks of a decision, as a staircase: each row adds one more thing wrong."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.funding.pricing import MAXIMUM_CHARGE_MINOR, Price
from app.domain.identity.states import CustomerState
from app.domain.issuing.decision import ApproveWithoutFunding, Decline, Fund, decide
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.facts import (
    CardFacts,
    CustomerFacts,
    Facts,
    MerchantFacts,
    Purchase,
    SourceFacts,
    Usage,
)
from app.domain.issuing.states import CardState
from app.money import Currency

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SOURCE = SourceFacts(UUID(int=1), "pm_1", "visa", "4242", "credit", "US")
CARD = CardFacts(
    id=UUID(int=2),
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
    lock_to_first_merchant=False,
    single_use=False,
    active_until=None,
)
GOOD = Facts(
    at=NOW,
    purchase=Purchase(
        amount_minor=1999,
        currency="usd",
        merchant_name="Blue Bottle",
        merchant_category="fast_food_restaurants",
        merchant_country="US",
        merchant_network_id="123",
        risk_score=10,
        controllable=False,
        least_minor=0,
    ),
    card=CARD,
    customer=CustomerFacts(UUID(int=3), CustomerState.ACTIVE, 500_000, "cus_1"),
    sources=[SOURCE],
    price=Price(500, 50),
    usage=Usage(
        card_day_minor=0,
        card_month_minor=0,
        customer_open_minor=0,
        card_purchases=0,
        first_merchant=None,
        first_purchase_at=None,
        windows=[],
    ),
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
    ("card", {"active_until": NOW}, DeclineReason.OUTSIDE_ACTIVE_DATES),
    ("purchase", {"merchant_name": "ProxyCard* coffee"}, DeclineReason.OWN_DESCRIPTOR),
    ("facts", {"price": None}, DeclineReason.NO_PRICE_PLAN),
    ("purchase", {"amount_minor": -1}, DeclineReason.REFUND_REQUEST),
    ("purchase", {"currency": "eur"}, DeclineReason.WRONG_CURRENCY),
    ("customer", {"in_debt_since": NOW - timedelta(days=4)}, DeclineReason.OPEN_DEBT),
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
    assert decide(facts, []).decision == Decline(reason)


def test_a_good_purchase_is_funded_with_the_fee_on_it() -> None:
    assert decide(GOOD, []).decision == Fund(2149, 1999, Currency.USD, "cus_1", [SOURCE])


def test_a_check_of_the_card_is_approved_without_funding() -> None:
    free = changed(GOOD, "purchase", {"amount_minor": 0})

    assert decide(changed(free, "sources", {"sources": []}), []).decision == ApproveWithoutFunding()


def test_limits_may_be_used_to_the_last_cent() -> None:
    spent = changed(GOOD, "usage", {"card_day_minor": 98_001, "card_month_minor": 498_001})

    assert isinstance(decide(spent, []).decision, Fund)


def test_an_increment_counts_what_was_approved_before() -> None:
    limited = changed(GOOD, "card", {"purchase_limit_minor": 3000})
    increment = changed(limited, "facts", {"approved_before_minor": 1002})

    assert decide(increment, []).decision == Decline(DeclineReason.OVER_PURCHASE_LIMIT)


def test_less_is_approved_where_the_merchant_takes_less_and_a_limit_leaves_room() -> None:
    limited = changed(GOOD, "usage", {"card_day_minor": 99_000, "card_month_minor": 499_400})
    fuel = changed(limited, "purchase", {"controllable": True})

    assert decide(fuel, []).decision == Fund(680, 600, Currency.USD, "cus_1", [SOURCE])
    cashback = changed(fuel, "purchase", {"least_minor": 601})
    assert decide(cashback, []).decision == Decline(DeclineReason.OVER_MONTHLY_LIMIT)


@pytest.mark.parametrize(
    ("first", "asked", "same"),
    [
        ("Amazon.com", "AMAZON MKTPL*2K3", True),
        ("SQ *BLUE BOTTLE 042", "Blue Bottle Coffee", True),
        ("United Airlines", "United Healthcare", False),
        ("12345", "67890", False),
    ],
)
def test_a_card_stays_where_it_was_first_used(first: str, asked: str, same: bool) -> None:  # noqa: FBT001
    bound = changed(GOOD, "card", {"lock_to_first_merchant": True})
    used = changed(bound, "usage", {"first_merchant": MerchantFacts("999", first)})
    elsewhere = changed(used, "purchase", {"merchant_name": asked})

    decision = decide(elsewhere, []).decision

    assert isinstance(decision, Fund) is same
    allowed = msgspec.structs.replace(elsewhere, allowed_once=True)
    assert isinstance(decide(allowed, []).decision, Fund)


@given(amount=st.integers(0, 2**53))
def test_no_amount_is_funded_beyond_what_a_charge_may_be(amount: int) -> None:
    endless = {"daily_limit_minor": 2**60, "monthly_limit_minor": 2**60}
    facts = changed(GOOD, "card", endless)
    facts = changed(facts, "customer", {"exposure_limit_minor": 2**60})

    decision = decide(changed(facts, "purchase", {"amount_minor": amount}), []).decision

    match decision:
        case Fund(funded, approved):
            assert amount == approved < funded <= MAXIMUM_CHARGE_MINOR
        case ApproveWithoutFunding():
            assert amount == 0
        case Decline(reason):
            assert reason is DeclineReason.AMOUNT_OUT_OF_RANGE


@pytest.mark.parametrize("reason", DeclineReason)
def test_every_reason_is_explained(reason: DeclineReason) -> None:
    told = EXPLANATIONS[reason]

    assert all((told.short, told.customer, told.staff, told.next_step, told.decided_by))
