"""Amounts, times and spans as a person reads them."""

import pytest

from stripe_sandbox.pages.wording import full_time, label, milliseconds, money, span


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (1999, "usd", "19.99 USD"),
        (5, "eur", "0.05 EUR"),
        (0, "usd", "0.00 USD"),
        (-123456, "usd", "-1,234.56 USD"),
        (1999, "jpy", "1,999 JPY"),
    ],
)
def test_money(minor: int, currency: str, shown: str) -> None:
    assert money(minor, currency) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, ""), (61, "1 min 1 s"), (604800, "7 d"), (90061, "1 d 1 h 1 min 1 s")],
)
def test_spans(seconds: int, shown: str) -> None:
    assert span(seconds) == shown


def test_times_durations_and_labels() -> None:
    assert full_time(1760000000) == "09 Oct 2025 08:53:20 UTC"
    assert milliseconds(3.14159) == "3.1 ms"
    assert milliseconds(1203.6) == "1,204 ms"
    assert label("grocery_stores_supermarkets") == "Grocery stores supermarkets"
