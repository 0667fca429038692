"""Debts of too little, or too much, for a card to be charged with: they rest till they are paid."""

from tests.books import book_problems
from tests.controls import command, later
from tests.journeys.settlement.by_hand import until_there
from tests.product import Product
from tests.situations import force_capture, helper, holder, pay

TRIED = "SELECT id, state, next_attempt_at FROM receivable"
DUE = "next_attempt_at IS NOT NULL"
AT_REST = "next_attempt_at IS NULL"
MOST_MINOR = 999_999_99


async def test_a_trifle_is_not_tried_whoever_asks_for_it(product: Product) -> None:
    ada = await holder(product)
    bought = (await pay(product, ada.card, 100_00))["id"]
    await helper(product, bought, "capture", capture_amount=100_20)
    await product.settled()
    [debt] = await product.rows(TRIED)
    said = await command(product, "receivable", "collect", str(debt["id"]), "--reason", "he asked")
    assert said.code != 0
    assert "a card can be charged with 0.50 to 999,999.99 only" in said.complaint
    assert await product.rows(TRIED) == [{**debt, "state": "open", "next_attempt_at": None}]
    assert await book_problems(product) == []


async def test_what_is_too_much_with_our_fee_is_looked_at_once(product: Product) -> None:
    ada = await holder(product)
    await force_capture(product, ada.card, MOST_MINOR)
    await until_there(product, "receivable", ada.customer.id, DUE)
    await later(product, days=2)
    await until_there(product, "receivable", ada.customer.id, AT_REST)
    await product.settled()
    [debt] = await product.rows(TRIED)
    assert debt["state"] == "open"
    assert await book_problems(product) == []
