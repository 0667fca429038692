"""Merchants as they name themselves: the same shop under several spellings. Pure, linear in time.

Merchants write what they like into their name, so nothing here may be slow or fail on any text.
"""

import re

_PROCESSORS = re.compile(r"^(sq|tst|paypal|pp|sp|stripe|clover|ic|py|dd)\s*\*\s*", re.IGNORECASE)
"""Payment facilitators put themselves before the shop: `SQ *BLUE BOTTLE`."""
_NOT_A_NAME = frozenset({"com", "www", "net", "org", "inc", "llc", "ltd", "gmbh", "co", "the"})
_WORD = re.compile(r"[^\W\d_]+")
_SHORT_WORDS = 3
"""`IKEA` is a word, `MTA` may be letters."""
_SHORTEST_KEY = 4
NAMELESS = "Unknown merchant"
"""What stands for the name of a merchant that gave none."""
ANYTHING = "*"


def merchant_key(name: str) -> str:
    """Give the words that stay when a shop spells its name anew: no number, no domain, no tail.

    `AMAZON MKTPL*2K3` gives `amazon mktpl`, `Amazon.com` gives `amazon`, no name gives none.
    """
    if name == NAMELESS:
        return ""
    folded = _PROCESSORS.sub("", name.casefold().strip())
    words = [word for word in _WORD.findall(folded.partition("*")[0]) if word not in _NOT_A_NAME]
    return " ".join(words)


def tidy_name(name: str) -> str:
    """Write a merchant's name for people: `SQ *BLUE BOTTLE #0123` is Blue Bottle.

    What was not in capitals keeps its letters, and a name with nothing else in it stays as it is.
    """
    words = [word for word in name.split() if word.isprintable()]
    plain = " ".join(words)
    kept = _PROCESSORS.sub("", plain).partition("*")[0].split()
    while len(kept) > 1 and _is_number(kept[-1]):
        kept.pop()
    tidy = " ".join(kept).strip(" #-")
    if not tidy:
        return plain
    return " ".join(map(_lowered, tidy.split())) if tidy.isupper() else tidy


def _is_number(word: str) -> bool:
    """Tell a shop's or an order's number, such as `#1234` or `2K3`, from a word."""
    digits = sum(letter.isdigit() for letter in word)
    return digits > 0 and digits * 2 >= len(word.strip("#-"))


def _lowered(word: str) -> str:
    return word if len(word) <= _SHORT_WORDS and word.isalpha() else word.capitalize()


def same_merchant(known: str, asked: str) -> bool:
    """Tell whether two keys name one shop: equal, or one only goes on where the other ends."""
    shorter, longer = sorted((known, asked), key=len)
    if len(shorter) < _SHORTEST_KEY:
        return bool(shorter) and shorter == longer
    return longer == shorter or longer.startswith(f"{shorter} ")


def matches(pattern: str, text: str) -> bool:
    """Match a whole text, case aside, against a pattern in which `*` stands for anything."""
    first, *rest = pattern.casefold().split(ANYTHING)
    text = text.casefold()
    if not rest:
        return text == first
    if not text.startswith(first):
        return False
    at = len(first)
    *middle, last = rest
    for part in middle:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - len(last) >= at and text.endswith(last)
