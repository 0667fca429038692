"""What is not paid: every page and letter names the sum that is charged, and what stops for it."""

from datetime import timedelta

import httpx
import pytest

from app.domain.issuing.debt_stops import write_stops
from tests.books import book_problems
from tests.factories import CredentialFactory
from tests.integration.test_portal_dashboard import words_on
from tests.integration.test_portal_funding import act
from tests.integration.test_portal_paying import begin, intent_on
from tests.integration.test_portal_purchases import id_of, signed_in_holder
from tests.journeys.settlement.by_hand import until_there
from tests.journeys.settlement.test_time import days_pass
from tests.portal import letters
from tests.product import Product
from tests.situations import (
    LATER_DECLINES,
    VISA,
    Holder,
    behave,
    force_capture,
    helper,
    holder,
    pay,
)

ALLOWED = timedelta(days=3)
REFUSE_ONE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'not this letter'; END$$;
CREATE TRIGGER refuse BEFORE INSERT ON mail FOR EACH ROW
    WHEN (NEW.kind = 'cards_stopped' AND NEW.recipient = 'ada@example.com')
    EXECUTE FUNCTION refuse()
"""
SAID = "SELECT kind, subject, text FROM mail WHERE kind LIKE 'cards_%' ORDER BY id"
TRIED_AGAIN = "state = 'open' AND attempts = 2"
OPEN = "SELECT id, purchase_id FROM receivable WHERE state = 'open'"


async def seen(client: httpx.AsyncClient, path: str) -> str:
    page = await client.get(path)
    assert page.status_code == 200, page.text
    return words_on(page.text)


async def pay_debt(product: Product, client: httpx.AsyncClient, ada: Holder) -> None:
    """Pay what is open with the first linked card, whose bank takes it now."""
    await behave(product, ada.sources[0].stripe_payment_method_id, VISA)
    [debt] = await product.rows(OPEN)
    payment = await begin(client, f"/funding/pay/{debt['id']}", ada.sources[0].id)
    intent = await intent_on(client, payment)
    await product.call("POST", f"/v1/payment_intents/{intent}/confirm")
    done = await act(client, f"{payment}/finish")
    assert done.headers["location"] == "/funding?done=paid"


async def test_a_capture_that_nobody_paid_is_told_with_our_fee_and_as_not_charged(
    product: Product,
) -> None:
    ada = await holder(product)
    await behave(product, ada.sources[0].stripe_payment_method_id, LATER_DECLINES)
    async with signed_in_holder(product, ada) as client:
        await force_capture(product, ada.card, 3_000)
        await product.settled()
        [debt] = await product.rows(OPEN)
        where, parts = f"/purchases/{debt['purchase_id']}", "$30.00 for the merchant and $2.00"
        home = await seen(client, "/dashboard")
        assert f"$32.00 is not paid yet {parts} our fee." in home
        assert "your virtual cards stop, if it is not paid by then" in home
        assert "$30.00 1 purchase taken" in home
        assert "$0.00 charged to your own cards" in home
        assert "$32.00 is open Merchants took money" in (funding := await seen(client, "/funding"))
        assert f"{parts} our fee" in funding
        assert "Pay $32.00 for Blue Bottle" in funding
        told = await seen(client, where)
        assert "On your own card" not in told
        assert "Our fee $2.00 Together $32.00 Charged to your own card so far $0.00" in told
        assert f"Still to be paid {parts} our fee $32.00 Pay $32.00 now" in told
        assert f"Not paid yet $32.00 {parts} our fee. None of your linked cards paid it." in told
        assert "To pay $32.00" in await seen(client, f"/funding/pay/{debt['id']}")
        month = await seen(client, "/statements")
        assert "Our fees charged, less what came back of them $0.00" in month
        assert "What the month cost you $30.00 Of that not paid yet $30.00" in month
        [letter] = await letters(product, "debt")
        assert letter["subject"] == "Not paid yet: $32.00 for Blue Bottle"
        assert f"With our fee $32.00 is to be paid: {parts} our fee." in letter["text"]
        assert f"/funding/pay/{debt['id']}" in letter["text"]

        await pay_debt(product, client, ada)
        paid = await seen(client, "/funding?done=paid")
        assert "It is paid. Thank you." in paid
        assert "ready" in paid
        assert "declined last time" not in paid
        told = await seen(client, where)
        assert "On your own card $32.00" in told
        assert "Not paid at first $30.00 It was paid later." in told
        assert "$2.00 charged to your own cards" in await seen(client, "/dashboard")
    await product.settled()
    assert await book_problems(product) == []


async def test_a_tip_that_was_not_paid_is_apart_from_what_was_charged(product: Product) -> None:
    ada = await holder(product)
    async with signed_in_holder(product, ada) as client:
        bought = await pay(product, ada.card, 1_000, "Tatte")
        await product.settled()
        await behave(product, ada.sources[0].stripe_payment_method_id, LATER_DECLINES)
        await helper(product, bought["id"], "capture", capture_amount=3_000)
        await product.settled()
        told = await seen(client, f"/purchases/{await id_of(product, bought['id'])}")
        assert "Together $32.00 Charged to your own card so far $11.00" in told
        assert "Still to be paid $20.00 for the merchant and $1.00 our fee $21.00" in told
        assert "$21.00 is not paid yet" in (home := await seen(client, "/dashboard"))
        assert "$1.00 charged to your own cards" in home


async def test_cards_that_a_debt_stops_and_frees_are_told_of_once_each(product: Product) -> None:
    ada = await holder(product)
    sessions, clock = product.parts.sessions, product.parts.clock
    async with signed_in_holder(product, ada) as client:
        for times in (1, 2):
            await behave(product, ada.sources[0].stripe_payment_method_id, LATER_DECLINES)
            await force_capture(product, ada.card, 3_000)
            await product.settled()
            await write_stops(sessions, ALLOWED, clock.now())
            assert len(await product.rows(SAID)) == 2 * times - 2
            await days_pass(product, 4)
            # The attempt that was due meanwhile, before the bank changes its mind.
            await until_there(product, "receivable", ada.customer.id, TRIED_AGAIN)
            for _ in range(2):
                await write_stops(sessions, ALLOWED, clock.now())
            await letters(product, "cards_stopped", at_least=times)
            assert len(await product.rows(SAID)) == 2 * times - 1
            declined = await pay(product, ada.card, 1_000, "Tatte")
            assert not declined["approved"]
            await product.settled()
            home = await seen(client, "/dashboard")
            assert "Until it is paid your virtual cards are stopped." in home
            assert "Pay what is open, or link a card that can." in home
            await pay_debt(product, client, ada)
            await product.settled()
            for _ in range(2):
                await write_stops(sessions, ALLOWED, clock.now())
            await letters(product, "cards_work_again", at_least=times)
            assert len(await product.rows(SAID)) == 2 * times
        home = await seen(client, "/dashboard")
        assert "is not paid yet" not in home
        assert "What stopped your cards is paid, and they work again: pay once more." in home
        told = await seen(client, f"/purchases/{await id_of(product, declined['id'])}")
        assert "Your cards work again: what stopped them is paid." in told
        assert "Pay what is open" not in told
    said = await product.rows(SAID)
    assert [one["kind"] for one in said] == ["cards_stopped", "cards_work_again"] * 2
    assert said[0]["subject"] == "Your virtual cards are stopped: $32.00 is not paid"
    assert "Blue Bottle: $32.00, open since" in said[0]["text"]
    assert "They work again the moment it is paid" in said[0]["text"]
    assert (await pay(product, ada.card, 1_000, "Tatte"))["approved"]


async def test_a_statement_names_as_not_paid_what_was_taken_in_its_month(product: Product) -> None:
    ada = await holder(product)
    await behave(product, ada.sources[0].stripe_payment_method_id, LATER_DECLINES)
    async with signed_in_holder(product, ada) as client:
        await force_capture(product, ada.card, 3_000)
        await product.settled()
        await product.as_owner(
            "UPDATE card_transaction SET occurred_at = occurred_at - interval '35 days'"
        )
        [taken] = await product.rows("SELECT occurred_at FROM card_transaction")
        running = await seen(client, "/statements")
        assert "not paid yet" not in running
        before = await seen(client, f"/statements?month={taken['occurred_at']:%Y-%m}")
        assert "What the month cost you $30.00 Of that not paid yet $30.00" in before


async def test_a_debt_that_a_refund_leaves_too_little_of_stops_no_card(product: Product) -> None:
    ada = await holder(product)
    await behave(product, ada.sources[0].stripe_payment_method_id, LATER_DECLINES)
    taken = await force_capture(product, ada.card, 3_000)
    await product.settled()
    path = f"/v1/test_helpers/issuing/transactions/{taken}/refund"
    await product.call("POST", path, refund_amount=2_980)
    await product.settled()
    await until_there(product, "receivable", ada.customer.id, "lowered_minor = 2980")
    [left] = await product.rows("SELECT state, next_attempt_at FROM receivable")
    assert left == {"state": "open", "next_attempt_at": None}
    [customer] = await product.rows("SELECT in_debt_since FROM customer")
    assert customer == {"in_debt_since": None}
    assert await book_problems(product) == []


async def test_one_whose_letter_fails_keeps_no_other_from_being_told(product: Product) -> None:
    sessions, clock = product.parts.sessions, product.parts.clock
    for email in ("ada@example.com", "bob@example.com"):
        who = await holder(product, email=email)
        async with sessions.begin() as session:
            session.add(CredentialFactory.build(email=email, customer_id=who.customer.id))
        await behave(product, who.sources[0].stripe_payment_method_id, LATER_DECLINES)
        await force_capture(product, who.card, 3_000)
    await product.settled()
    await product.as_owner(REFUSE_ONE)
    later = clock.now() + timedelta(days=4)
    with pytest.raises(ExceptionGroup, match="letters about stopped cards were not written"):
        await write_stops(sessions, ALLOWED, later)
    [letter] = await letters(product, "cards_stopped")
    assert letter["recipient"] == "bob@example.com"
    await product.as_owner("DROP FUNCTION refuse CASCADE")
    assert await write_stops(sessions, ALLOWED, later) == 1
    assert await write_stops(sessions, ALLOWED, later) == 0
