"""Money that moves without an authorization: forced captures and refunds, by test helpers.

https://docs.stripe.com/api/issuing/transactions/create_force_capture and its neighbours. Amounts
are in minor units.
"""

from collections.abc import Sequence
from typing import Any

from stripe.params.test_helpers import issuing as params_of

from stripe_sandbox.issuing import giving_back
from stripe_sandbox.issuing.merchants import merchant_data
from stripe_sandbox.issuing.purchases import in_range, network_transaction_id
from stripe_sandbox.issuing.spending import count
from stripe_sandbox.issuing.transactions import KIND, new_transaction
from stripe_sandbox.routing import Call, Route

BASE = "/v1/test_helpers/issuing/transactions"


async def force_capture(call: Call) -> dict[str, Any]:
    """A merchant takes money that nobody was asked about. It cannot be refused."""
    return _unasked(call, "capture")


async def unlinked_refund(call: Call) -> dict[str, Any]:
    """A merchant gives money that no purchase of the card's is known for."""
    return _unasked(call, "refund")


async def refund(call: Call) -> dict[str, Any]:
    """A merchant gives back what it captured, or a part of it."""
    captured = call.world.get(KIND, call.path["transaction"])
    return giving_back.refund(call.world, captured, call.params.get("refund_amount"))


def _unasked(call: Call, type_: str) -> dict[str, Any]:
    world, params = call.world, call.params
    card = world.get("issuing.card", params["card"], param="card")
    amount = in_range(params["amount"], "amount", least=1)
    currency = str(params.get("currency", card["currency"])).lower()
    purchase = {
        "id": None,
        "amount": amount,
        "card": card["id"],
        "cardholder": card["cardholder"],
        "created": world.now(),
        "currency": currency,
        "merchant_amount": amount,
        "merchant_currency": currency,
        "merchant_data": merchant_data(params.get("merchant_data")),
        "network_data": {"transaction_id": network_transaction_id()},
        "request_history": [],
        "wallet": None,
    }
    signed = -amount if type_ == "capture" else amount
    transaction = new_transaction(
        world, purchase, type_, signed, purchase_details=params.get("purchase_details")
    )
    count(world.store, purchase, -signed)
    world.emit("issuing_transaction.created", transaction)
    return transaction


ROUTES: Sequence[Route] = (
    Route(
        "POST",
        f"{BASE}/create_force_capture",
        force_capture,
        params_of.TransactionCreateForceCaptureParams,
    ),
    Route(
        "POST",
        f"{BASE}/create_unlinked_refund",
        unlinked_refund,
        params_of.TransactionCreateUnlinkedRefundParams,
    ),
    Route("POST", f"{BASE}/{{transaction}}/refund", refund, params_of.TransactionRefundParams),
)
