import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.funding.pricing import MINIMUM_CHARGE_MINOR, Price

STANDARD = Price(percent_bps=500, fixed_minor=50)
amounts = st.integers(min_value=0, max_value=10_000_000)
prices = st.builds(
    Price,
    percent_bps=st.integers(0, 10_000),
    fixed_minor=st.integers(0, 1_000),
    minimum_minor=st.integers(0, 2_000),
)


@pytest.mark.parametrize(
    ("amount", "fee", "hold"),
    [
        (0, 0, 0),
        (1, 50, 51),
        (9, 50, 59),
        (10, 51, 61),  # half a cent of share is rounded up
        (1000, 100, 1100),
        (1999, 150, 2149),
        (10_000, 550, 10_550),
    ],
)
def test_the_standard_price(amount: int, fee: int, hold: int) -> None:
    assert STANDARD.fee(amount) == fee
    assert STANDARD.hold_for(0, amount) == hold


@pytest.mark.parametrize(
    ("before", "more", "hold"),
    [
        (1000, 500, 525),  # the fixed part is not charged again
        (1000, 10, MINIMUM_CHARGE_MINOR),  # Stripe charges nothing below 0.50
        (1000, 0, 0),
        (0, 1000, 1100),
    ],
)
def test_an_increment_holds_what_it_adds(before: int, more: int, hold: int) -> None:
    assert STANDARD.hold_for(before, more) == hold


def test_a_minimum_fee_holds_where_the_share_is_smaller() -> None:
    assert Price(500, 0, minimum_minor=100).fee(1000) == 100


@given(price=prices, parts=st.lists(st.integers(1, 100_000), min_size=1, max_size=8))
def test_the_fees_of_increments_add_up_to_the_fee_of_the_whole(
    price: Price, parts: list[int]
) -> None:
    before, total = 0, 0
    for part in parts:
        total += price.fee_on_top(before, part)
        before += part

    assert total == price.fee(before)


@given(price=prices, amount=amounts, more=amounts)
def test_the_fee_never_falls_as_the_amount_grows(price: Price, amount: int, more: int) -> None:
    assert 0 <= price.fee(amount) <= price.fee(amount + more)
