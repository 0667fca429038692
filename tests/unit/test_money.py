import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.money import (
    Currency,
    Money,
    UnreadableAmount,
    parse_amount,
    readable,
    share_half_up,
)


@pytest.mark.parametrize(
    ("amount", "basis_points", "share"),
    [(0, 500, 0), (9, 500, 0), (10, 500, 1), (29, 500, 1), (30, 500, 2), (1999, 500, 100)],
)
def test_a_share_rounds_halves_up(amount: int, basis_points: int, share: int) -> None:
    assert share_half_up(amount, basis_points) == share


@pytest.mark.parametrize(
    ("minor", "text"),
    [(0, "0.00"), (5, "0.05"), (1999, "19.99"), (123_456, "1,234.56"), (-250, "-2.50")],
)
def test_readable(minor: int, text: str) -> None:
    assert readable(minor) == text


@pytest.mark.parametrize(
    ("text", "minor"),
    [("19.99", 1999), (" 20 ", 2000), ("1,234.5", 123_450), ("0.1", 10), ("0", 0)],
)
def test_an_amount_is_read(text: str, minor: int) -> None:
    assert parse_amount(text) == minor


@pytest.mark.parametrize(
    "text", ["", "-1", "1.999", "1e3", "٣", "abc", "1.x", "9" * 11, ".", "12,50", "1.2,5", ",5"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UnreadableAmount):
        parse_amount(text)


@given(minor=st.integers(0, 99_999_999))
def test_what_is_written_is_read_back(minor: int) -> None:
    assert parse_amount(readable(minor)) == minor


def test_money_of_one_currency_adds_up() -> None:
    ten, five = Money(1000, Currency.USD), Money(500, Currency.USD)

    assert (ten + five, ten - five, five < ten) == (
        Money(1500, Currency.USD),
        Money(500, Currency.USD),
        True,
    )
