"""Refunds of captures, and refunds that their merchants take back again.

A refund is a transaction of its own, positive; one that is reversed is followed by another with a
negative amount (https://docs.stripe.com/issuing/purchases/transactions). How much of a transaction
was given back is kept beside them. Amounts are in minor units.
"""

from typing import Any

from stripe_sandbox.errors import StripeError
from stripe_sandbox.issuing.spending import count
from stripe_sandbox.issuing.transactions import new_transaction
from stripe_sandbox.world import World

KIND = "sandbox.given_back"


def refund(world: World, captured: dict[str, Any], amount: int | None) -> dict[str, Any]:
    """Refund a capture in part, or with None all that is left of it.

    Raises Stripe's error for more than was captured and not refunded yet.
    """
    if captured["type"] != "capture":
        raise StripeError(
            f"Only captures can be refunded; the type of this transaction is `{captured['type']}`."
        )
    amount = _within(world, captured, amount, "refund_amount")
    made = _follow(world, captured, amount)
    _note(world, captured["id"], made["id"], amount)
    return made


def take_back(world: World, refunded: dict[str, Any], amount: int | None) -> dict[str, Any]:
    """Reverse a refund in part, or with None all that is left of it.

    What is taken back from a refund can be refunded once more.
    """
    if refunded["type"] != "refund" or refunded["amount"] < 0:
        raise StripeError("Only a refund that gave money back can be reversed.")
    amount = _within(world, refunded, amount, "amount")
    made = _follow(world, refunded, -amount)
    _note(world, refunded["id"], made["id"], amount)
    captured = world.store.get(KIND, f"given_back:{refunded['id']}")
    if captured is not None:
        # A second note under the capture: so much less of it is given back.
        world.store.put(
            KIND,
            f"taken_back:{made['id']}",
            {"id": made["id"], "of": captured["of"], "amount": -amount},
        )
    return made


def _within(world: World, transaction: dict[str, Any], amount: int | None, param: str) -> int:
    """The amount, or all that is left; Stripe's error where it is more than that."""
    given = sum(note["amount"] for note in world.find(KIND, of=transaction["id"]))
    left: int = abs(transaction["amount"]) - given
    if left == 0:
        raise StripeError(f"All of this {transaction['type']} was given back already.", param=param)
    wanted = left if amount is None else amount
    if wanted < 1:
        raise StripeError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param=param,
        )
    if wanted > left:
        raise StripeError(
            f"This value must be less than or equal to {left}, the amount of the "
            f"{transaction['type']} that was not given back yet.",
            code="parameter_invalid_integer",
            param=param,
        )
    return wanted


def _follow(world: World, transaction: dict[str, Any], amount: int) -> dict[str, Any]:
    """Make the transaction that gives money back, or takes it back, and tell of it."""
    purchase = transaction | {
        "id": transaction["authorization"],
        "amount": abs(transaction["amount"]),
        "merchant_amount": abs(transaction["merchant_amount"]),
        "request_history": [],
    }
    made = new_transaction(world, purchase, "refund", amount)
    count(world.store, purchase, -amount)
    world.emit("issuing_transaction.created", made)
    return made


def _note(world: World, of: str, by: str, amount: int) -> None:
    world.store.put(KIND, f"given_back:{by}", {"id": by, "of": of, "amount": amount})
