"""Merchants' names: whatever a merchant writes, they are read at once and never fail."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.issuing.merchant_names import (
    NAMELESS,
    matches,
    merchant_key,
    same_merchant,
    tidy_name,
)
from app.domain.issuing.rule_reading import UnreadableRule, read_condition
from app.webhooks.reading import clean

NAMES = st.text(max_size=400)
FEW = "aAß *İ."
AT_ONCE_SECONDS = 0.02
# What makes careless patterns slow: long runs, stars, spaces, and texts that grow when folded.
NASTY = [
    "*" * 200,
    "a" * 200,
    "sq" + " " * 198,
    "ab*" * 66,
    "ΐ" * 200,
    "_1" * 100,
    "paypal  *" * 22,
]


@given(name=NAMES)
def test_any_name_has_a_key_of_plain_words(name: str) -> None:
    key = merchant_key(clean(name))

    assert key == " ".join(key.split())
    assert not re.search(r"[\d_*]", key)
    assert same_merchant(key, key) is bool(key)


def test_what_stands_for_no_name_has_no_key() -> None:
    assert merchant_key(NAMELESS) == ""


@given(pattern=st.text(FEW, max_size=20), text=st.text(FEW, max_size=30))
def test_a_pattern_means_what_the_star_says(pattern: str, text: str) -> None:
    parts = map(re.escape, pattern.casefold().split("*"))
    meant = re.fullmatch(".*".join(parts), text.casefold(), re.DOTALL)

    assert matches(pattern, text) is bool(meant)


@given(known=NAMES, asked=NAMES)
def test_two_merchants_are_compared_both_ways_alike(known: str, asked: str) -> None:
    one, other = merchant_key(known), merchant_key(asked)

    assert same_merchant(one, other) is same_merchant(other, one)


@given(name=NAMES, pattern=st.text(FEW, max_size=60))
def test_what_may_be_a_pattern_can_be_matched_with_any_name(name: str, pattern: str) -> None:
    try:
        read_condition("stop", {"target": "merchant", "value": pattern}, ())
    except UnreadableRule:
        return
    matches(pattern, clean(name))


@pytest.mark.parametrize("name", NASTY)
def test_no_name_takes_long(name: str) -> None:
    patterns = ["*a*" * 20, "*" * 59 + "b", "a*" * 30, "*" + "a" * 59]
    began = time.perf_counter()
    merchant_key(name)
    for pattern in patterns:
        matches(pattern, name)

    assert time.perf_counter() - began < AT_ONCE_SECONDS


@pytest.mark.parametrize(
    ("written", "tidy"),
    [
        ("SQ *BLUE BOTTLE #0123", "Blue Bottle"),
        ("AMAZON MKTPL*2K3RT", "Amazon Mktpl"),
        ("Trader Joe's", "Trader Joe's"),
        ("PAYPAL *STEAM GAMES", "Steam Games"),
        ("IKEA", "Ikea"),
        ("7-Eleven 34021", "7-Eleven"),
        ("12345", "12345"),
        ("<b>Zuni</b>\x07 Cafe", "Cafe"),
        ("", ""),
    ],
)
def test_a_name_is_written_for_people(written: str, tidy: str) -> None:
    assert tidy_name(written) == tidy


@given(name=NAMES)
def test_any_name_can_be_written(name: str) -> None:
    assert tidy_name(name) == " ".join(tidy_name(name).split())


@pytest.mark.parametrize("name", NASTY)
def test_no_name_takes_long_to_write(name: str) -> None:
    began = time.perf_counter()
    tidy_name(name * 2)
    assert time.perf_counter() - began < AT_ONCE_SECONDS
