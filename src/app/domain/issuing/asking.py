"""What Stripe asks in real time, and what we answer."""

from datetime import datetime, timedelta

import msgspec

from app.domain.issuing.decline_reasons import DeclineReason


class Ask(msgspec.Struct, frozen=True):
    """One question about a purchase: Stripe's ids, and amounts in minor units.

    `amount_minor` is what the merchant wants on top of `approved_before_minor`.
    Source: https://docs.stripe.com/issuing/controls/real-time-authorizations
    """

    event: str
    authorization: str
    card: str
    ordinal: int
    amount_minor: int
    currency: str
    approved_before_minor: int
    merchant_name: str
    merchant_category: str
    merchant_country: str | None
    merchant_city: str | None
    merchant_network_id: str | None
    # The network's estimate of fraud, 0 to 99, where it gives one.
    risk_score: int | None = None
    # Whether less than the amount may be approved, and how little at least.
    controllable: bool = False
    least_minor: int = 0


class Answer(msgspec.Struct, frozen=True):
    """The answer, and what a person wants to know about it. Times in milliseconds."""

    approved: bool
    reason: DeclineReason | None = None
    # What was approved, where the merchant lets us approve less than it asked for.
    approved_minor: int | None = None
    held_minor: int = 0
    source_brand: str | None = None
    source_last4: str | None = None
    step_ms: dict[str, float] = {}
    replayed: bool = False


class LimitWindows(msgspec.Struct, frozen=True):
    """Where the day and the month of the limits began, in UTC, as Stripe counts them.

    Source: https://docs.stripe.com/issuing/controls/spending-controls
    """

    day_start: datetime
    month_start: datetime


def limit_windows(now: datetime) -> LimitWindows:
    assert now.utcoffset() == timedelta(0)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return LimitWindows(day, day.replace(day=1))
