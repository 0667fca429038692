"""Somebody lets go of a hold, takes it or gives it back at Stripe, and we learn it afterwards."""

import pytest

from tests.books import book_problems
from tests.integration.test_sweeps import job
from tests.oracle import kept_by_purchase, oracle
from tests.planting import Planting
from tests.product import Product
from tests.situations import Holder, helper, holder, intents, pay
from tests.waiting import until

PURCHASES = """
SELECT state, not_handled, settle_after IS NULL AND leased_until IS NULL AS rests
  FROM card_authorization
"""
CHARGES = "SELECT state, captured_minor, refunded_minor FROM charge"


async def bought(product: Product) -> tuple[Holder, str, str]:
    """Give a customer with an open purchase of 19.99, and its hold."""
    ada = await holder(product)
    purchase = (await pay(product, ada.card, 19_99))["id"]
    await product.settled()
    [intent] = await intents(product, ada.customer.stripe_customer_id)
    return ada, purchase, intent["id"]


async def taken_and_given_back(product: Product, intent: str) -> None:
    await product.call("POST", f"/v1/payment_intents/{intent}/capture")
    await product.call("POST", "/v1/refunds", payment_intent=intent)


async def told(product: Product, state: str, words: str) -> None:
    """Wait until the purchase rests, with these words for staff."""

    async def rests() -> bool:
        [row] = await product.rows(PURCHASES)
        at_rest = row["rests"] and row["state"] == state
        return bool(at_rest and words in str(row["not_handled"]))

    await until(rests, why="a person is told, and nothing is tried again and again")


@pytest.mark.parametrize("heard", [True, False], ids=["by events", "by the lists"])
async def test_what_was_taken_and_given_back_unseen_is_told_and_settled(
    product: Product, *, heard: bool
) -> None:
    ada, purchase, intent = await bought(product)
    if not heard:
        await Planting(product, ada).stop_events()
    await taken_and_given_back(product, intent)
    await helper(product, purchase, "capture")
    if not heard:
        assert "failed" not in await job(product, "sweep_lists")
    await told(product, "closed", "21.49 went back to a linked card at Stripe, not by us")
    assert await product.rows(CHARGES) == [
        {"state": "refunded", "captured_minor": 21_49, "refunded_minor": 21_49}
    ]
    assert await kept_by_purchase(product) == {purchase: 0}, "it is not charged again by itself"
    for problem in await book_problems(product):
        assert problem.startswith("1010 is 2057") or "no journal" in problem, "but for that refund"


async def test_what_went_back_already_is_not_given_back_again_and_again(product: Product) -> None:
    _, purchase, intent = await bought(product)
    await taken_and_given_back(product, intent)
    await helper(product, purchase, "reverse")
    await told(product, "reversed", "21.49 went back to a linked card at Stripe, not by us")
    assert await product.rows("SELECT id FROM refund") == []


async def test_a_part_that_went_back_already_is_not_given_back_with_the_rest(
    product: Product,
) -> None:
    _, purchase, intent = await bought(product)
    await product.call("POST", f"/v1/payment_intents/{intent}/capture")
    await product.call("POST", "/v1/refunds", payment_intent=intent, amount=5_00)
    await helper(product, purchase, "reverse")
    await told(product, "reversed", "5.00 went back to a linked card at Stripe, not by us")
    assert await product.rows("SELECT amount_minor FROM refund") == [{"amount_minor": 16_49}]
    assert await kept_by_purchase(product) == {purchase: 0}


async def test_a_hold_that_is_gone_is_told_while_its_purchase_is_open(product: Product) -> None:
    _, purchase, intent = await bought(product)
    await product.call("POST", f"/v1/payment_intents/{intent}/cancel")
    await told(product, "pending", "its hold is gone at Stripe and the purchase is open")
    await helper(product, purchase, "capture")
    await oracle(product)
    [row] = await product.rows(PURCHASES)
    assert row["not_handled"] is None, "the linked card was charged for it"
