"""Which passwords are refused though they are long enough: those that a guesser tries first.

Any character is allowed and nothing is asked for. Refused are common passwords, the person's own
e-mail address or our name and little else, and what is only a few characters or a row of them.
Source: https://cheatsheetseries.owasp.org/cheatsheets/Authentication_Cheat_Sheet.html
"""

from functools import cache
from pathlib import Path

from app.domain.identity.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD, UnusablePassword

FEWEST_DIFFERENT = 5
OWN_NAME = "proxycard"
# Those of twelve characters or more among the 30,000 that leaked most often, as zxcvbn 4.5 has
# them (MIT licence).
_COMMON = Path(__file__).with_name("common_passwords.txt")
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "01234567890123456789")


def refuse_guessable(password: str, email: str) -> None:
    """Raise UnusablePassword, with what is wrong in words, for a password that is easy to guess."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise UnusablePassword(
            f"Use {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters. Several words are easy to"
            " remember."
        )
    plain = password.casefold()
    if plain in _common() or _is_a_row(plain):
        raise UnusablePassword("This password is among the first that are tried. Choose another.")
    if len(set(plain)) < FEWEST_DIFFERENT:
        raise UnusablePassword("This password repeats a few characters. Choose another.")
    for known in (OWN_NAME, *email.casefold().split("@")):
        if known and len(plain.replace(known, "")) < SHORTEST_PASSWORD / 2:
            raise UnusablePassword("This password is too close to your e-mail address or our name.")


@cache
def _common() -> frozenset[str]:
    return frozenset(_COMMON.read_text().split())


def _is_a_row(plain: str) -> bool:
    """Tell whether it is keys in their order, forwards or backwards, with little else."""
    return any(plain in row * 2 or plain[::-1] in row * 2 for row in _ROWS)
