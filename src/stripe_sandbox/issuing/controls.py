"""Spending controls: what a card or a cardholder may buy, where, and for how much.

https://docs.stripe.com/issuing/controls/spending-controls. Amounts are in minor units.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from stripe_sandbox.errors import StripeError
from stripe_sandbox.issuing.spending import spent
from stripe_sandbox.world import World

# A new card without limits gets this one, and no card ever goes above the cap.
DEFAULT_LIMIT = {"amount": 500_00, "categories": [], "interval": "daily"}
CAP_PER_AUTHORIZATION_MINOR = 10_000_00

LISTS = (
    "allowed_card_presences",
    "allowed_categories",
    "allowed_merchant_countries",
    "blocked_card_presences",
    "blocked_categories",
    "blocked_merchant_countries",
)
PAIRS = ("card_presences", "categories", "merchant_countries")


def card_controls(
    kept: dict[str, Any] | None, given: dict[str, Any] | None, currency: str
) -> dict[str, Any]:
    """Give a card's controls after a change; a new card without limits gets the default one."""
    controls = _changed(kept, given, currency)
    if kept is None and not controls["spending_limits"]:
        controls["spending_limits"] = [dict(DEFAULT_LIMIT)]
    return controls


def cardholder_controls(
    kept: dict[str, Any] | None, given: dict[str, Any] | None
) -> dict[str, Any]:
    currency = (given or {}).get("spending_limits_currency")
    currency = currency or (kept or {}).get("spending_limits_currency")
    return _changed(kept, given, currency)


def allows(
    world: World, card: dict[str, Any], authorization: dict[str, Any], additional: int
) -> bool:
    """Whether the controls of a card and of its cardholder let a purchase of this much through."""
    if authorization["amount"] + additional > CAP_PER_AUTHORIZATION_MINOR:
        return False
    cardholder = world.get("issuing.cardholder", card["cardholder"])
    siblings = [one["id"] for one in world.find("issuing.card", cardholder=cardholder["id"])]
    return _within(
        world, card["spending_controls"], authorization, additional, _chain(world, card)
    ) and _within(world, cardholder["spending_controls"], authorization, additional, siblings)


def _within(
    world: World,
    controls: dict[str, Any],
    authorization: dict[str, Any],
    additional: int,
    cards: Iterable[str],
) -> bool:
    merchant = authorization["merchant_data"]
    facts = {
        "card_presences": authorization["card_presence"],
        "categories": merchant["category"],
        "merchant_countries": merchant["country"],
    }
    for name, value in facts.items():
        allowed, blocked = controls[f"allowed_{name}"], controls[f"blocked_{name}"]
        if (allowed and value not in allowed) or (blocked and value in blocked):
            return False
    return all(
        _fits(world, limit, authorization, additional, cards)
        for limit in controls["spending_limits"]
        if not limit["categories"] or merchant["category"] in limit["categories"]
    )


def _fits(
    world: World,
    limit: dict[str, Any],
    authorization: dict[str, Any],
    additional: int,
    cards: Iterable[str],
) -> bool:
    if limit["interval"] == "per_authorization":
        return bool(authorization["amount"] + additional <= limit["amount"])
    since = interval_start(limit["interval"], world.now())
    categories = limit["categories"] or None
    total = sum(spent(world.store, card, since, categories) for card in cards)
    return bool(total + additional <= limit["amount"])


def interval_start(interval: str, now: int) -> int:
    """When the running interval began: midnight UTC of its first day; weeks begin on Sunday."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match interval:
        case "daily":
            first = today
        case "weekly":
            first = today - timedelta(days=today.isoweekday() % 7)
        case "monthly":
            first = today.replace(day=1)
        case "yearly":
            first = today.replace(month=1, day=1)
        case _:
            return 0
    return int(first.timestamp())


def _chain(world: World, card: dict[str, Any]) -> list[str]:
    """A card and those it replaces, one after the other: limits span them all."""
    chain = [card["id"]]
    while card["replacement_for"] is not None:
        card = world.get("issuing.card", card["replacement_for"])
        chain.append(card["id"])
    return chain


def _changed(
    kept: dict[str, Any] | None, given: dict[str, Any] | None, currency: str | None
) -> dict[str, Any]:
    given = given or {}
    for pair in PAIRS:
        if given.get(f"allowed_{pair}") and given.get(f"blocked_{pair}"):
            raise StripeError(
                f"You cannot set both `allowed_{pair}` and `blocked_{pair}`.",
                param=f"spending_controls[blocked_{pair}]",
            )
    controls = dict(kept or dict.fromkeys(LISTS) | {"spending_limits": []})
    for pair in PAIRS:
        for side, other in (("allowed", "blocked"), ("blocked", "allowed")):
            if f"{side}_{pair}" in given:
                controls[f"{side}_{pair}"] = given[f"{side}_{pair}"] or []
                if given[f"{side}_{pair}"]:
                    controls[f"{other}_{pair}"] = None
    if "spending_limits" in given:
        controls["spending_limits"] = [
            {
                "amount": limit["amount"],
                "categories": limit.get("categories") or [],
                "interval": limit["interval"],
            }
            for limit in given["spending_limits"]
        ]
    controls["spending_limits_currency"] = currency
    return controls
