"""The checks Stripe makes before it asks anyone, in its order.

Issuing balance, then card and cardholder, then spending controls
(https://docs.stripe.com/issuing/purchases/authorizations).
"""

from datetime import UTC, datetime
from typing import Any

from stripe_sandbox.issuing.controls import allows
from stripe_sandbox.world import World

CHECKED = ("cvc_check", "expiry_check")


def early_refusal(
    world: World, authorization: dict[str, Any], pending: dict[str, Any], *, is_first: bool
) -> str | None:
    """Give the reason a request is refused without being asked about, or None.

    The state of card and cardholder is looked at when an authorization is opened only: increments
    of one that stands still go through.
    """
    amount = pending["amount"]
    if amount > world.balance.available("issuing", pending["currency"]):
        return "insufficient_funds"
    card = world.get("issuing.card", authorization["card"])
    if is_first:
        cardholder = world.get("issuing.cardholder", card["cardholder"])
        reason = _card_refusal(card, world.now()) or _cardholder_refusal(cardholder)
        if reason is not None:
            return reason
    if not allows(world, card, authorization, amount):
        return "spending_controls"
    verification = authorization["verification_data"]
    if any(verification[check] == "mismatch" for check in CHECKED):
        return "verification_failed"
    return None


def _card_refusal(card: dict[str, Any], now: int) -> str | None:
    if card["status"] != "active":
        return f"card_{card['status']}"
    today = datetime.fromtimestamp(now, UTC)
    if (card["exp_year"], card["exp_month"]) < (today.year, today.month):
        return "card_expired"
    return None


def _cardholder_refusal(cardholder: dict[str, Any]) -> str | None:
    if cardholder["status"] != "active":
        return f"cardholder_{cardholder['status']}"
    if cardholder["requirements"]["disabled_reason"] is not None:
        return "cardholder_verification_required"
    return None
