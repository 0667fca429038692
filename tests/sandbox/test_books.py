"""The sandbox's books: they agree with themselves, and it is noticed when they do not."""

from typing import Any

from tests.sandbox.paying import payer
from tests.sandbox.people import card, pay
from tests.sandbox.serving import Running


async def books(sandbox: Running) -> dict[str, Any]:
    found: dict[str, Any] = (await sandbox.control.get("/_sandbox/books")).json()
    return found


async def test_the_books_show_what_each_balance_and_hold_comes_to(sandbox: Running) -> None:
    ada = await payer(sandbox)
    await ada.charge(2149, capture_method="automatic")
    made = await pay(sandbox, await card(sandbox), 1999)

    found = await books(sandbox)

    assert found["violations"] == []
    by_type = {one["balance_type"]: one for one in found["balances"]}
    assert by_type["payments"] == {
        "balance_type": "payments",
        "currency": "usd",
        "available": 0,
        "pending": 2057,
        "net_of_transactions": 2057,
        "pending_of_transactions": 2057,
    }
    assert by_type["issuing"]["available"] == 100_000_00 - 1999
    assert found["holds"] == [
        {"authorization": made.id, "amount": 1999, "net_of_transactions": -1999}
    ]


async def test_whatever_does_not_add_up_is_named(sandbox: Running) -> None:
    plastic = await card(sandbox)
    made, other = await pay(sandbox, plastic, 1000), await pay(sandbox, plastic, 500)
    helper = sandbox.stripe.v1.test_helpers.issuing.authorizations
    paid = (await helper.capture_async(other.id)).transactions[0]
    world = sandbox.app.world
    row = world.store.get("sandbox.balance", "issuing:usd")
    hold = world.store.get("sandbox.hold", f"hold:{made.id}")
    assert row is not None
    assert hold is not None

    row["available"] -= 1
    row["pending"] += 3
    hold["amount"] += 1
    world.get("issuing.authorization", made.id)["status"] = "closed"
    world.get("issuing.transaction", paid.id)["amount"] = -499
    found = (await books(sandbox))["violations"]

    assert found == [
        "issuing balance in usd is 9998502, its transactions sum to 9998500",
        "issuing balance in usd has 3 pending, its pending transactions sum to 0",
        f"authorization {made.id} holds 1001, its transactions sum to -1000",
        f"authorization {made.id} holds 1001 though its status is closed",
        f"issuing.transaction {paid.id} moved -499, its transaction -500",
    ]
    row["available"] += 1
    row["pending"] -= 3
    hold["amount"] -= 1
    world.get("issuing.authorization", made.id)["status"] = "pending"
    world.get("issuing.transaction", paid.id)["amount"] = -500
