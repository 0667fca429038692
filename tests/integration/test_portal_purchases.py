"""The list of purchases, its filter and its file; a purchase's trail, and the way out of a no."""

import base64
import csv
import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx

from app.domain.identity.audit import SYSTEM
from app.domain.identity.credentials import keep_demo_credential
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.lines import PurchaseStatus
from app.domain.issuing.purchase_list import Order, Wanted, page_of
from app.domain.issuing.remedies import remedy_for
from tests.faults.arming import arm
from tests.integration.test_portal_dashboard import words_on
from tests.journeys.settlement.by_hand import until_there
from tests.journeys.settlement.test_time import days_pass
from tests.portal import browser, form_token_on, send
from tests.product import Product
from tests.situations import (
    LATER_DECLINES,
    Holder,
    behave,
    force_capture,
    helper,
    holder,
    pay,
    refund,
)


async def keep_sign_in(product: Product, ada: Holder) -> None:
    """Let a customer sign in with one click, as the demo's."""
    await keep_demo_credential(
        product.parts.sessions,
        ada.customer.id,
        "a password of the tests",
        actor=SYSTEM,
        now=product.parts.clock.now(),
    )


@asynccontextmanager
async def signed_in_holder(product: Product, ada: Holder) -> AsyncIterator[httpx.AsyncClient]:
    """Give the browser of a customer with linked and virtual cards."""
    await keep_sign_in(product, ada)
    async with browser(product) as client:
        await send(client, "/sign-in/demo", {}, opened="/sign-in")
        yield client


async def id_of(product: Product, authorization: str) -> str:
    found = await product.rows(
        "SELECT id FROM card_authorization WHERE stripe_authorization_id = :it", it=authorization
    )
    return str(found[0]["id"])


def place_of(key: str) -> str:
    """Write a place in a list as an address has it, behind what the list is sorted by."""
    written = json.dumps([key, "0198d2f0-0000-7000-8000-000000000000", False])
    return base64.urlsafe_b64encode(written.encode()).decode().rstrip("=")


async def play_every_status(product: Product, ada: Holder) -> None:
    """Buy until a purchase of every status is there."""
    taken = await pay(product, ada.card, 10_000, "SQ *ZUNI CAFE #12")
    await helper(product, taken["id"], "capture")
    back = await pay(product, ada.card, 3_000, "=Nike")
    await helper(product, back["id"], "capture")
    half = await pay(product, ada.card, 4_000, "Gap")
    await helper(product, half["id"], "capture")
    await product.settled()
    await refund(product, back["id"], 3_000)
    await refund(product, half["id"], 1_000)
    over = await pay(product, ada.card, 5_000, "Hertz")
    await helper(product, over["id"], "reverse")
    await pay(product, ada.card, 2_000, "Blue Bottle")
    await pay(product, ada.card, 0, "Netflix")
    await pay(product, ada.card, 99_999_900, "Too Much")
    await product.settled()


async def test_every_status_is_the_same_in_the_list_and_in_the_filter(product: Product) -> None:
    ada = await holder(product)
    await play_every_status(product, ada)
    await days_pass(product, 4)
    await until_there(product, "charge", ada.customer.id, "captured_minor = 2150")
    await pay(product, ada.card, 1_500, "Sweetgreen")
    await behave(product, ada.sources[0].stripe_payment_method_id, LATER_DECLINES)
    await force_capture(product, ada.card, 3_000, **{"merchant_data[name]": "Hertz Tolls"})
    await product.settled()
    seen: dict[UUID, PurchaseStatus] = {}
    async with product.parts.sessions() as session:
        everything = (await page_of(session, ada.customer.id, Wanted())).lines
        for status in PurchaseStatus:
            lines = (await page_of(session, ada.customer.id, Wanted(status=status))).lines
            assert {line.status for line in lines} <= {status}
            seen |= {line.purchase.id: status for line in lines}
    assert seen == {line.purchase.id: line.status for line in everything}
    assert set(seen.values()) == set(PurchaseStatus) - {PurchaseStatus.IN_PROGRESS}
    assert [line.merchant for line in everything][-1] == "Zuni Cafe"

    async with signed_in_holder(product, ada) as client:
        page = words_on((await client.get("/purchases")).text)
        assert re.search(r"Zuni Cafe Fast food .* \$100\.00 \$5\.50 \$105\.50 completed", page)
        assert "$30.00 $2.00 $32.00 $32.00 back refunded" in page
        file = await client.get("/purchases.csv?status=refunded")
        assert file.headers["content-type"] == "text/csv; charset=utf-8"
        assert "attachment" in file.headers["content-disposition"]
        [told] = csv.DictReader(io.StringIO(file.text))
        assert told["Merchant"] == "'=Nike"
        assert (told["Amount"], told["Fee"], told["Total"]) == ("30.00", "2.00", "32.00")
        assert (told["Refunded"], told["Status"]) == ("32.00", "refunded")
        whole = await client.get("/purchases.csv")
        assert len(list(csv.DictReader(io.StringIO(whole.text)))) == len(everything)


async def test_a_month_is_added_up_and_says_where_it_went(product: Product) -> None:
    ada = await holder(product)
    await play_every_status(product, ada)
    async with signed_in_holder(product, ada) as client:
        told = words_on((await client.get("/statements")).text)
        # 100, 30 and 40 were taken; 30 and a quarter of the 40, with our fee, came back.
        assert "Taken by merchants, 3 times $170.00" in told
        assert "$40.00 Our fees charged" in told
        assert "less what came back of them $7.37" in told
        assert "What the month cost you $137.37" in told
        assert "Zuni Cafe $105.50" in told
        assert "Blue Bottle" not in told
        long_ago = words_on((await client.get("/statements?month=2020-02")).text)
        assert "No merchant took anything" in long_ago
        assert "March →" in long_ago
        for month in ("", "2020-13", "x", "9999-12", "0001-01", "1969-12"):
            running = await client.get("/statements", params={"month": month})
            assert "So far" in running.text, month


async def test_the_list_is_searched_sorted_and_turned_page_by_page(product: Product) -> None:
    ada = await holder(product, cards=2)
    amounts = [700, 300, 900, 500, 100]
    for n, minor in enumerate(amounts):
        await pay(product, ada.cards[n % 2], minor, f"Shop {minor:04} of 100% <i>")
    await product.settled()
    async with product.parts.sessions() as session:
        for order, expected in {
            "newest": amounts[::-1],
            "oldest": amounts,
            "merchant": sorted(amounts),
            "largest": sorted(amounts, reverse=True),
            "smallest": sorted(amounts),
        }.items():
            wanted, place, back = Wanted(order=Order(order)), "", ""
            walked: list[int] = []
            for _ in range(3):
                page = await page_of(session, ada.customer.id, wanted, place, 2)
                walked += [line.amount_minor for line in page.lines]
                back, place = page.before or "", page.after or ""
            assert (walked, place) == (expected, "")
            before = await page_of(session, ada.customer.id, wanted, back, 2)
            assert [line.amount_minor for line in before.lines] == expected[2:4]
            assert before.after

    async with signed_in_holder(product, ada) as client:

        async def found(**asked: str) -> list[str]:
            page = await client.get("/purchases", params=asked)
            assert page.status_code == 200
            assert "<i>" not in page.text
            return re.findall(r'class="line-name">Shop (\d+)', page.text)

        assert len(await found()) == 5
        assert await found(q="0900") == ["0900"]
        assert len(await found(q="100%")) == 5
        assert len(await found(q="_")) == 0
        assert len(await found(q="card 2")) == 2
        assert len(await found(card=str(ada.cards[0].id))) == 3
        today = f"{product.parts.clock.now():%Y-%m-%d}"
        assert len(await found(**{"from": "2020-01-01", "to": today})) == 5
        assert len(await found(to="2020-01-01")) == 0
        for at in ("x", "W10", "é", "eyJ"):
            assert len(await found(at=at)) == 5
        for order, key in (
            *(("newest", "0001-01-01T00:00:00+14:00"), ("newest", "9999-12-31T23:59:59-12:00")),
            *(
                ("oldest", "2026-01-01T00:00:00"),
                ("largest", "9" * 20),
                ("smallest", "-" + "9" * 40),
            ),
            *(("merchant", "\x00"), ("merchant", "\ud800")),
        ):
            assert len(await found(sort=order, at=place_of(key))) == 5, (order, key)
        wrong = await client.get("/purchases?from=tomorrow&card=x&status=lost&q=Shop")
        assert wrong.status_code == 422
        told = words_on(wrong.text)
        assert "Write a day like" in told
        assert "Choose one of your cards" in told
        assert 'value="tomorrow"' in wrong.text
        empty = await client.get("/purchases?q=nothing+like+it")
        assert "No purchase fits this filter" in empty.text


async def test_a_purchase_tells_its_trail_in_cents(product: Product) -> None:
    ada = await holder(product)
    taken = await pay(product, ada.card, 5_200, "Zuni Cafe")
    await product.settled()
    await helper(product, taken["id"], "capture", capture_amount=6_240)
    await product.settled()
    await refund(product, taken["id"], 1_040)
    await product.settled()
    async with signed_in_holder(product, ada) as client:
        page = await client.get(f"/purchases/{await id_of(product, taken['id'])}")
    told = words_on(page.text)
    for step in (
        r"Zuni Cafe asked \$52\.00",
        r"Held on Visa •••• 4242 \$55\.10 \$52\.00 for the merchant and \$3\.10 our fee\.",
        r"Zuni Cafe took the money \$62\.40",
        r"Charged to Visa •••• 4242 \$55\.10",
        r"Charged to Visa •••• 4242 \$10\.92 \$10\.40 for the merchant and \$0\.52 our fee\.",
        r"The merchant took more than was held\.",
        r"Zuni Cafe gave back \$10\.40",
        r"Refunded to your linked card \$11\.00 \$0\.60 of it is our fee",
    ):
        assert re.search(step, told), (step, told)
    assert "Taken by the merchant $62.40" in told
    assert "On your own card $66.02" in told


async def test_a_hold_that_was_found_after_the_decline_is_told_as_what_it_is(
    product: Product,
) -> None:
    ada = await holder(product)
    await arm(product, "status", status=500, after_effect=True)
    bought = await pay(product, ada.card, 1_999)
    assert not bought["approved"]
    await product.settled()
    async with signed_in_holder(product, ada) as client:
        page = await client.get(f"/purchases/{await id_of(product, bought['id'])}")
    told = words_on(page.text)
    assert "The purchase was declined: nothing is taken, and it is let go of." in told
    assert "Nothing is taken yet" not in told
    assert "The hold is over, and nothing was taken." in told


async def test_a_declined_purchase_is_let_pass_once_from_its_page(product: Product) -> None:
    ada = await holder(product, allowed_categories=["book_stores"])
    declined = await pay(product, ada.card, 8_000, "Patagonia")
    assert not declined["approved"]
    await product.settled()
    where = f"/purchases/{await id_of(product, declined['id'])}"
    async with signed_in_holder(product, ada) as client:
        page = await client.get(where)
        assert "does not allow this kind of merchant" in words_on(page.text)
        assert "Change what the card is for, or let this purchase pass once." in words_on(page.text)
        fields = {"form_token": form_token_on(page)}
        for _ in range(2):  # a double click does it once
            done = await client.post(f"{where}/allow-once", data=fields)
            assert done.headers["location"] == f"{where}?done=allowed"
        assert "The next try may pass" in (await client.get(f"{where}?done=allowed")).text
        assert len(await product.rows("SELECT 1 FROM allowance")) == 1
    again = await pay(product, ada.card, 8_000, "Patagonia")
    assert again["approved"]
    [entry] = await product.rows("SELECT * FROM audit_entry WHERE action = 'purchase.allow_once'")
    assert (entry["actor_kind"], entry["actor_id"]) == ("customer", ada.customer.id)


async def test_nobody_lets_pass_what_is_ours_to_refuse_or_anothers_purchase(
    product: Product,
) -> None:
    ada = await holder(product)
    grace = await holder(product, email="grace@example.com", purchase_limit_minor=100)
    theirs = await pay(product, grace.card, 8_000)
    approved = await pay(product, ada.card, 1_000)
    await product.settled()
    async with signed_in_holder(product, ada) as client:
        others = f"/purchases/{await id_of(product, theirs['id'])}"
        assert (await client.get(others)).status_code == 404
        own = f"/purchases/{await id_of(product, approved['id'])}"
        fields = {"form_token": form_token_on(await client.get("/settings"))}
        refused = await client.post(f"{others}/allow-once", data=fields)
        assert refused.status_code == 404
        refused = await client.post(f"{own}/allow-once", data=fields)
        assert refused.status_code == 409
        assert (await client.get("/purchases/not-an-id")).status_code == 404
    assert not await product.rows("SELECT 1 FROM allowance")


def test_every_reason_leads_on() -> None:
    for reason in DeclineReason:
        words = remedy_for(reason).words
        assert words.endswith(".")
        assert "the customer" not in words
