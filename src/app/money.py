"""Money is a whole number of minor units and a currency. No float enters this program."""

import re
from enum import StrEnum

import msgspec

from app.errors import AppError

BASIS_POINTS = 10_000
_THOUSANDS = re.compile(r"[0-9]{1,3}(,[0-9]{3})+")


class Currency(StrEnum):
    USD = "usd"


class CurrencyMismatch(AppError, status=409):
    """Two amounts of different currencies met in one sum."""


class Money(msgspec.Struct, frozen=True):
    """An amount in minor units (cents) of a currency."""

    minor: int
    currency: Currency

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def _same(self, other: "Money") -> int:
        if self.currency is not other.currency:
            raise CurrencyMismatch(f"{self.currency} is not {other.currency}")
        return other.minor


def share_half_up(amount_minor: int, basis_points: int) -> int:
    """Give that share of an amount of zero or more, in minor units, halves rounded up."""
    assert amount_minor >= 0
    return (amount_minor * basis_points * 2 + BASIS_POINTS) // (BASIS_POINTS * 2)


def readable(amount_minor: int) -> str:
    """Write minor units the way people read them: 1999 is 19.99, 123456 is 1,234.56."""
    sign = "-" if amount_minor < 0 else ""
    whole, cents = divmod(abs(amount_minor), 100)
    return f"{sign}{whole:,}.{cents:02}"


class UnreadableAmount(AppError, status=422):
    """What was typed is not an amount of money."""


def parse_amount(text: str) -> int:
    """Read "19.99", "1,234.5" or "20" as minor units. Raise UnreadableAmount for anything else."""
    whole, _, cents = text.strip().partition(".")
    if _THOUSANDS.fullmatch(whole):  # else a comma is none of ours: "12,50" is not 1250
        whole = whole.replace(",", "")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 10):  # noqa: PLR2004
        raise UnreadableAmount(f"“{text[:20]}” is not an amount like 19.99")
    if len(cents) > 2 or (cents and not (cents.isascii() and cents.isdigit())):  # noqa: PLR2004
        raise UnreadableAmount(f"“{text[:20]}” has more than two decimals or a wrong character")
    return int(whole) * 100 + int(cents.ljust(2, "0"))
