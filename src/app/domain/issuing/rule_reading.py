"""Reads a rule that a person typed, and says which field is wrong. Pure.

What passes here cannot make a decision slow or fail: windows are bounded, patterns are short and
hold nothing but text and `*`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import msgspec

from app.days import is_known
from app.domain.issuing.facts import Scope
from app.domain.issuing.merchant_names import ANYTHING
from app.domain.issuing.rules import (
    CardTesting,
    CategoryGroup,
    ClosedCategories,
    ClosedCountries,
    Condition,
    DeclineStreak,
    NewCustomer,
    RiskScore,
    RuleMode,
    Stop,
    StopTarget,
    Velocity,
)
from app.errors import AppError
from app.money import parse_amount

LONGEST_WINDOW_DAYS = 366
MOST = 1_000_000
LONGEST_PATTERN = 60
LONGEST_NAME = 80
LONGEST_NOTE = 500
HIGHEST_RISK = 99
MERCHANT_ID = "id:"
FUNDINGS = frozenset({"credit", "debit", "prepaid", "unknown"})
"""Kinds of linked cards: https://docs.stripe.com/api/payment_methods/object, card.funding."""

Reader = Callable[[str], Any]

# Beyond these the database has no days.

_EXPRESSION = re.compile(r"[\^$()\[\]{}|\\]|\.\*")
_COUNTRY = re.compile(r"[A-Z]{2}")
_BRAND = re.compile(r"[a-z_*]+")


class UnreadableRule(AppError, status=422):
    """A field of a rule is missing, or holds what it cannot; the sentence begins with its name."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as it is wanted, before it is in the table."""

    condition: Condition
    name: str
    note: str
    mode: RuleMode
    effective_from: datetime
    effective_until: datetime | None = None


def read_fields(words: Iterable[str]) -> dict[str, str]:
    """Take `field=value` apart. Raise UnreadableRule for another form, or a field twice."""
    found: dict[str, str] = {}
    for word in words:
        field, equals, value = word.partition("=")
        if not equals:
            raise UnreadableRule(f"{word[:30]}: is not of the form field=value")
        if field in found:
            raise UnreadableRule(f"{field[:30]}: is given twice")
        found[field] = value
    return found


def read_condition(kind: str, typed: Mapping[str, str], categories: Collection[str]) -> Condition:
    """Read a condition; `categories` are the words a category may be.

    Raises UnreadableRule naming the first field that is unknown, missing or wrong.
    """
    known = _KINDS.get(kind)
    if known is None:
        raise UnreadableRule(f"kind: “{kind[:30]}” is none of {', '.join(_KINDS)}")
    struct, readers = known
    for field in typed:
        if field not in readers:
            raise UnreadableRule(f"{field[:30]}: {kind} has {', '.join(readers)}, and not this")
    values = {}
    for field, read in readers.items():
        if field in typed:
            values[_STORED_AS.get(field, field)] = _read(field, read, typed[field])
        elif (kind, field) not in _OPTIONAL:
            raise UnreadableRule(f"{field}: is missing")
    condition: Condition = struct(**values)
    _check(condition, categories)
    return condition


def read_name(typed: str) -> str:
    return _text("name", typed, LONGEST_NAME)


def read_note(typed: str) -> str:
    return _text("note", typed, LONGEST_NOTE)


def read_moment(field: str, typed: str) -> datetime:
    """Read an ISO date or time; without an offset it is UTC. Raise UnreadableRule."""
    try:
        found = datetime.fromisoformat(typed.strip())
    except ValueError:
        found = None
    if found is None or not is_known(found):
        raise UnreadableRule(f"{field}: “{typed[:30]}” is not a time like 2026-11-24T12:00")
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _read(field: str, read: Reader, typed: str) -> Any:
    try:
        return read(typed.strip())
    except (ValueError, AppError) as error:
        raise UnreadableRule(f"{field}: {error}") from None


def _text(field: str, typed: str, longest: int) -> str:
    text = " ".join(typed.split())
    if not text:
        raise UnreadableRule(f"{field}: is empty")
    if len(text) > longest or not text.isprintable():
        raise UnreadableRule(f"{field}: wants at most {longest} printable characters")
    return text


def _one_of(choices: type[StrEnum]) -> Reader:
    def read(typed: str) -> StrEnum:
        if typed not in set(choices):
            raise ValueError(f"“{typed[:30]}” is none of {', '.join(choices)}")
        return choices(typed)

    return read


def _whole(least: int, most: int) -> Reader:
    def read(typed: str) -> int:
        digits = typed.removeprefix("-")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(MOST)):
            raise ValueError(f"“{typed[:30]}” is not a whole number from {least} to {most}")
        if not least <= int(typed) <= most:
            raise ValueError(f"{typed} is not from {least} to {most}")
        return int(typed)

    return read


def _listed(typed: str) -> list[str]:
    found = list(dict.fromkeys(word.strip() for word in typed.split(",") if word.strip()))
    if not found:
        raise ValueError("is empty")
    return found


def _countries(typed: str) -> list[str]:
    found = [country.upper() for country in _listed(typed)]
    for country in found:
        if not _COUNTRY.fullmatch(country):
            raise ValueError(f"“{country[:30]}” is not a country's two letters, such as US")
    return found


def _check(condition: Condition, categories: Collection[str]) -> None:
    """Refuse what each field alone does not show."""
    match condition:
        case ClosedCategories(_, words):
            for word in words:
                if word not in categories:
                    raise UnreadableRule(f"categories: “{word[:60]}” is no category of Stripe's")
        case Velocity(purchases=None, amount_minor=None):
            raise UnreadableRule("purchases: is missing, and so is amount; velocity wants one")
        case Stop(target, value):
            _CHECK_VALUE[target](value)
        case _:
            pass


def _no_value(value: str) -> None:
    if value:
        raise UnreadableRule("value: a stop of everything has none")


def _some_value(value: str) -> None:
    if not value:
        raise UnreadableRule("value: is missing")


def _merchant(value: str) -> None:
    _some_value(value)
    if len(value) > LONGEST_PATTERN or not value.isprintable():
        raise UnreadableRule(f"value: wants at most {LONGEST_PATTERN} printable characters")
    if _EXPRESSION.search(value):
        raise UnreadableRule(
            "value: is text in which * stands for anything; regular expressions are not read"
        )
    if not value.removeprefix(MERCHANT_ID).replace(ANYTHING, "").strip():
        raise UnreadableRule("value: would be every merchant; a stop of everything says so")
    if value.startswith(MERCHANT_ID) and ANYTHING in value:
        raise UnreadableRule("value: a network's id is matched whole, without *")


def _funding(value: str) -> None:
    brand, _, rest = value.partition("/")
    funding, slash, country = rest.partition("/")
    if not slash or not _BRAND.fullmatch(brand) or len(value) > LONGEST_PATTERN:
        raise UnreadableRule("value: wants brand/funding/country, such as visa/prepaid/*")
    if funding != ANYTHING and funding not in FUNDINGS:
        raise UnreadableRule(f"value: “{funding[:30]}” is none of {', '.join(sorted(FUNDINGS))}, *")
    if country != ANYTHING and not _COUNTRY.fullmatch(country):
        raise UnreadableRule(f"value: “{country[:30]}” is neither a country such as US nor *")


_CHECK_VALUE: Mapping[StopTarget, Callable[[str], None]] = {
    StopTarget.ALL: _no_value,
    StopTarget.CUSTOMER: _some_value,
    StopTarget.CARD: _some_value,
    StopTarget.MERCHANT: _merchant,
    StopTarget.FUNDING: _funding,
}
_MINUTES = _whole(1, LONGEST_WINDOW_DAYS * 24 * 60)
_DAYS = _whole(1, LONGEST_WINDOW_DAYS)
_COUNT = _whole(1, MOST)
_KINDS: Mapping[str, tuple[Callable[..., Condition], Mapping[str, Reader]]] = {
    "stop": (Stop, {"target": _one_of(StopTarget), "value": str}),
    "closed_categories": (
        ClosedCategories,
        {"group": _one_of(CategoryGroup), "categories": _listed},
    ),
    "closed_countries": (ClosedCountries, {"countries": _countries}),
    "velocity": (
        Velocity,
        {
            "scope": _one_of(Scope),
            "minutes": _MINUTES,
            "purchases": _whole(0, MOST),
            "amount": parse_amount,
        },
    ),
    "new_customer": (
        NewCustomer,
        {"for_days": _whole(1, 3660), "window_days": _DAYS, "amount": parse_amount},
    ),
    "decline_streak": (DeclineStreak, {"minutes": _MINUTES, "declines": _COUNT}),
    "card_testing": (CardTesting, {"minutes": _MINUTES, "probes": _COUNT}),
    "risk_score": (RiskScore, {"at_least": _whole(0, HIGHEST_RISK)}),
}
KINDS = tuple(_KINDS)
_STORED_AS = {"amount": "amount_minor"}
_OPTIONAL = {("stop", "value"), ("velocity", "purchases"), ("velocity", "amount")}
