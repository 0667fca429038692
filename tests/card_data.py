"""Finds card numbers and security codes in any text, by how they look and by their check digit."""

import re

from tests.browser.stripe_page import numbers_in

_NUMBER = re.compile(r"(?<![\w.-])[2-6](?:[ -]?\d){12,18}(?![\w-])")
_CODE = re.compile(r"\b(?:cvc|cvv2?|csc|security.?code)\b[^\w]{1,6}(\d{3,4})(?!\w)", re.IGNORECASE)
_BYTES = re.compile(r"\\x((?:[0-9a-f]{2}){8,})")
_SHORTEST, _LONGEST = 13, 19


def card_data_in(texts: list[str]) -> set[str]:
    """Give what is a card's number or a security code; bytes that PostgreSQL writes are read."""
    whole = [*texts, *(_read(found) for text in texts for found in _BYTES.findall(text))]
    digits = {re.sub(r"[ -]", "", found) for text in whole for found in _NUMBER.findall(text)}
    codes = {found for text in whole for found in _CODE.findall(text)}
    return numbers_in(whole) | {number for number in digits if _is_a_cards(number)} | codes


def _is_a_cards(number: str) -> bool:
    return _SHORTEST <= len(number) <= _LONGEST and _luhn(number) and len(set(number)) > 2


def _luhn(number: str) -> bool:
    doubled = [int(digit) * 2 for digit in number[-2::-2]]
    return (sum(map(int, number[::-2])) + sum(n // 10 + n % 10 for n in doubled)) % 10 == 0


def _read(written: str) -> str:
    return bytes.fromhex(written).decode("latin-1")
