"""Card numbers in text that people type: recognised, so that none is kept or logged by accident."""

import re

_NUMBER = re.compile(r"(?<![\w.-])[2-6](?:(?:[ +-]|%20)?\d){12,18}(?![\w-])")
_NOT_DIGITS = re.compile(r"%20|\D")


def holds_card_number(text: str) -> bool:
    """Tell whether digits in the text are a card's number, by their count and check digit."""
    return any(_is_one(found) for found in _NUMBER.findall(text))


def without_card_numbers(text: str) -> str:
    """Give the text with the last four digits only of each card's number in it."""
    return _NUMBER.sub(
        lambda found: f"•••• {_digits(found[0])[-4:]}" if _is_one(found[0]) else found[0], text
    )


def _is_one(found: str) -> bool:
    digits = _digits(found)
    doubled = [2 * int(digit) for digit in digits[-2::-2]]
    sum_of = sum(map(int, digits[::-2])) + sum(n // 10 + n % 10 for n in doubled)
    return sum_of % 10 == 0 and len(set(digits)) > 1


def _digits(found: str) -> str:
    return _NOT_DIGITS.sub("", found)
