"""What becomes of an authorization: captured, reversed, finalized, expired; the money that moves.

Which events and balance transactions follow:
https://docs.stripe.com/issuing/purchases/transactions. Amounts are in minor units.
"""

from typing import Any

from stripe_sandbox.errors import StripeError
from stripe_sandbox.issuing import authorizations, cards
from stripe_sandbox.issuing.holding import held, hold, release
from stripe_sandbox.issuing.merchant_categories import HELD_LONGER
from stripe_sandbox.issuing.realtime import Verdict
from stripe_sandbox.issuing.spending import count
from stripe_sandbox.issuing.transactions import in_merchant_currency, new_transaction
from stripe_sandbox.world import World

DAY_SECONDS = 24 * 3600
HELD_SECONDS = 7 * DAY_SECONDS
HELD_LONGER_SECONDS = 31 * DAY_SECONDS


def must_be_pending(authorization: dict[str, Any], action: str) -> None:
    status = authorization["status"]
    if status != "pending" or not authorization["approved"]:
        raise StripeError(
            f"This authorization cannot be {action} because its status is `{status}`."
        )


def capture(
    world: World,
    authorization: dict[str, Any],
    amount: int,
    *,
    closes: bool,
    purchase_details: dict[str, Any] | None,
) -> None:
    """Take money: the hold behind it is let go, and a transaction is made.

    A late capture of an expired or closed authorization goes through; a declined or reversed one
    has nothing to capture.
    """
    if not authorization["approved"] or authorization["status"] == "reversed":
        raise StripeError(
            f"This authorization cannot be captured because its status is "
            f"`{authorization['status']}`."
        )
    holds = held(world, authorization)
    before = dict(authorization)
    released = holds if closes else min(amount, holds)
    release(world, authorization, released, "capture")
    transaction = new_transaction(
        world, authorization, "capture", -amount, purchase_details=purchase_details
    )
    count(world.store, authorization, amount - released)
    if closes:
        authorization["status"] = "closed"
    world.emit("issuing_transaction.created", transaction)
    authorizations.save_changes(world, authorization, before)


def reverse(world: World, authorization: dict[str, Any], amount: int) -> None:
    """Let go of a part of the hold, or of all of it, which ends the authorization."""
    before = dict(authorization)
    holds = held(world, authorization)
    released = min(amount, holds)
    is_full = amount >= authorization["amount"]
    release(world, authorization, released, "reversal")
    count(world.store, authorization, -released)
    share = authorization["merchant_amount"]
    if not is_full:
        share = share * amount // authorization["amount"]
    authorization["amount"] -= amount
    authorization["merchant_amount"] -= share
    if is_full:
        authorization["status"] = "reversed"
    authorizations.save_changes(world, authorization, before)


def finalize(
    world: World, authorization: dict[str, Any], amount: int, details: dict[str, Any]
) -> None:
    """Bring the authorization to what the merchant says it came to, as a fuel pump does.

    The hold is raised or let go of so that it covers what is not captured yet; nobody is asked.
    `details` are fields that become known with the amount. https://docs.stripe.com/issuing/purchases/authorizations
    """
    before = dict(authorization)
    captured = -sum(
        one["amount"]
        for one in world.find("issuing.transaction", authorization=authorization["id"])
        if one["type"] == "capture"
    )
    more = max(0, amount - captured) - held(world, authorization)
    if more > 0:
        hold(world, authorization, more)
    else:
        release(world, authorization, -more, "final amount")
    count(world.store, authorization, more)
    authorization["merchant_amount"] = in_merchant_currency(authorization, amount)
    authorization |= details | {"amount": amount}
    authorizations.save_changes(world, authorization, before)


def expire(world: World, authorization: dict[str, Any]) -> None:
    """Let the hold lapse. The amount is kept: a late capture may still come."""
    before = dict(authorization)
    holds = held(world, authorization)
    release(world, authorization, holds, "expiration")
    count(world.store, authorization, -holds)
    authorization["status"] = "expired"
    authorizations.save_changes(world, authorization, before)


async def expire_due(world: World) -> None:
    """Expire what merchants have not captured in time."""
    now = world.now()
    for authorization in list(world.find(authorizations.KIND, status="pending")):
        longer = authorization["merchant_data"]["category"] in HELD_LONGER
        lasts = HELD_LONGER_SECONDS if longer else HELD_SECONDS
        is_due = authorization["created"] + lasts <= now
        if is_due and authorization["pending_request"] is None:
            expire(world, authorization)


async def conclude_interrupted(world: World) -> None:
    """Decide what was being asked about when an earlier process ended: nobody answered in time."""
    for authorization in list(world.find(authorizations.KIND, status="pending")):
        pending = authorization["pending_request"]
        if pending is None:
            continue
        before = dict(authorization)
        verdict = Verdict(
            approved=world.settings.authorization_timeout == "approve",
            reason="webhook_timeout",
            amount=pending["amount"],
        )
        at = world.now()
        authorizations.conclude(world, authorization, pending, verdict, requested_at=at)
        if before["request_history"]:
            authorizations.save_changes(world, authorization, before)
        else:
            world.emit("issuing_authorization.created", authorization)


def count_payment(world: World, authorization: dict[str, Any]) -> None:
    """Cancel a card that was made for so many payments, once it has made them.

    https://docs.stripe.com/issuing/controls/lifecycle-controls
    """
    card = world.get(cards.KIND, authorization["card"])
    controls = card["lifecycle_controls"]
    if controls is None or not authorization["approved"] or authorization["amount"] == 0:
        return
    made = sum(
        1
        for one in world.find(authorizations.KIND, card=card["id"])
        if one["approved"] and any(entry["amount"] for entry in one["request_history"])
    )
    if made >= controls["cancel_after"]["payment_count"] and card["status"] != "canceled":
        before = dict(card)
        card["status"] = "canceled"
        cards.save_changes(world, card, before)
