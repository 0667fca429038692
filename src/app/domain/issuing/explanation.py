"""What is said about a reason to decline, and whose decision it was."""

from enum import StrEnum

import msgspec


class Decider(StrEnum):
    """Whose decision it was."""

    CUSTOMER = "the customer's setting"
    US = "us"
    BANK = "the customer's bank"
    STRIPE = "Stripe"
    MERCHANT = "the merchant"


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What to say about a reason. `short` completes "declined 80.00 Blue Bottle · …".

    `allow_once`: a person may let the next attempt pass this check, once.
    """

    short: str
    customer: str
    staff: str
    next_step: str
    decided_by: Decider
    retry_sensible: bool = False
    allow_once: bool = False
