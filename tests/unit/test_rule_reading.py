"""Rules as people type them: read, or refused with the field named."""

import re
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.stripe_categories import CATEGORIES
from app.domain.issuing.facts import Scope
from app.domain.issuing.rule_reading import (
    KINDS,
    UnreadableRule,
    read_condition,
    read_fields,
    read_moment,
    read_name,
    read_note,
)
from app.domain.issuing.rule_words import condition_in_words
from app.domain.issuing.rules import (
    CardTesting,
    CategoryGroup,
    ClosedCategories,
    ClosedCountries,
    Condition,
    DeclineStreak,
    NewCustomer,
    RiskScore,
    Stop,
    StopTarget,
    Velocity,
)

READ: list[tuple[str, Condition]] = [
    ("stop target=all", Stop(StopTarget.ALL)),
    ("stop target=merchant value=amazon*", Stop(StopTarget.MERCHANT, "amazon*")),
    ("stop target=merchant value=id:777", Stop(StopTarget.MERCHANT, "id:777")),
    ("stop target=funding value=visa/*/US", Stop(StopTarget.FUNDING, "visa/*/US")),
    (
        "closed_categories group=other categories=bakeries,florists,bakeries",
        ClosedCategories(CategoryGroup.OTHER, ["bakeries", "florists"]),
    ),
    ("closed_countries countries=fr,DE", ClosedCountries(["FR", "DE"])),
    ("velocity scope=card minutes=60 purchases=0", Velocity(Scope.CARD, 60, 0, None)),
    (
        "velocity scope=customer minutes=1440 amount=1,000.50",
        Velocity(Scope.CUSTOMER, 1440, None, 100_050),
    ),
    ("new_customer for_days=30 window_days=7 amount=5000", NewCustomer(30, 7, 500_000)),
    ("decline_streak minutes=10 declines=3", DeclineStreak(10, 3)),
    ("card_testing minutes=10 probes=3", CardTesting(10, 3)),
    ("risk_score at_least=90", RiskScore(90)),
]
REFUSED = {
    "fraud at_least=1": "kind: “fraud” is none of stop, closed_categories, ",
    "": "kind: “” is none of",
    "risk_score": "at_least: is missing",
    "risk_score at_least": "at_least: is not of the form field=value",
    "risk_score at_least=1 at_least=2": "at_least: is given twice",
    "risk_score at_least=1 at_most=2": "at_most: risk_score has at_least, and not this",
    "risk_score at_least=-1": "at_least: -1 is not from 0 to 99",
    "risk_score at_least=100": "at_least: 100 is not from 0 to 99",
    "risk_score at_least=ninety": "at_least: “ninety” is not a whole number from 0 to 99",
    "risk_score at_least=9.5": "at_least: “9.5” is not a whole number",
    "risk_score at_least=": "at_least: “” is not a whole number",
    "risk_score at_least=٣": "at_least: “٣” is not a whole number",
    "velocity scope=card minutes=60": "purchases: is missing, and so is amount",
    "velocity scope=card minutes=0 purchases=1": "minutes: 0 is not from 1 to 527040",
    "velocity scope=card minutes=99999999999999999999 purchases=1": "minutes: “9999",
    "velocity scope=card minutes=60 purchases=-1": "purchases: -1 is not from 0 to 1000000",
    "velocity scope=card minutes=60 amount=-5": "amount: “-5” is not an amount like 19.99",
    "velocity scope=card minutes=60 amount=5.001": "amount: “5.001” has more than two decimals",
    "velocity scope=shop minutes=60 amount=5": "scope: “shop” is none of card, customer",
    "new_customer for_days=30 window_days=7": "amount: is missing",
    "new_customer for_days=30 window_days=0 amount=5": "window_days: 0 is not from 1 to 366",
    "decline_streak minutes=10 declines=0": "declines: 0 is not from 1 to 1000000",
    "closed_categories group=other categories=": "categories: is empty",
    "closed_categories group=other categories=shoes": "categories: “shoes” is no category of",
    "closed_categories group=bad categories=bakeries": "group: “bad” is none of cash, ",
    "closed_countries countries=FRA": "countries: “FRA” is not a country's two letters",
    "closed_countries countries=U1": "countries: “U1” is not a country's two letters",
    "stop target=all value=x": "value: a stop of everything has none",
    "stop target=shop value=x": "target: “shop” is none of all, customer, card, merchant, funding",
    "stop target=card": "value: is missing",
    "stop target=merchant value=*": "value: would be every merchant",
    "stop target=merchant value=***": "value: would be every merchant",
    "stop target=merchant value=id:": "value: would be every merchant",
    "stop target=merchant value=id:7*": "value: a network's id is matched whole, without *",
    f"stop target=merchant value={'a' * 61}": "value: wants at most 60 printable characters",
    "stop target=funding value=visa": "value: wants brand/funding/country, such as visa/prepaid/*",
    "stop target=funding value=visa/credit": "value: wants brand/funding/country",
    "stop target=funding value=/credit/US": "value: wants brand/funding/country",
    "stop target=funding value=visa/gold/US": "value: “gold” is none of credit, debit, ",
    "stop target=funding value=visa/credit/USA": "value: “USA” is neither a country such as US",
    "stop target=funding value=visa/credit/US/x": "value: “US/x” is neither a country",
}
EXPRESSIONS = ["^amazon", "amazon$", "a(b)", "a[bc]", "a{2}", "a|b", r"a\d", "a.*b"]


def read(typed: str) -> Condition:
    kind, _, fields = typed.partition(" ")
    return read_condition(kind, read_fields(fields.split()), CATEGORIES)


@pytest.mark.parametrize(("typed", "condition"), READ)
def test_a_rule_is_read_kept_and_said_in_words(typed: str, condition: Condition) -> None:
    assert read(typed) == condition
    kept = msgspec.to_builtins(condition)
    assert msgspec.convert(kept, Condition) == condition
    assert kept["kind"] == typed.split(maxsplit=1)[0]
    assert condition_in_words(condition)


def test_every_kind_is_read() -> None:
    assert {typed.split()[0] for typed, _ in READ} == set(KINDS)


@pytest.mark.parametrize(("typed", "sentence"), REFUSED.items())
def test_what_cannot_be_read_is_refused_with_the_field_named(typed: str, sentence: str) -> None:
    with pytest.raises(UnreadableRule, match=re.escape(sentence)) as refused:
        read(typed)

    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("value", EXPRESSIONS)
def test_a_regular_expression_is_no_merchant(value: str) -> None:
    with pytest.raises(UnreadableRule, match=r"value: .* regular expressions are not read"):
        read_condition("stop", {"target": "merchant", "value": value}, CATEGORIES)


@given(
    kind=st.sampled_from(KINDS),
    typed=st.dictionaries(
        st.sampled_from(["minutes", "amount", "value", "target", "countries", "at_least"]),
        st.text(max_size=30) | st.integers().map(str),
    ),
)
def test_nothing_typed_fails_in_another_way(kind: str, typed: dict[str, str]) -> None:
    with suppress(UnreadableRule):
        condition_in_words(read_condition(kind, typed, CATEGORIES))


class TestTimes:
    def test_are_utc_unless_they_say_so(self) -> None:
        noon = datetime(2026, 11, 24, 12, tzinfo=UTC)

        assert read_moment("from", "2026-11-24T12:00") == noon
        assert read_moment("from", "2026-11-24T13:00+01:00") == noon
        assert read_moment("from", "2026-11-24") == noon.replace(hour=0)

    @pytest.mark.parametrize("typed", ["", "tomorrow", "2026-13-01", "0001-01-01", "9999-12-31"])
    def test_that_cannot_be_read_name_their_field(self, typed: str) -> None:
        with pytest.raises(UnreadableRule, match=r"until: .* is not a time like"):
            read_moment("until", typed)


def test_a_name_and_a_note_are_short_and_printable() -> None:
    assert read_name("  Two   words ") == "Two words"
    for wrong in ("", "  ", "a" * 81, "a\0b"):
        with pytest.raises(UnreadableRule, match="name: "):
            read_name(wrong)
    with pytest.raises(UnreadableRule, match="note: wants at most 500"):
        read_note("a" * 501)


def test_the_rules_from_the_beginning_name_categories_of_stripe_s() -> None:
    assert {"automated_cash_disburse", "betting_casino_gambling", "bakeries"} <= CATEGORIES
    assert len(CATEGORIES) > 250
