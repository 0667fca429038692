"""What a person says about themselves, field by field as issuing a card wants it.

A cardholder has a legal name, a date of birth, a phone number with its country's code and an
address in the country that cards are issued in. A name has Latin letters, with any accent, spaces,
periods, commas, hyphens and apostrophes. An address is in any script: what cannot be one is
refused, and not what is merely unusual. Sources:
https://docs.stripe.com/issuing/cards/virtual/issue-cards#create-cardholder and
https://docs.stripe.com/api/issuing/cardholders/create
"""

import re
import unicodedata
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
LONGEST_NAME = 50
LONGEST_LINE, LONGEST_CITY = 100, 50
SHORTEST_STREET = 3
FEWEST_LETTERS_OF_A_CITY = 2
_IN_NAMES = frozenset(" .,'-")
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bb\u02bc", "'"))
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
        # An accent that was typed as a sign of its own becomes a part of its letter.
        typed = unicodedata.normalize("NFC", " ".join(given.get(field, "").split()))
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
    name = typed.translate(_APOSTROPHES)
    accents = [one for one in name if unicodedata.combining(one)]
    letters = [one for one in name if one not in _IN_NAMES and one not in accents]
    if not letters:
        raise NotAnAnswer("Write your name as it is in your passport.")
    named = [unicodedata.name(one, "") for one in letters if one.isalpha()]
    if not all(each.startswith("LATIN ") for each in named):
        raise NotAnAnswer(
            "Write it in Latin letters, as at the foot of your passport's page: the issuer takes"
            " no others."
        )
    if len(name) > LONGEST_NAME or not all(one.isalpha() for one in letters):
        raise NotAnAnswer(
            f"A name has letters, spaces, hyphens and apostrophes, {LONGEST_NAME} at most."
        )
    if accents:
        raise NotAnAnswer("The issuer does not take one of these accents: leave it out.")
    return name


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


def _street(typed: str, _: date) -> str:
    line = _line(typed, LONGEST_LINE)
    if len(line) < SHORTEST_STREET or not _letters_of(line):
        raise NotAnAnswer("Write the street and the number where you live, like 12 Main Street.")
    return line


def _second_line(typed: str, _: date) -> str:
    line = _line(typed, LONGEST_LINE)
    if line and not any(one.isalnum() for one in line):
        raise NotAnAnswer("Write the apartment or the floor, like Apt 4, or leave it empty.")
    return line


def _city(typed: str, _: date) -> str:
    line = _line(typed, LONGEST_CITY)
    if _letters_of(line) < FEWEST_LETTERS_OF_A_CITY:
        raise NotAnAnswer("Write the name of the city where you live, like Portland.")
    return line


def _line(typed: str, longest: int) -> str:
    if len(typed) > longest or not typed.isprintable():
        raise NotAnAnswer(f"This has {longest} characters at most.")
    if holds_card_number(typed):
        raise NotAnAnswer("This looks like a card's number, which nobody wants here.")
    return typed


def _letters_of(typed: str) -> int:
    """Count the letters of any script."""
    return sum(one.isalpha() for one in typed)


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
    "address_line1": _street,
    "address_line2": _second_line,
    "city": _city,
    "region": _region,
    "postal_code": _postal_code,
    "country": _country,
}
assert _READERS.keys() == set(FIELDS)
