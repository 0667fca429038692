"""Numbers of issued cards: made from the card's id, so that none is ever kept."""

import hashlib
import hmac

# Test mode issues from this range (https://docs.stripe.com/issuing/testing).
ISSUER = "400000999"
DIGITS = 15


def card_secrets(card_id: str) -> dict[str, str]:
    """Give the `number` (passing the Luhn check) and the `cvc` of a card."""
    digest = int.from_bytes(hmac.digest(b"stripe_sandbox", card_id.encode(), hashlib.sha256))
    body = ISSUER + str(digest % 10 ** (DIGITS - len(ISSUER))).zfill(DIGITS - len(ISSUER))
    return {"number": body + _check_digit(body), "cvc": str(digest // 10**9 % 1000).zfill(3)}


def last4(card_id: str) -> str:
    return card_secrets(card_id)["number"][-4:]


def _check_digit(body: str) -> str:
    doubled = (int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(body[::-1]))
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)
