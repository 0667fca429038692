"""Whether the sandbox's books agree with themselves.

Balances, holds and objects are each kept beside the balance transactions that explain them
(https://docs.stripe.com/reports/balance-transaction-types); here one is held against the other.
Amounts are in minor units.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from stripe_sandbox.world import World

HOLDS = frozenset({"issuing_authorization_hold", "issuing_authorization_release"})
# What an object that names a balance transaction has moved by it.
MOVED: Mapping[str, Callable[[dict[str, Any]], int]] = {
    "charge": lambda charge: int(charge["amount_captured"]),
    "issuing.transaction": lambda transaction: int(transaction["amount"]),
    "refund": lambda refund: -int(refund["amount"]),
    "topup": lambda topup: int(topup["amount"]),
}


def books(world: World) -> dict[str, Any]:
    """Every balance and every open hold with what its transactions sum to, and what disagrees."""
    balances, holds = list(_balances(world)), list(_holds(world))
    return {
        "balances": balances,
        "holds": [one for one in holds if one["amount"] or one["net_of_transactions"]],
        "violations": [
            *_wrong_balances(balances),
            *_wrong_holds(world, holds),
            *_wrong_objects(world),
        ],
    }


def violations(world: World) -> list[str]:
    """What is wrong with the books, in words; empty when nothing is."""
    found: list[str] = books(world)["violations"]
    return found


def _balances(world: World) -> Iterator[dict[str, Any]]:
    sums: dict[tuple[str, str], dict[str, int]] = defaultdict(
        lambda: {"available": 0, "pending": 0}
    )
    for moved in world.find("balance_transaction"):
        sums[moved["balance_type"], moved["currency"]][moved["status"]] += moved["net"]
    for row in world.find("sandbox.balance"):
        summed = sums.pop((row["balance_type"], row["currency"]), {"available": 0, "pending": 0})
        yield _balance(row, summed)
    for (balance_type, currency), summed in sums.items():
        nothing = {"balance_type": balance_type, "currency": currency, "available": 0, "pending": 0}
        yield _balance(nothing, summed)


def _balance(row: dict[str, Any], summed: dict[str, int]) -> dict[str, Any]:
    return {
        **row,
        "net_of_transactions": summed["available"] + summed["pending"],
        "pending_of_transactions": summed["pending"],
    }


def _wrong_balances(balances: list[dict[str, Any]]) -> Iterator[str]:
    for one in balances:
        where = f"{one['balance_type']} balance in {one['currency']}"
        held = one["available"] + one["pending"]
        if held != one["net_of_transactions"]:
            yield f"{where} is {held}, its transactions sum to {one['net_of_transactions']}"
        if one["pending"] != one["pending_of_transactions"]:
            pending = one["pending_of_transactions"]
            yield f"{where} has {one['pending']} pending, its pending transactions sum to {pending}"


def _holds(world: World) -> Iterator[dict[str, Any]]:
    """What each authorization holds, and the sum of its holds (negative) and releases."""
    sums: dict[str, int] = defaultdict(int)
    for moved in world.find("balance_transaction"):
        if moved["type"] in HOLDS:
            sums[moved["source"]] += moved["net"]
    for one in world.find("sandbox.hold"):
        authorization = one["authorization"]
        yield {
            "authorization": authorization,
            "amount": one["amount"],
            "net_of_transactions": sums.pop(authorization, 0),
        }
    for authorization, net in sums.items():
        yield {"authorization": authorization, "amount": 0, "net_of_transactions": net}


def _wrong_holds(world: World, holds: list[dict[str, Any]]) -> Iterator[str]:
    for one in holds:
        where, amount = f"authorization {one['authorization']}", one["amount"]
        if amount != -one["net_of_transactions"]:
            yield f"{where} holds {amount}, its transactions sum to {one['net_of_transactions']}"
        if amount < 0:
            yield f"{where} holds less than nothing: {amount}"
        found = world.named(one["authorization"])
        if amount and (found is None or found["status"] != "pending"):
            status = "unknown" if found is None else found["status"]
            yield f"{where} holds {amount} though its status is {status}"


def _wrong_objects(world: World) -> Iterator[str]:
    for kind, moved_by in MOVED.items():
        for one in world.find(kind):
            if one["balance_transaction"] is None:
                continue
            moved = world.store.get("balance_transaction", one["balance_transaction"])
            if moved is None or moved["source"] != one["id"]:
                yield f"{kind} {one['id']} names a balance transaction that is not its own"
            elif moved["amount"] != moved_by(one):
                yield f"{kind} {one['id']} moved {moved_by(one)}, its transaction {moved['amount']}"
