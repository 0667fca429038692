"""Whether the issuer lets a customer hold cards: it looks at people after they have signed up."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec


class Review(StrEnum):
    """How far the issuer is. WANTS_MORE names what it lacks; REJECTED is its last word."""

    GOOD = "good"
    UNDER_REVIEW = "under_review"
    WANTS_MORE = "wants_more"
    REJECTED = "rejected"


class Standing(msgspec.Struct, frozen=True):
    """How a customer stands with the issuer; `lacks` has Stripe's names of what it wants.

    Source: https://docs.stripe.com/api/issuing/cardholders/object, `requirements`
    """

    review: Review
    lacks: Sequence[str] = ()
