"""E-mail addresses as people type them: tidied, or refused where none can be meant."""

import re

from app.card_numbers import holds_card_number
from app.errors import AppError

LONGEST_EMAIL = 254
"""What an SMTP server must take: https://www.rfc-editor.org/errata/eid1690"""
_EMAIL = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}")


class UnusableEmail(AppError, status=422):
    """What was typed is not an e-mail address."""


def tidy_email(typed: str) -> str:
    """Give the address in small letters, without space around. Raises UnusableEmail.

    Whether it exists, only a letter to it shows.
    """
    email = typed.strip().lower()
    usable = len(email) <= LONGEST_EMAIL and not holds_card_number(email)
    if not usable or _EMAIL.fullmatch(email) is None:
        raise UnusableEmail("Write an e-mail address like ada@example.com.")
    return email
