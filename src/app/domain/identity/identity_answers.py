"""What a person says about themselves, field by field as issuing a card wants it.

A cardholder has a legal name in letters, a date of birth, a phone number with its country's code
and an address in the country that cards are issued in. Source:
https://docs.stripe.com/issuing/cards/virtual/issue-cards#create-cardholder
"""

import re
from collections.abc import Callable, Mapping
from datetime import date

from app.card_numbers import holds_card_number, without_card_numbers
from app.domain.identity.customers import Person

YOUNGEST = 18
OLDEST = 120
COUNTRIES: Mapping[str, str] = {"US": "United States"}
STATES = (
    *("AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN"),
    *("IA", "KS", "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH"),
    *("NJ", "NM", "NY", "NC", "ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT"),
    *("VT", "VA", "WA", "WV", "WI", "WY"),
)
FIELDS = (
    *("first_name", "last_name", "birth_date", "phone", "address_line1", "address_line2"),
    *("city", "region", "postal_code", "country"),
)
_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[ .,'\u2019-])*")
_POSTAL_CODE = re.compile(r"\d{5}(-\d{4})?", re.ASCII)
_DIALLED = re.compile(r"\+?[\d ().-]+", re.ASCII)
_PHONE = re.compile(r"\+[1-9]\d{7,14}", re.ASCII)
_US_DIGITS = 10


class NotAnAnswer(ValueError):
    """What is wanted in a field, in words."""


def read_answers(given: Mapping[str, str], today: date) -> tuple[dict[str, str], dict[str, str]]:
    """Give the answers as they are kept, and what is wanted where one is missing or wrong."""
    answers, wanted = {}, {}
    for field in FIELDS:
        typed = " ".join(given.get(field, "").split())
        try:
            answers[field] = _READERS[field](typed, today)
        except NotAnAnswer as problem:
            kept = without_card_numbers(typed[:100])
            answers[field], wanted[field] = kept, str(problem)
    return answers, wanted


def person_of(answers: Mapping[str, str], email: str, **terms: object) -> Person:
    """Give the person that answers without a gap describe."""
    told = dict(answers)
    return Person(
        email=email,
        birth_date=date.fromisoformat(told.pop("birth_date")),
        address_line2=told.pop("address_line2") or None,
        **told,  # type: ignore[arg-type]  # all that is left is text
        **terms,  # type: ignore[arg-type]
    )


def _name(typed: str, _: date) -> str:
    if not typed:
        raise NotAnAnswer("Write your name as it is in your passport.")
    if len(typed) > 50 or _NAME.fullmatch(typed) is None:  # noqa: PLR2004
        raise NotAnAnswer("A name has letters, spaces, hyphens and apostrophes, 50 at most.")
    return typed.replace("\u2019", "'")


def _birth_date(typed: str, today: date) -> str:
    try:
        born = date.fromisoformat(typed)
    except ValueError:
        raise NotAnAnswer("Write your date of birth, like 1990-05-17.") from None
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if age < YOUNGEST:
        raise NotAnAnswer(f"You must be {YOUNGEST} or older to hold a card.")
    if age > OLDEST:
        raise NotAnAnswer("This date of birth is too long ago.")
    return born.isoformat()


def _phone(typed: str, _: date) -> str:
    wanted = "Write a phone number with its country's code, like +1 415 555 0142."
    if _DIALLED.fullmatch(typed) is None:
        raise NotAnAnswer(wanted)
    digits = re.sub(r"\D", "", typed)
    if not typed.startswith("+") and len(digits) == _US_DIGITS:
        digits = f"1{digits}"
    elif not typed.startswith("+"):
        raise NotAnAnswer(wanted)
    if _PHONE.fullmatch(f"+{digits}") is None:
        raise NotAnAnswer(wanted)
    return f"+{digits}"


def _line(wanted: str, longest: int) -> Callable[[str, date], str]:
    def read(typed: str, _: date) -> str:
        if not typed and wanted:
            raise NotAnAnswer(wanted)
        if len(typed) > longest or not typed.isprintable():
            raise NotAnAnswer(f"This has {longest} characters at most.")
        if holds_card_number(typed):
            raise NotAnAnswer("This looks like a card's number, which nobody wants here.")
        return typed

    return read


def _region(typed: str, _: date) -> str:
    if typed.upper() not in STATES:
        raise NotAnAnswer("Choose your state.")
    return typed.upper()


def _postal_code(typed: str, _: date) -> str:
    if _POSTAL_CODE.fullmatch(typed) is None:
        raise NotAnAnswer("Write a ZIP code, like 94110.")
    return typed


def _country(typed: str, _: date) -> str:
    if typed not in COUNTRIES:
        raise NotAnAnswer("Cards are issued in the United States only for now.")
    return typed


_READERS: Mapping[str, Callable[[str, date], str]] = {
    "first_name": _name,
    "last_name": _name,
    "birth_date": _birth_date,
    "phone": _phone,
    "address_line1": _line("Write the street and the number where you live.", 100),
    "address_line2": _line("", 100),
    "city": _line("Write the city where you live.", 50),
    "region": _region,
    "postal_code": _postal_code,
    "country": _country,
}
assert _READERS.keys() == set(FIELDS)
