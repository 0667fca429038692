"""Is it Stripe? Checked over the raw bytes, before anything is read or stored.

Source: https://docs.stripe.com/webhooks#verify-manually
"""

import hashlib
import hmac
import re
from collections.abc import Sequence

import msgspec

from app.errors import AppError

TOLERANCE_SECONDS = 300
MOST_SIGNATURES = 16
_TIMESTAMP = re.compile(r"t=([0-9]{1,12})")
_SIGNATURE = re.compile(r"v1=([0-9a-f]{64})")


class NotGenuine(AppError, status=400):
    """The request was not signed by Stripe with one of our secrets, or not just now."""


class Signature(msgspec.Struct, frozen=True):
    """What the Stripe-Signature header says, not yet checked against the body."""

    time: str
    signatures: list[str]


def verify(body: bytes, header: str, secrets: Sequence[str], now: float) -> None:
    """Raise NotGenuine unless a signature over the body, by any of the secrets, is recent."""
    check(body, read_signature(header, now), secrets)


def read_signature(header: str, now: float) -> Signature:
    """Read the header, which costs next to nothing. Raise NotGenuine for what Stripe never sends.

    Both a too old and a too early timestamp are refused.
    """
    parts = [part.strip() for part in header.split(",", MOST_SIGNATURES * 2)]
    times = [found[1] for part in parts if (found := _TIMESTAMP.fullmatch(part))]
    signatures = [found[1] for part in parts if (found := _SIGNATURE.fullmatch(part))]
    if len(times) != 1 or not signatures:
        raise NotGenuine("Stripe-Signature must hold one t= and at least one v1=")
    if abs(now - int(times[0])) > TOLERANCE_SECONDS:
        raise NotGenuine("The signature's time is more than 300 seconds from now")
    return Signature(times[0], signatures[:MOST_SIGNATURES])


def check(body: bytes, signature: Signature, secrets: Sequence[str]) -> None:
    """Raise NotGenuine unless one of the signatures is over the body, by any of the secrets."""
    signed = signature.time.encode() + b"." + body
    expected = [hmac.new(s.encode(), signed, hashlib.sha256).hexdigest() for s in secrets]
    if not any(
        hmac.compare_digest(ours, theirs) for ours in expected for theirs in signature.signatures
    ):
        raise NotGenuine("No signature matches")
