"""What merchants can do and Stripe has no test helper for, under `/_sandbox/issuing`."""

from collections.abc import Sequence
from typing import Any

from stripe_sandbox.issuing import authorizations, transactions
from stripe_sandbox.issuing.giving_back import take_back
from stripe_sandbox.issuing.spending import count
from stripe_sandbox.routing import ControlCall, ControlRoute


async def force_capture(call: ControlCall) -> dict[str, Any]:
    """Capture an authorization that was declined or reversed: `{"amount": 1999}`.

    The network lets a merchant do so; the transaction names the authorization, which stays as it
    is (https://docs.stripe.com/issuing/purchases/transactions). Without an amount: what was asked.
    """
    world = call.world
    authorization = world.get(authorizations.KIND, call.path["authorization"])
    if authorization["approved"] and authorization["status"] != "reversed":
        raise ValueError("this authorization can be captured with Stripe's own test helper")
    amount = _amount(call)
    if amount is None:
        asked = authorization["request_history"]
        counts = [one for one in asked if one["approved"] is authorization["approved"]]
        amount = sum(entry["amount"] for entry in counts)
    if amount == 0:
        raise ValueError("an amount is needed: nothing was asked for")
    transaction = transactions.new_transaction(world, authorization, "capture", -amount)
    count(world.store, authorization, amount)
    world.emit("issuing_transaction.created", transaction)
    return transaction


async def reverse_refund(call: ControlCall) -> dict[str, Any]:
    """Have a merchant take back a refund: a refund with a negative amount. `{"amount": 300}`.

    Without an amount: all that is left of the refund.
    """
    refunded = call.world.get(transactions.KIND, call.path["transaction"])
    return take_back(call.world, refunded, _amount(call))


def _amount(call: ControlCall) -> int | None:
    """The amount that was sent in minor units, or None."""
    amount = call.body.get("amount")
    if amount is not None and (type(amount) is not int or amount < 1):
        raise ValueError("amount is a whole number of minor units, 1 or more")
    return amount


ROUTES: Sequence[ControlRoute] = (
    ControlRoute(
        "POST", "/_sandbox/issuing/authorizations/{authorization}/force_capture", force_capture
    ),
    ControlRoute(
        "POST", "/_sandbox/issuing/transactions/{transaction}/reverse_refund", reverse_refund
    ),
)
