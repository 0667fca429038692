"""What people write about themselves: the real is taken, the impossible told at its field."""

from datetime import date

import pytest

from app.domain.identity.identity_answers import read_answers
from tests.portal import IDENTITY

TODAY = date(2026, 11, 1)
TAKEN = {
    "first_name": (
        "Ada",
        "J.",
        "Mary Ann",
        "Nuñez",
        "Đặng",
        "Łukasz",
        "Øyvind",
        "'t",
        "D\u2019Arcy",
    ),
    "last_name": ("O'Neil", "'t Hooft", "de la Cruz", "Smith-Jones", "King, Jr.", "Ke\u02bbala"),
    "address_line1": (
        *("1st Avenue 5", "12 B", "PO Box 9", "Ñ 1", "長安街1号", "ул. Мира, 7", "शिव मार्ग 3"),
        *("85-20 67th Rd", "Elm"),
    ),
    "address_line2": ("", "4", "Apt 4B", "#12", "floor 3"),
    "city": ("北京", "Córdoba", "29 Palms", "Oz", "Сочи", "St. Louis", "Winston-Salem", "उज्जैन"),
}
NOT_TAKEN = {
    "first_name": ("", "?", "-", "7", "R2D2", "Ada!", "北京", "Ада", "x" * 51, "a\u0000b"),
    "last_name": ("...", "'", "1234", "<b>", "Ада"),
    "address_line1": ("", "?", "5", "12", "A1", "???", "1234 5", "x" * 101),
    "address_line2": ("?", "--", "x" * 101),
    "city": ("", "1", "?", "A", "12345", "A1", "x" * 51),
}


def listed(of: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(field, typed) for field, all_typed in of.items() for typed in all_typed]


@pytest.mark.parametrize(("field", "typed"), listed(TAKEN))
def test_what_people_and_places_are_called_is_taken(field: str, typed: str) -> None:
    answers, wanted = read_answers(IDENTITY | {field: typed}, TODAY)
    assert wanted == {}
    assert answers[field] == typed.replace("\u2019", "'").replace("\u02bb", "'")


@pytest.mark.parametrize(("field", "typed"), listed(NOT_TAKEN))
def test_what_cannot_be_is_told_at_its_field_and_kept_there(field: str, typed: str) -> None:
    answers, wanted = read_answers(IDENTITY | {field: typed}, TODAY)
    assert set(wanted) == {field}
    assert wanted[field].endswith(".")
    assert answers[field] == typed[:100]


def test_an_accent_of_its_own_becomes_part_of_its_letter() -> None:
    answers, wanted = read_answers(IDENTITY | {"first_name": "Nun\u0303ez"}, TODAY)
    assert (answers["first_name"], wanted) == ("Nuñez", {})


@pytest.mark.parametrize(
    ("typed", "said"), [("Ad\u0323\u0328a\u0331", "accents"), ("उज्जैन", "Latin letters")]
)
def test_an_accent_that_no_letter_has_is_named_as_what_is_wrong(typed: str, said: str) -> None:
    _, wanted = read_answers(IDENTITY | {"last_name": typed}, TODAY)
    assert said in wanted["last_name"]
