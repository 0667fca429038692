"""What each card has spent, by day and category, so that limits are sums of days.

A purchase counts on the day it was first authorized; a reversal or a smaller capture takes back
from that same day. Amounts are in minor units.
"""

from collections.abc import Sequence
from typing import Any

from stripe_sandbox.store import Store

KIND = "sandbox.spending"
DAY_SECONDS = 24 * 3600


def count(store: Store, authorization: dict[str, Any], amount: int) -> None:
    """Count money spent on a card, or with a negative amount given back."""
    card, category = authorization["card"], authorization["merchant_data"]["category"]
    key = f"spending:{card}"
    days = store.get(KIND, key) or {}
    day = days.setdefault(str(authorization["created"] // DAY_SECONDS), {})
    day[category] = day.get(category, 0) + amount
    store.put(KIND, key, days)


def spent(store: Store, card: str, since: int, categories: Sequence[str] | None) -> int:
    """What a card has spent since a moment at midnight UTC, in these categories or in all."""
    days = store.get(KIND, f"spending:{card}") or {}
    first = since // DAY_SECONDS
    return sum(
        amount
        for day, amounts in days.items()
        if int(day) >= first
        for category, amount in amounts.items()
        if categories is None or category in categories
    )
