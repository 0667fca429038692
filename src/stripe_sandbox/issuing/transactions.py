"""Issuing transactions: captures, negative, and refunds, positive.

https://docs.stripe.com/api/issuing/transactions. Amounts are in minor units.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from stripe.params import issuing as params_of

from stripe_sandbox.listing import list_page
from stripe_sandbox.metadata import merged
from stripe_sandbox.routing import Call, Route
from stripe_sandbox.world import World

KIND = "issuing.transaction"
TEMPLATE = "/v1/issuing/transactions/{transaction}"


async def retrieve(call: Call) -> dict[str, Any]:
    return call.world.get(KIND, call.path["transaction"])


async def update(call: Call) -> dict[str, Any]:
    world = call.world
    transaction = world.get(KIND, call.path["transaction"])
    before = transaction["metadata"]
    transaction["metadata"] = merged(before, call.params.get("metadata"))
    world.save(transaction)
    if transaction["metadata"] != before:
        world.emit("issuing_transaction.updated", transaction, {"metadata": before})
    return transaction


async def list_(call: Call) -> dict[str, Any]:
    return list_page(call, KIND)


def new_transaction(
    world: World,
    purchase: dict[str, Any],
    type_: str,
    amount: int,
    *,
    purchase_details: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Make a transaction and move its money on the Issuing balance.

    `purchase` is the authorization, or what stands in its place when there was none (then its
    `id` is None).
    """
    transaction_id = world.new_id("ipi")
    return world.add(
        {
            "id": transaction_id,
            "object": KIND,
            "amount": amount,
            "amount_details": {"atm_fee": None, "cashback_amount": None},
            "authorization": purchase["id"],
            "balance_transaction": _moved(world, transaction_id, amount, purchase["currency"]),
            "card": purchase["card"],
            "cardholder": purchase["cardholder"],
            "created": world.now(),
            "currency": purchase["currency"],
            "dispute": None,
            "livemode": False,
            "merchant_amount": in_merchant_currency(purchase, amount),
            "merchant_currency": purchase["merchant_currency"],
            "merchant_data": purchase["merchant_data"],
            "metadata": {},
            "network_data": _network_data(purchase, world.now()),
            "purchase_details": _details(purchase_details),
            "token": None,
            "type": type_,
            "wallet": purchase["wallet"],
        }
    )


def _moved(world: World, transaction_id: str, amount: int, currency: str) -> str:
    """Move a transaction's money, and give the id of the balance transaction."""
    moved = world.balance.add_transaction(
        "issuing",
        "issuing_transaction",
        amount,
        source=transaction_id,
        description="Issuing transaction",
        currency=currency,
    )
    return str(moved["id"])


def in_merchant_currency(purchase: dict[str, Any], amount: int) -> int:
    """An amount of a purchase in its merchant's currency, at the rate it was authorized at."""
    if purchase["amount"] == 0 or purchase["merchant_amount"] == purchase["amount"]:
        return amount
    merchant_amount: int = purchase["merchant_amount"]
    authorized: int = purchase["amount"]
    return round(amount * merchant_amount / authorized)


def _details(given: dict[str, Any] | None) -> dict[str, Any] | None:
    names = ("fleet", "flight", "fuel", "lodging", "receipt", "reference")
    return None if given is None else {name: given.get(name) for name in names}


def _network_data(purchase: dict[str, Any], now: int) -> dict[str, Any]:
    history = purchase["request_history"]
    return {
        "authorization_code": history[0]["authorization_code"] if history else None,
        "processing_date": datetime.fromtimestamp(now, UTC).date().isoformat(),
        "transaction_id": purchase["network_data"]["transaction_id"],
    }


ROUTES: Sequence[Route] = (
    Route("GET", "/v1/issuing/transactions", list_, params_of.TransactionListParams, KIND),
    Route("GET", TEMPLATE, retrieve),
    Route("POST", TEMPLATE, update, params_of.TransactionUpdateParams),
)
