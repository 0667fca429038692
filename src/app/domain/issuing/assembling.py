"""Puts together what a decision may look at, from the question and what recording it found."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from app.domain.issuing.asking import Ask
from app.domain.issuing.decision_store import Counted, Recorded, UsageFound
from app.domain.issuing.facts import Facts, Purchase, Usage, WindowUsage
from app.domain.issuing.rules import Window


class House(msgspec.Struct, frozen=True):
    """What the house has set for all decisions: see Facts."""

    own_descriptor: str
    debt_allowed_days: float = 3


LIMIT_WINDOWS = 2
"""The day and the month of a card come first among what is counted; then what rules ask for."""


def usage_of(found: UsageFound, counted: Sequence[Counted], windows: Sequence[Window]) -> Usage:
    """Give the usage; `counted` is the day, the month, and then one for each of the windows."""
    day, month, *more = counted
    return Usage(
        card_day_minor=day.amount_minor,
        card_month_minor=month.amount_minor,
        customer_open_minor=found.customer_open_minor,
        card_purchases=found.card_purchases,
        first_merchant=found.first_merchant,
        first_purchase_at=found.first_purchase_at,
        windows=[
            WindowUsage(window.scope, window.minutes, **msgspec.structs.asdict(one))
            for window, one in zip(windows, more, strict=True)
        ],
    )


def facts_of(ask: Ask, at: datetime, recorded: Recorded, usage: Usage, house: House) -> Facts:
    return Facts(
        at=at,
        purchase=Purchase(
            amount_minor=ask.amount_minor,
            currency=ask.currency,
            merchant_name=ask.merchant_name,
            merchant_category=ask.merchant_category,
            merchant_country=ask.merchant_country,
            merchant_network_id=ask.merchant_network_id,
            risk_score=ask.risk_score,
            controllable=ask.controllable,
            least_minor=ask.least_minor,
        ),
        card=recorded.card,
        customer=recorded.customer,
        sources=recorded.sources,
        price=recorded.price,
        usage=usage,
        approved_before_minor=ask.approved_before_minor,
        own_descriptor=house.own_descriptor,
        debt_allowed_days=house.debt_allowed_days,
        allowed_once=recorded.allowed_once,
    )
