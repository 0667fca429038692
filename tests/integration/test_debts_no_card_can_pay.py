"""Debts of too little, or too much, for a card to be charged with: they rest till they are paid."""

from datetime import timedelta

from app.domain.issuing.debt_stops import write_stops
from tests.books import book_problems
from tests.controls import command, later
from tests.integration.test_portal_debts import seen
from tests.integration.test_portal_purchases import signed_in_holder
from tests.journeys.settlement.by_hand import until_there
from tests.portal import letters
from tests.product import Product
from tests.situations import force_capture, helper, holder, pay

TRIED = "SELECT id, state, next_attempt_at FROM receivable"
DUE = "next_attempt_at IS NOT NULL"
AT_REST = "next_attempt_at IS NULL"
MOST_MINOR = 999_999_99
ALLOWED = timedelta(days=3)
HOW = "What is too much for a card to be charged with is paid to our bank account: write to us."


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


async def test_what_is_too_much_is_named_with_how_it_is_paid(product: Product) -> None:
    ada = await holder(product)
    async with signed_in_holder(product, ada) as client:
        await force_capture(product, ada.card, MOST_MINOR)
        await product.settled()
        [letter] = await letters(product, "debt")
        assert letter["subject"] == "Not paid yet: $999,999.99 for Blue Bottle"
        assert f"than your linked cards have paid. {HOW}" in letter["text"]
        await write_stops(product.parts.sessions, ALLOWED, product.parts.clock.now() + 2 * ALLOWED)
        [letter] = await letters(product, "cards_stopped")
        assert letter["subject"] == "Your virtual cards are stopped: $999,999.99 is not paid"
        assert "Blue Bottle: $999,999.99, open since" in letter["text"]
        assert f"we write to you then. {HOW}" in letter["text"]
        [debt] = await product.rows("SELECT id, purchase_id FROM receivable")
        for path, words in {
            "/dashboard": "$999,999.99 is not paid yet",
            "/funding": "$999,999.99 is open Merchants took money",
            f"/funding/pay/{debt['id']}": "$999,999.99 is open.",
            f"/purchases/{debt['purchase_id']}": "Still to be paid $999,999.99",
        }.items():
            page = await seen(client, path)
            assert words in page, path
            assert HOW in page, path
            assert "too little" not in page, path
            assert "Pay $" not in page, path
