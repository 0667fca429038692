"""What the account has at Stripe, and the transactions that moved it.

https://docs.stripe.com/api/balance and https://docs.stripe.com/api/balance_transactions
"""

from typing import Any

from stripe_sandbox.balances import BalanceType
from stripe_sandbox.errors import no_such
from stripe_sandbox.listing import list_page
from stripe_sandbox.routing import Call
from stripe_sandbox.world import World


async def retrieve(call: Call) -> dict[str, Any]:
    """Payments money, available and pending, and apart from it what Issuing can spend."""
    world = call.world
    balances = world.balance
    return {
        "object": "balance",
        "available": [
            _amount(balances.available("payments", currency), currency)
            for currency in balances.currencies("payments")
        ],
        "connect_reserved": [{"amount": 0, "currency": "usd"}],
        "issuing": {"available": _issuing(world, "issuing")},
        "livemode": False,
        "pending": [
            _amount(balances.pending("payments", currency), currency)
            for currency in balances.currencies("payments")
        ],
    }


async def list_transactions(call: Call) -> dict[str, Any]:
    """Newest first, narrowed by `type`, `source`, `currency`, `created` and `payout`."""
    payout = call.params.get("payout")
    if payout is not None:
        # The account is never paid out.
        raise no_such("payout", payout, param="payout")
    return list_page(call, "balance_transaction")


async def retrieve_transaction(call: Call) -> dict[str, Any]:
    return call.world.get("balance_transaction", call.path["transaction"])


def _issuing(world: World, balance_type: BalanceType) -> list[dict[str, Any]]:
    balances = world.balance
    return [
        _amount(balances.available(balance_type, currency), currency)
        for currency in balances.currencies(balance_type)
    ]


def _amount(amount: int, currency: str) -> dict[str, Any]:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}
