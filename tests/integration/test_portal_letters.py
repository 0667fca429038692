"""Letters about purchases: each once, with the fix in them, and only those that are wanted."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.adapters.mail import SmtpServer
from app.domain.funding.expiring import write_expiring
from app.domain.identity.credentials import DEMO_EMAIL
from app.domain.issuing.states import CardState
from app.domain.mailing.models import MailState
from app.domain.mailing.outbox import Bounced, MailNotFound, Postman, send_again
from app.domain.states import IllegalMove
from tests.cards import move_card
from tests.integration.test_portal_dashboard import words_on
from tests.integration.test_portal_mail import OFFICE, SITE, FakeServer, mail_server
from tests.integration.test_portal_purchases import id_of, signed_in_holder
from tests.journeys.settlement.by_hand import until_there
from tests.journeys.settlement.test_time import HOTEL, days_pass
from tests.portal import EMAIL, entered, letters, send
from tests.product import Product
from tests.situations import behave, helper, holder, pay, refund


async def subjects(product: Product) -> list[str]:
    found = await product.rows("SELECT subject FROM mail ORDER BY subject")
    return [row["subject"] for row in found]


async def text_of(product: Product, kind: str) -> str:
    [letter] = await product.rows("SELECT text FROM mail WHERE kind = :kind", kind=kind)
    return str(letter["text"])


async def test_each_purchase_is_told_of_once_with_the_fix(product: Product) -> None:
    ada = await holder(product, allowed_categories=["fast_food_restaurants", "book_stores"])
    async with signed_in_holder(product, ada):
        approved = await pay(product, ada.card, 1_000, "Blue Bottle")
        await helper(product, approved["id"], "capture")
        await pay(
            product,
            ada.card,
            2_500,
            "https://evil.example/login",
            **{"merchant_data[category]": "miscellaneous_general_merchandise"},
        )
        await product.settled()
        await refund(product, approved["id"], 400)
        await product.settled()
        await pay(product, ada.card, 0, "Netflix")
        await product.parts.settler.settle(approved["id"])
        await product.settled()
        assert await subjects(product) == [
            "Approved: $10.00 at Blue Bottle",
            "Declined: $25.00 at https evil example login",
            "Refund: $4.00 from Blue Bottle",
        ]
    declined = await text_of(product, "purchase_declined")
    assert "Why: This card does not allow this kind of merchant." in declined
    assert "What to do: Change what the card is for, or let this purchase pass once." in declined
    assert f"{{site}}/purchases/{await id_of(product, approved['id'])}" in await text_of(
        product, "purchase_approved"
    )
    [letter] = await letters(product, "purchase_approved")
    assert letter["recipient"] == "customer@example.com"


async def test_what_is_not_wanted_is_not_written_and_what_must_be_is(product: Product) -> None:
    ada = await holder(product)
    async with signed_in_holder(product, ada) as client:
        page = (await client.get("/settings")).text
        assert page.count('type="checkbox"') == page.count(" checked>") == 5
        kept = await send(
            client, "/settings/letters", {"purchase_refunded": "yes"}, opened="/settings"
        )
        assert kept.headers["location"] == "/settings?done=letters"
        page = (await client.get("/settings")).text
        assert page.count(" checked>") == 1
        await pay(product, ada.card, 1_000)
        await pay(product, ada.card, 99_999_900)
        await behave(
            product, ada.sources[0].stripe_payment_method_id, "pm_card_chargeDeclinedExpiredCard"
        )
        await pay(product, ada.card, 1_100, "Amtrak")
        await product.settled()
        assert await subjects(product) == ["Declined: $11.00 at Amtrak"]
    assert "Link your new card." in await text_of(product, "action_needed")
    [entry] = await product.rows("SELECT after FROM audit_entry WHERE action LIKE '%letters'")
    off = ["purchase_approved", "purchase_declined", "hold_charged", "source_expiring"]
    assert entry["after"] == {"off": off}


async def test_a_frozen_card_and_a_customer_without_a_sign_in_get_no_letter(
    product: Product,
) -> None:
    nobody = await holder(product, email="grace@example.com")
    ada = await holder(product)
    async with signed_in_holder(product, ada):
        await move_card(product, ada.card, CardState.FROZEN)
        declined = await pay(product, ada.card, 1_000)
        await pay(product, nobody.card, 1_000)
        await product.settled()
        assert not declined["approved"]
        assert await subjects(product) == []


async def test_a_debt_and_an_expiring_card_are_told_of_once(product: Product) -> None:
    ada = await holder(product)
    async with signed_in_holder(product, ada):
        bought = await pay(product, ada.card, 1_000, "Tatte")
        await product.settled()
        await behave(product, ada.sources[0].stripe_payment_method_id, "pm_card_chargeCustomerFail")
        await helper(product, bought["id"], "capture", capture_amount=3_000)
        await product.settled()
        assert "Not paid yet: $21.00 for Tatte" in await subjects(product)
        source = ada.sources[0]
        now = datetime(source.exp_year, source.exp_month, 10, tzinfo=UTC)
        early = now - timedelta(days=30)
        assert await write_expiring(product.parts.sessions, early) == 0
        assert await write_expiring(product.parts.sessions, now) == 1
        assert await write_expiring(product.parts.sessions, now) == 0


async def test_a_hold_that_is_charged_before_it_ends_is_told_of_with_the_reason(
    product: Product,
) -> None:
    ada, eve = await holder(product), await holder(product, email="eve@example.com")
    async with entered(product, eve.customer) as client:
        await send(client, "/settings/letters", {}, opened="/settings")
    async with signed_in_holder(product, ada) as client:
        bought = await pay(product, ada.card, 10_000, "Grand Hotel", **HOTEL)
        theirs = await pay(product, eve.card, 10_000, "Grand Hotel", **HOTEL)
        await product.settled()
        where = f"/purchases/{await id_of(product, bought['id'])}"
        assert "Held on your own card $105.50" in words_on((await client.get(where)).text)
        await days_pass(product, 4)
        [letter] = await letters(product, "hold_charged")
        await until_there(product, "charge", eve.customer.id, "state = 'captured'")
        for name in (bought["id"], theirs["id"]):
            await product.parts.settler.settle(name)
        told = words_on((await client.get(where)).text)
        assert "charged to your own card already, and the merchant has not taken it yet" in told
        assert "Charged to your own card $105.50" in told
        assert "$105.50 not taken yet" in told
        assert "$5.50 our fee. Your bank's hold was about to end." in told
        await helper(product, bought["id"], "capture", capture_amount=8_000)
        await product.settled()
        told = words_on((await client.get(where)).text)
        assert "On your own card $84.50" in told
    assert len(await letters(product, "hold_charged")) == 1
    assert letter["subject"] == "Charged, no longer only held: $105.50 for Grand Hotel"
    assert letter["recipient"] == DEMO_EMAIL
    assert "$100.00 for the merchant and $5.50 our fee." in letter["text"]
    assert "Grand Hotel has not taken its money yet, and still may, until" in letter["text"]
    assert "You are not charged again when Grand Hotel takes it." in letter["text"]
    assert "comes back to the same card by itself, with our fee on it" in letter["text"]


async def test_a_letter_refused_for_good_bounces_and_is_sent_again_by_hand(
    product: Product,
) -> None:
    ada = await holder(product)
    async with signed_in_holder(product, ada):
        await pay(product, ada.card, 1_000)
        [letter] = await letters(product, "purchase_approved")
    await product.as_owner("UPDATE mail SET state = 'waiting', attempts = 0")
    async with mail_server() as fake:
        fake.answer = b"550 no such mailbox\r\n"
        await _postman(product, fake).deliver(letter["id"], product.parts.clock.now())
        [mail] = await product.rows("SELECT state, attempts, failure FROM mail")
        assert mail == {"state": "failed", "attempts": 1, "failure": "Bounced"}
        with pytest.raises(Bounced):
            await _postman(product, fake).server.send(EMAIL, "subject", "text")
    async with product.parts.sessions.begin() as session:
        again = await send_again(session, letter["id"])
        assert again.state is MailState.WAITING
    await letters(product, "purchase_approved")
    async with product.parts.sessions.begin() as session:
        with pytest.raises(IllegalMove):
            await send_again(session, letter["id"])
        with pytest.raises(MailNotFound):
            await send_again(session, ada.customer.id)


def _postman(product: Product, fake: FakeServer) -> Postman:
    server: Any = SmtpServer(f"smtp://127.0.0.1:{fake.port}", "cards@example.com")
    return Postman(product.parts.sessions, server, SITE, OFFICE)
